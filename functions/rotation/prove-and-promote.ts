import { CordonError } from '../shared/errors.ts';
import { type Change, promoted, rolledBack } from './rotation-changes.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { keyMakerOf, onRecord } from './work-on-keys.ts';

/**
 * Asks the provider about the staged key, as it was stored and not as it was made: what is promoted is what was tried.
 *
 * @returns whether the provider accepts it
 */
export async function proveNextKey(deps: RotationDeps, held: Held): Promise<boolean> {
  const { tenantId, credentialId, userId, rotating } = held.item;
  const maker = await keyMakerOf(deps, held);
  const versionId = rotating?.pending?.versionId;
  if (!maker || versionId === undefined) throw new CordonError('ITEM_NOT_UNDERSTOOD', `credential ${credentialId} has no key to prove`);
  const vault = await deps.openVault({ tenantId, tier: held.tenant.tier, userId });
  return onRecord(deps, held, 'rotation.validate-key', { versionId }, async () => {
    const verdict = await maker.provider.validateKey(await vault.readVersion(tenantId, credentialId, versionId), maker.account);
    return { value: verdict === 'valid', credentialVersion: versionId, context: { verdict } };
  });
}

/**
 * Makes the staged version the current one. The hold was written by this run, so no other has begun since, and the label is taken from the version that is in force
 * as far as this run knows: a worker that is late fails at one or the other.
 */
export async function promoteNextKey(deps: RotationDeps, held: Held): Promise<Change> {
  const { rotating } = held.item;
  const to = rotating?.pending?.versionId;
  if (!rotating || to === undefined)
    throw new CordonError('ITEM_NOT_UNDERSTOOD', `credential ${held.item.credentialId} has nothing to promote`);
  await moveCurrent(deps, held, 'rotation.promote', to);
  return promoted(held.item, rotating, deps.clock());
}

/** Makes the version before the current one again. Its key is alive: nothing was revoked while the rotation is in its grace. */
export async function rollBack(deps: RotationDeps, held: Held): Promise<Change> {
  const { rotating, previous } = held.item;
  if (!rotating || !previous)
    throw new CordonError('ITEM_NOT_UNDERSTOOD', `credential ${held.item.credentialId} has no version to go back to`);
  await moveCurrent(deps, held, 'rotation.rollback', previous.versionId);
  return rolledBack(held.item, rotating, deps.clock());
}

async function moveCurrent(deps: RotationDeps, held: Held, operation: string, to: string): Promise<void> {
  const { tenantId, credentialId, userId, secretVersionId: from = '' } = held.item;
  const vault = await deps.openVault({ tenantId, tier: held.tenant.tier, userId });
  await onRecord(deps, held, operation, { fromVersionId: from }, async () => {
    await vault.promote(tenantId, credentialId, { to, from });
    return { value: undefined, credentialVersion: to };
  });
}
