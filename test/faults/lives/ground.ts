/** What is the case, whoever may see it: read as root, or where not even root may read, as the function that may. */
import { z } from 'zod';
import type { LocalCloud } from '../../../local/cloud.ts';
import type { Caller } from '../../../local/core/service.ts';
import { fingerprintOf } from '../../../local/world/openai-organization.ts';
import type { TestCloud } from '../../support/cloud.ts';
import { asRoot, type Item } from '../../support/ground-truth.ts';
import type { LivingCredential, LivingTenant } from './cast.ts';

const assumed = z.object({ Credentials: z.object({ AccessKeyId: z.string() }) });
const current = z.object({ SecretString: z.string(), VersionId: z.string() });
const secretText = z.object({ apiKey: z.string() });

async function readerOf(cloud: LocalCloud, { tenantId, tier }: LivingTenant, userId: string | undefined): Promise<Caller> {
  const { sessions } = await cloud.functionCredentials('sessions');
  const minter = cloud.kernel.callerOf(sessions?.accessKeyId ?? '');
  if (minter === undefined) throw new Error('The stack has no function that mints sessions.');
  const tags = { ...(tier === 'pool' && { TenantId: tenantId }), ...(userId !== undefined && { UserId: userId }) };
  const { Credentials } = assumed.parse(
    await cloud.kernel.call(minter, 'sts', 'AssumeRole', {
      RoleArn: `arn:aws:iam::${cloud.accountId}:role/cordon/${tier === 'pool' ? 'TenantReader' : `TenantAgent-${tenantId}`}`,
      RoleSessionName: userId === undefined ? tenantId : `${tenantId}.${userId}`,
      DurationSeconds: '900',
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
  const caller = cloud.kernel.callerOf(Credentials.AccessKeyId);
  if (caller === undefined) throw new Error('The session is not known.');
  return caller;
}

/** The fingerprint of the key that the credential's secret holds now, and its version. Rejects when there is none. */
export async function keyOf(
  { cloud }: TestCloud,
  tenant: LivingTenant,
  { credentialId }: LivingCredential,
  userId: string | undefined,
): Promise<{ readonly fingerprint: string; readonly versionId: string }> {
  const caller = await readerOf(cloud, tenant, userId);
  const input = { SecretId: `cordon/${tenant.tenantId}/${credentialId}` };
  const { SecretString, VersionId } = current.parse(await cloud.kernel.call(caller, 'secretsmanager', 'GetSecretValue', input));
  return { fingerprint: fingerprintOf(secretText.parse(JSON.parse(SecretString)).apiKey), versionId: VersionId };
}

/** Fingerprints that the provider takes now, of keys that Cordon has made for the tenant, by the credential that their name says. */
export function liveKeysOf(
  { cloud }: TestCloud,
  tenantId: string,
): readonly { readonly provider: string; readonly name: string; readonly fingerprint: string }[] {
  return Object.entries(cloud.world.simulators).flatMap(([provider, simulator]) =>
    simulator.liveKeys(provider === 'azure-openai' ? `cordon-${tenantId}/` : `${tenantId}.`).map((key) => ({ provider, ...key })),
  );
}

const page = z.object({ Items: z.array(z.custom<Item>()) });

/** What is on record of a tenant that day. */
export async function recordsOf(cloud: LocalCloud, tenantId: string, day: string): Promise<readonly Item[]> {
  const answer = await asRoot(cloud, 'dynamodb', 'Query', {
    TableName: cloud.outputs['AttributionTable'],
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `TENANT#${tenantId}#${day}` } },
  });
  return page.parse(answer).Items;
}
