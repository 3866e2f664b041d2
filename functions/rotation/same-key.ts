import { readIfThere } from './end-old-keys.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { onRecord } from './work-on-keys.ts';

/**
 * Whether the customer handed over the key that was in force already: sealed anew because no answer had come, it is another ciphertext, and the door, which reads no
 * secret, took it for the next one.
 */
export function isSameKey(deps: RotationDeps, held: Held): Promise<boolean> {
  const { item, tenant } = held;
  const [inForce, before] = [item.secretVersionId, item.previous?.versionId];
  if (inForce === undefined || before === undefined) return Promise.resolve(false);
  return onRecord(deps, held, 'rotation.compare-keys', { previousVersionId: before }, async () => {
    const vault = await deps.openVault({ tenantId: item.tenantId, tier: tenant.tier, userId: item.userId });
    const now = await readIfThere(vault, item, inForce);
    const then = await readIfThere(vault, item, before);
    const same = now !== undefined && now.reveal() === then?.reveal();
    return { value: same, credentialVersion: inForce, context: { verdict: same ? 'the same' : 'another' } };
  });
}
