import { decoysOf, decoyValue, decoyVersionId } from '../isolation/honey/decoys.ts';
import { takeDecoysAway } from '../isolation/honey/take-decoys-away.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { SecretText } from '../shared/secret-text.ts';
import { activeTenant } from './active-tenant.ts';
import type { HoneyRequested } from './events.ts';
import type { TenantItem } from './registry.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

/**
 * Says which names are decoys of the tenant, to be planted where nobody but an intruder looks. A pool tenant's are names and nothing else. Of a dedicated tenant each is a secret as
 * well, tagged as any other, with a value that no provider takes: whoever lists the account's secrets finds it. They have no item in the registry, so nothing is ever done with them. Repeating
 * the event changes nothing.
 *
 * @throws CordonError TENANT_UNKNOWN | TENANT_NOT_ACTIVE | CONFLICT (retryable), TENANT_OFFBOARDED; and as the stores
 */
export async function plantDecoys(deps: TenantsDeps, detail: HoneyRequested): Promise<void> {
  const { tenantId, requestedBy } = detail;
  const { registry } = await deps.openStores(tenantId);
  const key = await deps.honeyKey();
  const decoys = decoysOf(key, tenantId);
  let stored: boolean;
  try {
    const tenant = await activeTenant(registry, tenantId);
    stored = tenant.tier === 'dedicated';
    if (stored) {
      await store(deps, registry, tenant, key);
      // Whoever has offboarded the tenant meanwhile may have looked for them before they were there.
      await activeTenant(registry, tenantId);
    }
  } catch (error) {
    if (error instanceof CordonError && error.code === 'TENANT_OFFBOARDED') await takeAway(deps, registry, tenantId, key);
    throw error;
  }
  await deps.announcer.announce('HoneyPlanted', {
    version: 1,
    tenantId,
    requestedBy,
    decoys: decoys.map((decoy) => ({ ...decoy, stored })),
  });
}

async function store({ openVault }: TenantsDeps, registry: TenantStores['registry'], tenant: TenantItem, key: SecretText): Promise<void> {
  const { tenantId, keyArn: kmsKeyArn } = tenant;
  if (kmsKeyArn === undefined) throw new CordonError('ITEM_NOT_UNDERSTOOD', 'a dedicated tenant without a key of its own');
  // Before the first is there: whatever becomes of this run, they are looked for when the tenant goes.
  if (tenant.hasDecoys !== true) await registry.changeTenant(tenant, { hasDecoys: true });
  const vault = await openVault({ tenantId, tier: 'dedicated' });
  for (const decoy of decoysOf(key, tenantId)) {
    const { credentialId, provider } = decoy;
    const place = { ...{ tenantId, credentialId, provider, kmsKeyArn }, ...({ tier: 'dedicated', environment: 'production' } as const) };
    await vault.store(place, decoyValue(key, tenantId, decoy), decoyVersionId(key, tenantId, decoy));
  }
}

/** What this run has stored, or one before it that came no further. */
async function takeAway(
  { openVault }: TenantsDeps,
  registry: TenantStores['registry'],
  tenantId: TenantId,
  key: SecretText,
): Promise<void> {
  if ((await registry.tenant(tenantId))?.hasDecoys !== true) return;
  const vault = await openVault({ tenantId, tier: 'dedicated' });
  await takeDecoysAway(key, tenantId, (credentialId) => vault.remove(tenantId, credentialId));
}
