import { secretName } from '../credentials/vault.ts';
import type { Caller } from './caller.ts';
import type { CredentialFacts } from './catalogue.ts';
import { IsolationViolation } from './unavailable.ts';

/**
 * A credential is used for its owner and nobody else: whatever it was chosen by, its own item has the last word. IAM keeps other tenants' items away; one that lies in the wrong place has
 * been put there.
 *
 * @throws IsolationViolation CROSS_TENANT_USE
 */
export function demandOwner(credential: CredentialFacts, { tenantId, userId }: Pick<Caller, 'tenantId' | 'userId'>): void {
  const isAnothers = credential.strayFrom !== undefined || (credential.userId !== undefined && credential.userId !== userId);
  if (!isAnothers) return;
  const resource = secretName(tenantId, credential.credentialId);
  throw new IsolationViolation({ operation: 'cordon:UseCredential', resource }, undefined, 'CROSS_TENANT_USE');
}
