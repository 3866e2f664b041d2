import { attemptOf, idleSlot, keyName } from '../providers/provider.ts';
import { CordonError } from '../shared/errors.ts';
import { versionIdOf } from '../tenants/provision-credential.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { dueAt } from '../tenants/rotation-plan.ts';
import type { Observations } from './decide-rotation.ts';
import { revokeKey } from './make-next-key.ts';
import { begun, oldKeys } from './rotation-changes.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { keyMakerOf, onRecord } from './work-on-keys.ts';

/**
 * Whether somebody else has written the credential since this run did: then it is theirs, and only what this run has made and nobody knows of is taken back. Does
 * not throw: what cannot be taken back now is found, by the attempt in its name, by the next run that retires a key or begins one.
 */
export async function isOvertaken(deps: RotationDeps, held: Held, { begunAttempt, strategy }: Observations): Promise<boolean> {
  const { tenantId, credentialId, version } = held.item;
  try {
    const current = await held.stores.registry.credential(tenantId, credentialId);
    if (current?.version === version) return false;
    deps.log.warn('a run was overtaken by another', { credentialId });
    if (!current || begunAttempt === undefined || knows(current, begunAttempt)) return true;
    if (strategy === 'two-slot' && current.status === 'revoked') await endSlot(deps, held);
    else if (strategy === 'two-slot') await mendSlot(deps, held, current);
    // What is only this run's own may be ended after its hold.
    else await takeBack(deps, { ...held, deadline: Number.POSITIVE_INFINITY }, current, begunAttempt);
    return true;
  } catch (error) {
    deps.log.error('what an overtaken run has made could not be taken back', error, { tenantId, credentialId });
    return true;
  }
}

/** Whether the attempt's key is in force, next or old: then it is not this run's to end. */
function knows(item: CredentialItem, attempt: number): boolean {
  const attempts = [item.keyAttempt, item.rotating?.pending?.attempt, ...oldKeys(item).map(({ keyAttempt }) => keyAttempt)];
  return attempts.includes(attempt);
}

/** The attempt's number is used by no one else, now or ever: keys of that name, and that version, are this run's own. */
async function takeBack(deps: RotationDeps, held: Held, current: CredentialItem, attempt: number): Promise<void> {
  const { tenantId, credentialId, userId } = held.item;
  const maker = await keyMakerOf(deps, held);
  if (!maker) return;
  for (const key of await maker.provider.listKeys(maker.account, tenantId, credentialId))
    if (attemptOf(key.name, tenantId, credentialId) === attempt) await revokeKey(deps, held, maker, key.keyId);
  // The secret of a revoked credential is on its way out, with every version in it.
  if (current.status === 'revoked') return;
  const versionId = versionIdOf(keyName(tenantId, credentialId, attempt));
  const vault = await deps.openVault({ tenantId, tier: held.tenant.tier, userId });
  await onRecord(deps, held, 'rotation.drop-version', { versionIds: versionId }, async () => ({
    value: await vault.drop(tenantId, credentialId, versionId),
  }));
}

/** Both slots of a revoked credential were renewed, so what a run has put into one of them later is thrown away once more; not when the slots are another credential's by now. */
async function endSlot(deps: RotationDeps, held: Held): Promise<void> {
  const { tenantId, credentialId, rotating, keyId } = held.item;
  const maker = rotating?.phase === 'creating' ? await keyMakerOf(deps, held) : undefined;
  if (!maker) return;
  const slot = idleSlot(keyId);
  const own = await maker.provider.listKeys(maker.account, tenantId, credentialId);
  if (own.some((one) => one.keyId === slot)) await revokeKey(deps, { ...held, deadline: Number.POSITIVE_INFINITY }, maker, slot);
}

/**
 * A slot has one value, so a run that renewed it late may have ended the key that another run has put into force from the same slot. That key is then replaced at
 * once from the other slot. Only a run that was still making its key can have done so.
 */
async function mendSlot(deps: RotationDeps, { item, stores }: Held, current: CredentialItem): Promise<void> {
  const slot = idleSlot(item.keyId);
  if (item.rotating?.phase !== 'creating' || (current.keyId !== slot && current.rotating?.pending?.keyId !== slot)) return;
  if (current.status !== 'active') return;
  const now = deps.clock();
  const occasion = {
    rotationId: deps.nextId(),
    reason: 'emergency',
    requestedBy: 'rotation',
    why: 'a late run renewed the slot in use',
  } as const;
  const pending = current.rotating?.pending !== undefined;
  if (pending && current.keyId !== slot) {
    // The next key is dead before it was in force: it is made again.
    const rotating = current.rotating && { ...current.rotating, phase: 'creating' as const, pending: undefined, proven: undefined };
    await stores.registry.changeCredential(current, { rotating, leaseUntil: 0, ...dueAt(current, now) });
    return;
  }
  try {
    await stores.registry.changeCredential(current, {
      ...begun(current, now, 'two-slot', occasion),
      leaseUntil: 0,
      ...dueAt(current, now),
    });
  } catch (error) {
    if (error instanceof CordonError && error.code === 'CONFLICT') deps.log.error('a slot was renewed late', error, { slot });
    throw error;
  }
}
