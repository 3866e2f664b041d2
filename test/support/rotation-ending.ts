/** What a rotation of one credential has come to, as facts that are the same from run to run. */
import { z } from 'zod';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot, publishedSince } from './ground-truth.ts';
import { isLive, type Kept, labelsOf, liveKeysFor, stateOf } from './rotations.ts';

/** `emergency` is an overlap without grace. */
export type Kind = 'overlap' | 'emergency' | 'two-slot' | 'customer-next';

/** A credential that is about to be rotated, as it is before. */
export interface Course {
  readonly kind: Kind;
  readonly kept: Kept;
  readonly before: KeyInForce;
}

export interface KeyInForce {
  readonly versionId: string;
  readonly fingerprint: string;
}

export interface Ending {
  /** No rotation, no hold, no diversion; due again later. */
  readonly isIdle: boolean;
  /** Labels of versions: `in force` is the one that the registry names, `before` the one that was replaced. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of the keys made for this credential, those that are accepted: in force, or nobody's. */
  readonly live: readonly string[];
  /** Whether the registry names the key in force by the provider's own ID, where it has one. */
  readonly isNamed: boolean;
  readonly oldKeyIsDead: boolean;
  /** The replaced version can still be looked up. */
  readonly oldVersionIsKept: boolean;
  /** Detail types published about the credential, each once. */
  readonly told: readonly string[];
}

/** How every rotation is to end, whatever happens on the way. Of two slots, the other one holds what nobody has. */
export const wellEnded = (kind: Kind): Ending => ({
  isIdle: true,
  labels: { AWSCURRENT: 'in force' },
  live: kind === 'two-slot' ? ['in force', "nobody's"] : ['in force'],
  isNamed: true,
  oldKeyIsDead: true,
  oldVersionIsKept: true,
  told: [...(kind === 'customer-next' ? ['CredentialNextRequested'] : []), 'CredentialRetired', 'CredentialRotated'],
});

const secretText = z.object({ apiKey: z.string() });
const current = z.object({ SecretString: z.string(), VersionId: z.string() });
const assumed = z.object({ Credentials: z.object({ AccessKeyId: z.string() }) });
const listing = z.object({ Versions: z.array(z.object({ VersionId: z.string() })) });

/** What the secret's current version holds: read as the function reads it, in a session of the tenant. */
export async function keyInForce({ cloud }: TestCloud, { tenantId, credentialId }: Kept): Promise<KeyInForce> {
  const { rotation } = await cloud.functionCredentials();
  const observer = cloud.kernel.callerOf(rotation?.accessKeyId ?? '');
  if (observer === undefined) throw new Error('The stack has no rotation function.');
  const role = {
    RoleArn: `arn:aws:iam::${cloud.accountId}:role/cordon/TenantRotator`,
    RoleSessionName: tenantId,
    DurationSeconds: '900',
    Tags: [{ Key: 'TenantId', Value: tenantId }],
  };
  const { Credentials } = assumed.parse(await cloud.kernel.call(observer, 'sts', 'AssumeRole', role));
  const session = cloud.kernel.callerOf(Credentials.AccessKeyId);
  if (session === undefined) throw new Error('The session is not known.');
  const SecretId = `cordon/${tenantId}/${credentialId}`;
  const { SecretString, VersionId } = current.parse(await cloud.kernel.call(session, 'secretsmanager', 'GetSecretValue', { SecretId }));
  return { versionId: VersionId, fingerprint: fingerprintOf(secretText.parse(JSON.parse(SecretString)).apiKey) };
}

/** @param since of the cloud's clock: when the rotation was asked for */
export async function endingOf(test: TestCloud, { kept, kind, before }: Course, since: number): Promise<Ending> {
  const { cloud } = test;
  const found = await stateOf(test, kept);
  const { versionId, fingerprint } = await keyInForce(test, kept);
  const named = (version: string): string =>
    version === found.secretVersionId ? 'in force' : version === before.versionId ? 'before' : 'another';
  const SecretId = `cordon/${kept.tenantId}/${kept.credentialId}`;
  const { Versions } = listing.parse(await asRoot(cloud, 'secretsmanager', 'ListSecretVersionIds', { SecretId, IncludeDeprecated: true }));
  const own = kind === 'customer-next' ? [fingerprint, before.fingerprint] : liveKeysFor(test, kept);
  const live = own.filter((one) => isLive(test, kept.provider, one));
  const key = cloud.openai.keys().find((one) => one.fingerprint === fingerprint);
  const news = (await publishedSince(cloud, since)).filter(
    ({ detail }) => detail['tenantId'] === kept.tenantId && detail['credentialId'] === kept.credentialId,
  );
  return {
    isIdle:
      found.rotating === undefined &&
      found.leaseUntil === 0 &&
      found.previous === undefined &&
      found.diverted === undefined &&
      (found.dueAt ?? 0) > cloud.clock.now(),
    labels: Object.fromEntries(Object.entries(await labelsOf(test, kept)).map(([label, version]) => [label, named(version)])),
    live: live.map((one) => (one === fingerprint ? 'in force' : "nobody's")).sort(),
    isNamed: versionId === found.secretVersionId && (kept.provider !== 'openai' || (key !== undefined && key.id === found.keyId)),
    oldKeyIsDead: !isLive(test, kept.provider, before.fingerprint),
    oldVersionIsKept: Versions.some(({ VersionId }) => VersionId === before.versionId),
    told: [...new Set(news.map(({ detailType }) => detailType))].sort(),
  };
}
