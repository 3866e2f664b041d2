import { decoysOf } from '../isolation/honey/decoys.ts';
import { CordonError } from '../shared/errors.ts';
import type { Revocation } from './revocation.ts';
import type { RevocationDeps, RevocationStores } from './revocation-deps.ts';

/**
 * Takes a dedicated tenant's decoys away with it. They are no credentials: nothing was ever at a provider, nothing is said of them, and no certificate counts them.
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
  for (const { credentialId } of decoysOf(await deps.honeyKey(), tenantId)) {
    try {
      await vault.erase(tenantId, credentialId);
    } catch (error) {
      // What IAM answers when the secret is gone already: there is no tag to compare.
      if (!(error instanceof CordonError) || error.code !== 'ACCESS_REFUSED') throw error;
    }
  }
}
