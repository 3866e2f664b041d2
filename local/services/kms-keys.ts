/** KMS keys and aliases of all accounts: how a key is named in a request, and what IAM is asked about it. */
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, Need, Scope } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { toNumber } from './kms-ecdsa.ts';
import { type Grant, policyWithGrants } from './kms-grants.ts';
import type { Purpose } from './kms-purpose.ts';
import { type ConditionContext, offerTags, resourceTagContext, type Tags } from './tagging-context.ts';

export interface SigningMaterial {
  /** The scalar of the private key. */
  readonly privateKey: bigint;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
}

export interface Key {
  readonly id: string;
  readonly arn: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly purpose: Purpose;
  /** Of a symmetric key; nothing uses it in others. */
  readonly material: Buffer;
  /** Of a signing key only. */
  readonly signing: SigningMaterial | undefined;
  description: string;
  policyText: string;
  policy: PolicyDocument;
  /** By ID. */
  readonly grants: Map<string, Grant>;
  tags: Tags;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  deletesAt: number | undefined;
  rotates: boolean;
}

/** What a request's KeyId came to. Without `key` it names nothing that exists, and IAM is asked about the ARN it would have. */
export interface KeyReference {
  readonly key: Key | undefined;
  readonly arn: string;
  readonly accountId: string;
  readonly alias: string | undefined;
}

interface Alias {
  readonly name: string;
  readonly arn: string;
  keyId: string;
  readonly createdAt: number;
}

export interface KeyStore {
  newKeyId(): string;
  keyArn(accountId: string, keyId: string): string;
  aliasArn(accountId: string, name: string): string;
  add(accountId: string, keyId: string, policyText: string, policy: PolicyDocument, purpose: Purpose): Key;
  keys(accountId: string): readonly Key[];
  aliases(accountId: string): Map<string, Alias>;
  /** Resolves a key ID, key ARN, alias name or alias ARN, seen from the account that is called. */
  resolve(keyId: string, accountId: string): KeyReference;
}

export function createKeyStore(kernel: Kernel): KeyStore {
  const keysByAccount = new Map<string, Map<string, Key>>();
  const aliasesByAccount = new Map<string, Map<string, Alias>>();
  const arn = (accountId: string, rest: string): string => `arn:aws:kms:${kernel.region}:${accountId}:${rest}`;
  const aliases = (accountId: string): Map<string, Alias> => entry(aliasesByAccount, accountId, () => new Map<string, Alias>());
  const find = (accountId: string, keyId: string): Key | undefined => {
    const keys = keysByAccount.get(accountId);
    const key = keys?.get(keyId);
    if (key?.deletesAt === undefined || key.deletesAt > kernel.clock.now()) return key;
    keys?.delete(keyId);
    for (const alias of [...aliases(accountId).values()]) if (alias.keyId === keyId) aliases(accountId).delete(alias.name);
    return undefined;
  };
  const store: KeyStore = {
    newKeyId: () => randomUUID(),
    keyArn: (accountId, keyId) => arn(accountId, `key/${keyId}`),
    aliasArn: (accountId, name) => arn(accountId, name),
    aliases,
    add(accountId, id, policyText, policy, purpose) {
      const key: Key = {
        id,
        arn: arn(accountId, `key/${id}`),
        accountId,
        createdAt: kernel.clock.now(),
        purpose,
        material: randomBytes(32),
        signing: purpose.usage === 'SIGN_VERIFY' ? newSigningMaterial() : undefined,
        description: '',
        policyText,
        policy,
        grants: new Map(),
        tags: new Map(),
        state: 'Enabled',
        deletesAt: undefined,
        rotates: false,
      };
      entry(keysByAccount, accountId, () => new Map<string, Key>()).set(id, key);
      return key;
    },
    keys: (accountId) => [...(keysByAccount.get(accountId)?.keys() ?? [])].flatMap((id) => find(accountId, id) ?? []),
    resolve(keyId, callAccountId) {
      const parsed = /^arn:aws:kms:([^:]*):(\d{12}):(.+)$/.exec(keyId);
      const accountId = parsed?.[2] ?? callAccountId;
      const local = parsed?.[3] ?? keyId;
      if (keyId.startsWith('arn:') && parsed === null) throw new AwsError('InvalidArnException', `Invalid keyId ${keyId}`);
      // A key lives in one Region: the same ID under another Region's name is another key, which does not exist here.
      const elsewhere = parsed !== null && parsed[1] !== kernel.region;
      if (local.startsWith('alias/')) {
        const alias = elsewhere ? undefined : aliases(accountId).get(local);
        const key = alias === undefined ? undefined : find(accountId, alias.keyId);
        return { key, arn: key?.arn ?? (elsewhere ? keyId : arn(accountId, local)), accountId, alias: local };
      }
      const id = parsed === null ? local : local.replace(/^key\//, '');
      const key = elsewhere ? undefined : find(accountId, id);
      return { key, arn: key?.arn ?? (elsewhere ? keyId : arn(accountId, `key/${id}`)), accountId, alias: undefined };
    },
  };
  offerTags(kernel, {
    resourceType: 'kms:key',
    list: (accountId) => store.keys(accountId).map((key) => ({ arn: key.arn, tags: key.tags })),
  });
  return store;
}

/** What IAM must allow for `action` on the key. Source: Service Authorization Reference, AWS KMS; KMS Developer Guide, "Policy conditions". */
export function keyNeed(store: KeyStore, action: string, reference: KeyReference, scope: Scope, context: ConditionContext = {}): Need {
  const { key, arn, accountId, alias } = reference;
  const common: ConditionContext = { 'kms:CallerAccount': scope.caller.accountId, 'kms:RequestAlias': alias, ...context };
  // A key that does not exist has no policy to ask; the identity policies alone decide who may learn that it does not exist.
  if (key === undefined) return { action: `kms:${action}`, resource: arn, context: common, resourceAccountId: accountId };
  const names = [...store.aliases(accountId).values()].filter((known) => known.keyId === key.id).map((known) => known.name);
  return {
    action: `kms:${action}`,
    resource: key.arn,
    resourceAccountId: key.accountId,
    context: {
      ...common,
      ...resourceTagContext(key.tags),
      'kms:ResourceAliases': names.length === 0 ? undefined : names,
      'kms:KeySpec': key.purpose.spec,
      'kms:KeyUsage': key.purpose.usage,
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:MultiRegion': 'false',
    },
    resourcePolicy: { name: `key policy of ${key.id}`, document: policyWithGrants(key) },
    resourcePolicyRequired: true,
  };
}

/** The key behind a reference. Throws NotFoundException; call it after authorisation only. */
export function existingKey(reference: KeyReference): Key {
  if (reference.key === undefined) {
    throw new AwsError(
      'NotFoundException',
      reference.alias === undefined ? `Key '${reference.arn}' does not exist` : `Alias ${reference.arn} is not found.`,
    );
  }
  return reference.key;
}

/** A key that is managed, not used: KMS has no cross-account form of these operations (KMS Developer Guide, "Allowing users in other accounts to use a KMS key"). */
export function ownKey(reference: KeyReference, scope: Scope): Key {
  const key = existingKey(reference);
  if (key.accountId !== scope.caller.accountId)
    throw new AwsError('AccessDeniedException', 'This operation cannot be used on a key of another account.', 400);
  return key;
}

function newSigningMaterial(): SigningMaterial {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { d = '' } = privateKey.export({ format: 'jwk' });
  return { privateKey: toNumber(Buffer.from(d, 'base64url')), publicKey: publicKey.export({ type: 'spki', format: 'der' }) };
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
