/** Secrets of all accounts: how a secret is named in a request, and what IAM is asked about it. */
import { randomInt } from 'node:crypto';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, Need, Scope } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type { SealedValue } from './secrets-manager-values.ts';
import { type ConditionContext, offerTags, resourceTagContext, type Tags } from './tagging-context.ts';

export interface SecretVersion {
  readonly id: string;
  readonly createdAt: number;
  readonly sealed: SealedValue;
  readonly stages: Set<string>;
}

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly accountId: string;
  readonly createdAt: number;
  readonly versions: Map<string, SecretVersion>;
  description: string | undefined;
  /** As given; `kmsKeyArn` is what it means in the secret's account. */
  kmsKeyId: string;
  kmsKeyArn: string;
  tags: Tags;
  policyText: string | undefined;
  policy: PolicyDocument | undefined;
  changedAt: number;
  accessedAt: number | undefined;
  deletedAt: number | undefined;
  deletesAt: number | undefined;
}

interface SecretReference {
  readonly secret: Secret | undefined;
  /** The secret's ARN, or the one it would have: the random suffix of a secret that does not exist reads `??????`. */
  readonly arn: string;
  readonly accountId: string;
}

export interface SecretStore {
  /** A fresh ARN with its six random characters. */
  newArn(accountId: string, name: string): string;
  add(secret: Secret): void;
  remove(secret: Secret): void;
  all(accountId: string): readonly Secret[];
  /** Resolves a name, a full ARN, or an ARN without its suffix, seen from the account that is called. */
  resolve(secretId: string, accountId: string): SecretReference;
  byName(accountId: string, name: string): Secret | undefined;
}

const validName = /^[A-Za-z0-9/_+=.@!-]{1,512}$/;
const suffixCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export function createSecretStore(kernel: Kernel): SecretStore {
  const accounts = new Map<string, Map<string, Secret>>();
  const prefix = (accountId: string): string => `arn:aws:secretsmanager:${kernel.region}:${accountId}:secret:`;
  const remove = (secret: Secret): void => {
    accounts.get(secret.accountId)?.delete(secret.name);
  };
  const byName = (accountId: string, name: string): Secret | undefined => {
    const secret = accounts.get(accountId)?.get(name);
    if (secret?.deletesAt === undefined || secret.deletesAt > kernel.clock.now()) return secret;
    remove(secret);
    return undefined;
  };
  const store: SecretStore = {
    newArn: (accountId, name) =>
      `${prefix(accountId)}${name}-${Array.from({ length: 6 }, () => suffixCharacters[randomInt(suffixCharacters.length)]).join('')}`,
    add(secret) {
      const secrets = accounts.get(secret.accountId) ?? new Map<string, Secret>();
      accounts.set(secret.accountId, secrets.set(secret.name, secret));
    },
    remove,
    byName,
    all: (accountId) => [...(accounts.get(accountId)?.keys() ?? [])].flatMap((name) => byName(accountId, name) ?? []),
    resolve(secretId, callAccountId) {
      const parsed = /^arn:aws:secretsmanager:([^:]*):(\d{12}):secret:(.+)$/.exec(secretId);
      const name = parsed?.[3] ?? secretId;
      if (!validName.test(name)) {
        throw new AwsError(
          'ValidationException',
          'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
        );
      }
      if (parsed === null) {
        const secret = byName(callAccountId, name);
        return { secret, arn: secret?.arn ?? `${prefix(callAccountId)}${name}-??????`, accountId: callAccountId };
      }
      const accountId = parsed[2] ?? callAccountId;
      const full = byName(accountId, name.slice(0, -7));
      const partial = accountId === callAccountId && parsed[1] === kernel.region ? byName(accountId, name) : undefined;
      const secret = full?.arn === secretId ? full : partial;
      return { secret, arn: secret?.arn ?? secretId, accountId };
    },
  };
  offerTags(kernel, {
    resourceType: 'secretsmanager:secret',
    list: (accountId) => store.all(accountId).map(({ arn, tags }) => ({ arn, tags })),
  });
  return store;
}

/** What IAM must allow for `action` on the secret that `secretId` names. Source: Service Authorization Reference, AWS Secrets Manager. */
export function secretNeed(store: SecretStore, action: string, secretId: string, scope: Scope, context: ConditionContext = {}): Need {
  const { secret, arn, accountId } = store.resolve(secretId, scope.accountId);
  return {
    action: `secretsmanager:${action}`,
    resource: arn,
    resourceAccountId: accountId,
    context: {
      'secretsmanager:SecretId': secretId,
      'secretsmanager:SecretPrimaryRegion': secret === undefined ? undefined : scope.region,
      ...resourceTagContext(secret?.tags, 'secretsmanager'),
      ...context,
    },
    ...(secret?.policy === undefined ? {} : { resourcePolicy: { name: `resource policy of ${secret.name}`, document: secret.policy } }),
  };
}

/** The secret that `secretId` names, also when it waits for deletion. Throws ResourceNotFoundException; call it after authorisation only. */
export function existingSecret(store: SecretStore, secretId: string, scope: Scope): Secret {
  const { secret } = store.resolve(secretId, scope.accountId);
  if (secret === undefined) throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  return secret;
}

/** As `existingSecret`, and refused with InvalidRequestException while the secret waits for deletion. */
export function usableSecret(store: SecretStore, secretId: string, scope: Scope): Secret {
  const secret = existingSecret(store, secretId, scope);
  if (secret.deletesAt !== undefined) {
    throw new AwsError('InvalidRequestException', "You can't perform this operation on the secret because it was marked for deletion.");
  }
  return secret;
}
