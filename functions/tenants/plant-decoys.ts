import { decoysOf, decoyValue, decoyVersionId } from '../isolation/honey/decoys.ts';
import { CordonError } from '../shared/errors.ts';
import { activeTenant } from './active-tenant.ts';
import type { HoneyRequested } from './events.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/**
 * Says which names are decoys of the tenant, to be planted where nobody but an intruder looks. A pool tenant's are names and nothing else. Of a dedicated tenant each is a secret as
 * well, tagged as any other, with a value that no provider takes: whoever lists the account's secrets finds it. They have no item in the registry, so nothing is ever done with them. Repeating
 * the event changes nothing.
 *
 * @throws CordonError TENANT_UNKNOWN | TENANT_NOT_ACTIVE | CONFLICT (retryable), TENANT_OFFBOARDED; and as the stores
 */
export async function plantDecoys(deps: TenantsDeps, { tenantId, requestedBy }: HoneyRequested): Promise<void> {
  const { registry } = await deps.openStores(tenantId);
  const tenant = await activeTenant(registry, tenantId);
  const key = await deps.honeyKey();
  const decoys = decoysOf(key, tenantId);
  const stored = tenant.tier === 'dedicated';
  if (stored) {
    const { keyArn: kmsKeyArn } = tenant;
    if (kmsKeyArn === undefined) throw new CordonError('ITEM_NOT_UNDERSTOOD', 'a dedicated tenant without a key of its own');
    // Before the first is there: whatever becomes of this run, they are looked for when the tenant goes.
    if (tenant.hasDecoys !== true) await registry.changeTenant(tenant, { hasDecoys: true });
    const vault = await deps.openVault({ tenantId, tier: 'dedicated' });
    for (const decoy of decoys) {
      const place = {
        tenantId,
        credentialId: decoy.credentialId,
        provider: decoy.provider,
        tier: 'dedicated',
        environment: 'production',
        kmsKeyArn,
      } as const;
      await vault.store(place, decoyValue(key, tenantId, decoy), decoyVersionId(key, tenantId, decoy));
    }
  }
  await deps.announcer.announce('HoneyPlanted', {
    version: 1,
    tenantId,
    requestedBy,
    decoys: decoys.map((decoy) => ({ ...decoy, stored })),
  });
}
