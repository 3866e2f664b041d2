import type { TenantId } from '../shared/identifiers.ts';

/** What a dedicated tenant has of its own. Both operations may be repeated; what is there already is taken up. */
export interface DedicatedTier {
  /**
   * Makes the tenant's reader and writer role.
   *
   * @throws CordonError AWS_REFUSED when a role of that name exists that is not this tenant's; ACCESS_REFUSED | AWS_UNAVAILABLE
   */
  ensureRoles(tenantId: TenantId): Promise<void>;
  /**
   * Makes the tenant's key.
   *
   * @param mayExist true when an earlier attempt may have made it: then it is looked for first, by its alias and by its tag
   * @returns the key's ARN
   */
  ensureKey(tenantId: TenantId, mayExist: boolean): Promise<string>;
}

/** `TenantAgent-{tenantId}` reads, `TenantAgent-{tenantId}.writer` writes. No tenant ID holds a dot, so no reader has another's writer's name. */
export function dedicatedRoleNames(tenantId: TenantId): { reader: string; writer: string } {
  return { reader: `TenantAgent-${tenantId}`, writer: `TenantAgent-${tenantId}.writer` };
}
