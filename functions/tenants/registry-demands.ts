import { CordonError } from '../shared/errors.ts';
import type { WritePart } from '../shared/registry-items.dynamodb.ts';
import type { RegistryItem } from './registry.ts';

/** What has to be so of other items for one to be added. */
export type Demand = Extract<WritePart, { readonly unmet: CordonError }>;

/**
 * Nothing comes to be that was revoked before, or whose owner is suspended or gone: demanded in the very write that adds it, so that no revocation slips in
 * between. Pure.
 */
export function demandsOf(item: RegistryItem): readonly Demand[] {
  const { tenantId } = item;
  if (item.kind === 'TENANT') return [notRevoked('REVOKED#TENANT', `tenant ${tenantId} was revoked or offboarded before it was onboarded`)];
  const ofTenant: Demand = {
    demand: { status: ['active', 'provisioning'] },
    sk: 'TENANT',
    unmet: new CordonError('TENANT_NOT_ACTIVE', `tenant ${tenantId} is not active`, { retryable: true }),
  };
  if (item.kind === 'USER') {
    const { userId } = item;
    return [ofTenant, notRevoked(`REVOKED#USER#${userId}`, `user ${userId} was revoked or offboarded before they were onboarded`)];
  }
  const { credentialId, userId } = item;
  const known = notRevoked(`REVOKED#CREDENTIAL#${credentialId}`, `credential ${credentialId} was revoked before it was made`);
  if (userId === undefined) return [ofTenant, known];
  const ofUser: Demand = {
    demand: { status: ['active'] },
    sk: `USER#${userId}`,
    unmet: new CordonError('USER_UNKNOWN', `user ${userId} is not an active user`),
  };
  return [ofTenant, known, ofUser];
}

function notRevoked(sk: string, what: string): Demand {
  return { demand: 'not in force', sk, unmet: new CordonError('EVENT_CONTRADICTS', what) };
}
