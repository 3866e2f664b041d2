import { describe, expect, it } from 'vitest';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { DedicatedTier } from '../../functions/tenants/dedicated-tier.ts';

const acme = tenantId.parse('acme');

/** What whoever makes a dedicated tenant's own things does. */
export function dedicatedTierContract(
  name: string,
  make: () => Promise<{ tier: DedicatedTier; rolesOf: (id: string) => Promise<readonly string[]> }>,
): void {
  describe(`I4 ${name} as the dedicated tier`, () => {
    it("makes the tenant's two roles, and again without complaint", async () => {
      const { tier, rolesOf } = await make();
      await tier.ensureRoles(acme);
      await tier.ensureRoles(acme);
      expect(await rolesOf('acme')).toEqual(['TenantAgent-acme', 'TenantAgent-acme.writer']);
    });

    it("makes the tenant's key, and finds it when it may exist", async () => {
      const { tier } = await make();
      await tier.ensureRoles(acme);
      const keyArn = await tier.ensureKey(acme, false);
      expect(keyArn).toMatch(/^arn:aws:kms:/);
      expect(await tier.ensureKey(acme, true)).toBe(keyArn);
      expect(await tier.ensureKey(tenantId.parse('acme-2'), true)).not.toBe(keyArn);
    });
  });
}
