/** Reads of the vault through Cordon's own code, each between its INTENT and its OUTCOME; IAM refuses what crosses the line, and that is on record. */
import { ulid } from 'ulid';
import { attributed } from '../../functions/attribution/attributed.ts';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import { type AttributedUse, usesOf } from '../../functions/attribution/read-attribution.ts';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import { isCredentialId, isTenantId } from '../../functions/shared/identifiers.ts';
import type { AwsClients } from '../aws-clients.ts';
import type { LocalCloud } from '../cloud.ts';

export interface AttributedRead {
  /** Whose session reads. */
  readonly as: string;
  /** Whose secret, and which. */
  readonly tenantId: string;
  readonly credentialId: string;
}

/** Answers how the read ended: `succeeded`, or the code of the refusal. The secret itself is dropped at once. */
export async function attributedRead(cloud: LocalCloud, clients: AwsClients, read: AttributedRead): Promise<string> {
  const { as, tenantId, credentialId } = read;
  if (!isTenantId(as) || !isTenantId(tenantId) || !isCredentialId(credentialId))
    throw new Error(`${as}: ${tenantId}/${credentialId} are no IDs.`);
  const now = (): number => cloud.clock.now();
  const store = createAttributionStore(clients.dynamodb, cloud.outputs['AttributionTable'] ?? '');
  const vault = createVault(clients.secretsmanager);
  const intent = {
    tenantId: as,
    actor: { function: 'demonstration' },
    credentialId,
    provider: 'openai',
    operation: 'vault.read',
    context: { secret: `cordon/${tenantId}/${credentialId}` },
  };
  try {
    return await attributed({ store, clock: now, nextId: () => ulid(now()) }, intent, async () => {
      const { versionId } = await vault.read(tenantId, credentialId);
      return { value: 'succeeded', credentialVersion: versionId };
    });
  } catch (error) {
    if (error instanceof CordonError) return error.code;
    throw error;
  }
}

/** A tenant's uses of today, oldest first, read with an auditor's session of that tenant. */
export async function auditedUses(cloud: LocalCloud, auditor: AwsClients, tenantId: string): Promise<readonly AttributedUse[]> {
  if (!isTenantId(tenantId)) throw new Error(`${tenantId} is no tenant ID.`);
  const now = cloud.clock.now();
  const store = createAttributionStore(auditor.dynamodb, cloud.outputs['AttributionTable'] ?? '');
  return usesOf(await store.entries({ tenantId, day: new Date(now).toISOString().slice(0, 10) }), now);
}
