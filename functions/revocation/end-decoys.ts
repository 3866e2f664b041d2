import { takeDecoysAway } from '../isolation/honey/take-decoys-away.ts';
import type { Revocation } from './revocation.ts';
import type { RevocationDeps, RevocationStores } from './revocation-deps.ts';

/**
 * Takes a dedicated tenant's decoys away with it.
 *
 * @throws CordonError as the stores
 */
export async function endDecoys(
  deps: Pick<RevocationDeps, 'honeyKey' | 'openVault'>,
  { registry }: Pick<RevocationStores, 'registry'>,
  { tenantId, action, scope }: Pick<Revocation, 'tenantId' | 'action' | 'scope'>,
): Promise<void> {
  if (action !== 'offboard' || scope !== 'tenant') return;
  const tenant = await registry.tenant(tenantId);
  if (tenant?.hasDecoys !== true) return;
  const vault = await deps.openVault({ tenantId, tier: tenant.tier });
  await takeDecoysAway(await deps.honeyKey(), tenantId, (credentialId) => vault.erase(tenantId, credentialId));
}
