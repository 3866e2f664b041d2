import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Registry, TenantItem } from './registry.ts';

/**
 * The tenant, if it is active.
 *
 * @throws CordonError TENANT_UNKNOWN or TENANT_NOT_ACTIVE, both retryable because events come out of order and the tenant's own may be on its way;
 *   TENANT_OFFBOARDED
 */
export async function activeTenant(registry: Pick<Registry, 'tenant'>, tenantId: TenantId): Promise<TenantItem> {
  const tenant = await registry.tenant(tenantId);
  if (!tenant) throw new CordonError('TENANT_UNKNOWN', `tenant ${tenantId} is not onboarded`, { retryable: true });
  if (tenant.status === 'offboarded')
    throw new CordonError('TENANT_OFFBOARDED', `tenant ${tenantId} was offboarded; its ID is not used again`);
  if (tenant.status !== 'active') throw new CordonError('TENANT_NOT_ACTIVE', `tenant ${tenantId} is ${tenant.status}`, { retryable: true });
  return tenant;
}
