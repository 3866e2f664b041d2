import type { DedicatedTier } from '../../../functions/tenants/dedicated-tier.ts';

export interface MemoryDedicatedTier extends DedicatedTier {
  readonly roles: ReadonlySet<string>;
  readonly keys: readonly { readonly tenantId: string; readonly keyArn: string }[];
}

/** Roles and keys in memory. Keys are made as often as they are asked for without looking, as KMS does. */
export function createMemoryDedicatedTier(): MemoryDedicatedTier {
  const roles = new Set<string>();
  const keys: { tenantId: string; keyArn: string }[] = [];
  return {
    roles,
    keys,
    async ensureRoles(tenantId) {
      roles.add(`TenantAgent-${tenantId}`);
      roles.add(`TenantAgent-${tenantId}.writer`);
    },
    async ensureKey(tenantId, mayExist) {
      const found = mayExist ? keys.find((key) => key.tenantId === tenantId) : undefined;
      if (found) return found.keyArn;
      const keyArn = `arn:aws:kms:us-east-1:111122223333:key/${keys.length + 1}`;
      keys.push({ tenantId, keyArn });
      return keyArn;
    },
  };
}
