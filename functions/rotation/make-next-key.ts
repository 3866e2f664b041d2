import { storageKey } from '../credentials/storage-key.ts';
import { attemptOf, type CreatedKey, idleSlot, keyName } from '../providers/provider.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { type Change, created, oldKeys } from './rotation-changes.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { type KeyMaker, keyMakerOf, onRecord, stillHeld } from './work-on-keys.ts';

/**
 * Makes the key of the attempt that this run has begun, and stages it: nobody uses it yet. What an earlier attempt may have left at the provider is revoked before,
 * and in an emergency also what is to die anyway, which makes room where a provider allows few keys.
 *
 * @throws CordonError CONFLICT when the hold has ended meanwhile, and what provider, vault and attribution throw
 */
export async function makeNextKey(deps: RotationDeps, held: Held): Promise<Change> {
  const { item, tenant } = held;
  const { rotating, tenantId, credentialId, userId } = item;
  const maker = await keyMakerOf(deps, held);
  if (!rotating?.pending || !maker) throw new CordonError('ITEM_NOT_UNDERSTOOD', `credential ${credentialId} has no attempt to carry out`);
  const { attempt, versionId } = rotating.pending;
  // Opened first, so that a session that cannot be had costs no key.
  const vault = await deps.openVault({ tenantId, tier: tenant.tier, userId });
  if (rotating.reason === 'emergency') await revokeOldKeys(deps, held, maker);
  // Every attempt between the key in force and this one may have left something; where there was none, the provider is not asked.
  if (attempt - 1 !== item.keyAttempt) await revokeStrays(deps, held, maker, attempt);
  const made = await create(deps, held, maker, attempt, versionId);
  const place = { tenantId, credentialId, provider: item.provider, ...storageKey(deps.poolKeyArn, tenant, item) };
  await onRecord(deps, held, 'rotation.stage-key', { keyId: made.keyId }, async () => {
    const stored = await vault.stage(place, made.apiKey, versionId);
    return { value: undefined, credentialVersion: stored.versionId };
  });
  return created(rotating, deps.clock(), { keyId: made.keyId, ownerId: made.ownerId });
}

function create(deps: RotationDeps, held: Held, { provider, account }: KeyMaker, attempt: number, versionId: string): Promise<CreatedKey> {
  const { tenantId, credentialId, keyId } = held.item;
  const name = keyName(tenantId, credentialId, attempt);
  return onRecord(deps, held, 'rotation.create-key', { keyName: name }, async () => {
    const twoSlot = provider.capabilities.rotation === 'two-slot';
    if (twoSlot && !provider.regenerateSlot) throw new CordonError('PROVIDER_REFUSED', `keys for ${provider.name} cannot be rotated`);
    // What comes before the request itself, a token or a look for the owner, may take longer than the hold lasts.
    const request = { tenantId, credentialId, attempt, stillWanted: () => stillHeld(deps, held) };
    const value =
      twoSlot && provider.regenerateSlot
        ? await provider.regenerateSlot(account, idleSlot(keyId), request)
        : await provider.createKey(account, { ...request, mayExist: true });
    return { value, credentialVersion: versionId, context: { keyId: value.keyId } };
  });
}

/**
 * Revokes what earlier attempts have left: keys of this credential that are neither in force, nor the next, nor an old one that is still to be shown dead.
 *
 * @param below only keys of a smaller attempt: a later one is another worker's, whose hold then came after this one's
 */
export async function revokeStrays(deps: RotationDeps, held: Held, { provider, account }: KeyMaker, below: number): Promise<void> {
  const { item } = held;
  // Two slots have no names, and an item that does not know its own key could not tell it from a stray.
  if (provider.capabilities.rotation === 'two-slot' || item.keyId === undefined) return;
  const kept = keysOf(item);
  for (const key of await provider.listKeys(account, item.tenantId, item.credentialId)) {
    const attempt = attemptOf(key.name, item.tenantId, item.credentialId);
    if (attempt === undefined || attempt >= below || kept.has(key.keyId)) continue;
    await revokeKey(deps, held, { provider, account }, key.keyId);
  }
}

/** Revokes every key that is to die. Never the one in force, and of two slots never the one that it is in. */
export async function revokeOldKeys(deps: RotationDeps, held: Held, maker: KeyMaker): Promise<void> {
  const next = held.item.rotating?.pending?.keyId;
  const gone = new Set(oldKeys(held.item).flatMap(({ keyId }) => (keyId === undefined ? [] : [keyId])));
  for (const keyId of gone) if (keyId !== held.item.keyId && keyId !== next) await revokeKey(deps, held, maker, keyId);
}

export function revokeKey(deps: RotationDeps, held: Held, { provider, account }: KeyMaker, keyId: string): Promise<void> {
  const stillWanted = (): void => stillHeld(deps, held);
  return onRecord(deps, held, 'rotation.revoke-key', { keyId }, async () => ({
    value: await provider.revokeKey(account, keyId, stillWanted),
  }));
}

function keysOf(item: CredentialItem): ReadonlySet<string> {
  const keys = [item.keyId, item.rotating?.pending?.keyId, ...oldKeys(item).map(({ keyId }) => keyId)];
  return new Set(keys.flatMap((keyId) => (keyId === undefined ? [] : [keyId])));
}
