import type { RotationVault } from '../credentials/rotation-vault.ts';
import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { HeldVersion } from '../tenants/rotation-fields.ts';
import { revokeKey, revokeOldKeys, revokeStrays } from './make-next-key.ts';
import { type Change, givenUp, oldKeys } from './rotation-changes.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { type KeyMaker, keyMakerOf, onRecord } from './work-on-keys.ts';

/** Has the provider revoke the old keys, and whatever else attempts up to now have left. What a customer made is the customer's to revoke. */
export async function retireOldKeys(deps: RotationDeps, held: Held): Promise<void> {
  const maker = await keyMakerOf(deps, held);
  if (!maker) return;
  await revokeOldKeys(deps, held, maker);
  await revokeStrays(deps, held, maker, held.item.attempt + 1);
}

/** Asks the provider about every old key. True when it refuses them all: a key that is throttled or lacks a scope is a live one. */
export async function oldKeysRefused(deps: RotationDeps, held: Held): Promise<boolean> {
  const maker = await keyMakerOf(deps, held);
  const vault = await openVault(deps, held);
  for (const old of oldKeys(held.item)) if (!(await isRefused(deps, held, maker, vault, old))) return false;
  return true;
}

function isRefused(deps: RotationDeps, held: Held, maker: KeyMaker | undefined, vault: RotationVault, old: HeldVersion): Promise<boolean> {
  const { item } = held;
  return onRecord(deps, held, 'rotation.confirm-refused', { versionId: old.versionId }, async () => {
    const answer = (refused: boolean, verdict: string) => ({ value: refused, credentialVersion: old.versionId, context: { verdict } });
    const secret = await readIfThere(vault, item, old.versionId);
    if (secret === undefined) {
      // Secrets Manager has deleted a version that was out of use. Then the provider's own list is what can be asked; of a customer's key there is none.
      if (!maker) return answer(false, 'unknown');
      const listed = await maker.provider.listKeys(maker.account, item.tenantId, item.credentialId);
      const gone = !listed.some(({ keyId }) => keyId === old.keyId);
      return answer(gone, gone ? 'not listed' : 'listed');
    }
    if (maker) {
      const refused = await maker.provider.confirmRevoked(secret, maker.account);
      return answer(refused, refused ? 'refused' : 'accepted');
    }
    const verdict = await deps.tryCustomerKey(item, secret);
    return answer(verdict === 'refused', verdict);
  });
}

/** Undefined when the version is not there any more; what cannot be read for another reason is an error. */
export async function readIfThere(
  vault: RotationVault,
  { tenantId, credentialId }: CredentialItem,
  versionId: string,
): Promise<SecretText | undefined> {
  try {
    return await vault.readVersion(tenantId, credentialId, versionId);
  } catch (error) {
    if (!(error instanceof CordonError) || error.code !== 'AWS_REFUSED') throw error;
    const versions = await vault.versions(tenantId, credentialId);
    if (versions.some((one) => one.versionId === versionId)) throw error;
    return undefined;
  }
}

/** Takes every version but the current one out of use: their keys are dead, or nobody's. */
export async function dropOldVersions(deps: RotationDeps, held: Held): Promise<void> {
  const { tenantId, credentialId } = held.item;
  const vault = await openVault(deps, held);
  await onRecord(deps, held, 'rotation.drop-version', {}, async () => {
    const dropped = await vault.dropAllBut(tenantId, credentialId, []);
    return { value: undefined, context: { versionIds: dropped.join(' ') } };
  });
}

/** Throws the next key away: it is revoked before its version is dropped, so that a key that could still be used is never out of sight. */
export async function giveUpNextKey(deps: RotationDeps, held: Held): Promise<Change> {
  const { item } = held;
  const { rotating, tenantId, credentialId } = item;
  if (!rotating) return {};
  const { pending } = rotating;
  const maker = await keyMakerOf(deps, held);
  if (maker && pending) {
    if (pending.keyId !== undefined && pending.keyId !== item.keyId) await revokeKey(deps, held, maker, pending.keyId);
    const forgotten: Held = { ...held, item: { ...item, rotating: { ...rotating, pending: undefined } } };
    await revokeStrays(deps, forgotten, maker, item.attempt + 1);
    const vault = await openVault(deps, held);
    await onRecord(deps, held, 'rotation.drop-version', { versionIds: pending.versionId }, async () => ({
      value: await vault.drop(tenantId, credentialId, pending.versionId),
    }));
  }
  if (rotating.wish === 'cancel') return givenUp(item, rotating, deps.clock());
  return { rotating: { ...rotating, phase: 'creating', pending: undefined, proven: undefined, phaseSince: deps.clock() } };
}

function openVault(deps: RotationDeps, { item, tenant }: Held): Promise<RotationVault> {
  return deps.openVault({ tenantId: item.tenantId, tier: tenant.tier, userId: item.userId });
}
