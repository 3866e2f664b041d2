import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import type { Connection } from './connection.ts';
import { credentialChanges, plannedCredentials, rulesWith } from './credential-plan.ts';

/**
 * Writes the credentials that a connection stands for, and leads the tenant's use to them once the role is verified. May be repeated: what is there stays.
 *
 * @throws CordonError CONFLICT when somebody else writes at the same time, and as `Registry`
 */
export async function provideCredentials(
  { log }: Pick<ByocDeps, 'log'>,
  { registry }: Pick<ByocStores, 'registry'>,
  item: Connection,
): Promise<void> {
  const { tenantId, customerAccountId } = item;
  const tenant = await registry.tenant(tenantId);
  // An offboarded tenant is given nothing; its connections end with it.
  if (tenant?.status !== 'active') return;
  const known = await registry.credentials(tenantId);
  const taken = new Set<string>(known.filter((one) => one.connectionId !== customerAccountId).map((one) => one.credentialId));
  const all = plannedCredentials(item, tenant.tier);
  const planned = all.filter((one) => !taken.has(one.credentialId));
  // A credential that the tenant itself gave the name stays what it is; it may hold a secret.
  if (planned.length < all.length) log.warn('the name of a credential of a connection is taken', { tenantId, customerAccountId });
  const { add, change } = credentialChanges(planned, known, customerAccountId);
  for (const credential of add) await registry.addCredential(credential);
  for (const one of change) await registry.changeCredential(one.item, one.change);
  if (item.status !== 'active') return;
  const own = new Set<string>(
    [...known.filter((one) => one.connectionId === customerAccountId), ...planned].map((one) => one.credentialId),
  );
  const rules = rulesWith(tenant, planned, own);
  if (rules !== undefined) await registry.changeTenant(tenant, { rules, rulesVersion: tenant.rulesVersion + 1 });
}
