/** The attribution log as Cordon's own code reads it, over midnight and whoever reads. */
import type { AttributionEntry } from '../../functions/attribution/attribution-entry.ts';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import type { AttributionQuery } from '../../functions/attribution/attribution-store.ts';
import { type AttributedUse, usesOf } from '../../functions/attribution/read-attribution.ts';
import { type CredentialId, isCredentialId, isTenantId, isUserId, type TenantId, type UserId } from '../../functions/shared/identifiers.ts';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import type { TestCloud } from './cloud.ts';

export function tenantIdOf(text: string): TenantId {
  if (!isTenantId(text)) throw new Error(`${text} is no tenant ID.`);
  return text;
}

export function credentialIdOf(text: string): CredentialId {
  if (!isCredentialId(text)) throw new Error(`${text} is no credential ID.`);
  return text;
}

export function userIdFrom(text: string): UserId {
  if (!isUserId(text)) throw new Error(`${text} is no user ID.`);
  return text;
}

export const storeFor = (test: TestCloud, who: AwsCredentials) =>
  createAttributionStore(test.clients(who).dynamodb, test.cloud.outputs['AttributionTable'] ?? '');

const dayMs = 86_400_000;
/** Today and yesterday by the cloud's clock: a test may run over midnight. */
export const daysOf = (test: TestCloud): readonly string[] =>
  [test.cloud.clock.now() - dayMs, test.cloud.clock.now()].map((ms) => new Date(ms).toISOString().slice(0, 10));

/** A tenant's entries, read by `who` in one query a day. Rejects when IAM refuses. */
export async function entriesOf(
  test: TestCloud,
  who: AwsCredentials,
  tenantId: string,
  of?: AttributionQuery['of'],
): Promise<readonly AttributionEntry[]> {
  const store = storeFor(test, who);
  const found: AttributionEntry[] = [];
  for (const day of daysOf(test)) found.push(...(await store.entries({ tenantId: tenantIdOf(tenantId), day, ...(of && { of }) })));
  return found;
}

/** What was done, read by a fresh auditor of the tenant. */
export async function usesBy(test: TestCloud, tenantId: string): Promise<readonly AttributedUse[]> {
  const auditor = await test.auditor(tenantId);
  return usesOf(await entriesOf(test, auditor, tenantId), test.cloud.clock.now());
}
