import { isDrained } from '../attribution/version-uses.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { Rotating } from '../tenants/rotation-fields.ts';
import { announceInForce, announceNext, announceRetired, announceUnproven } from './announce-rotation.ts';
import type { Observations, Step } from './decide-rotation.ts';
import { dropOldVersions, giveUpNextKey, oldKeysRefused, retireOldKeys } from './end-old-keys.ts';
import { makeNextKey } from './make-next-key.ts';
import { promoteNextKey, proveNextKey, rollBack } from './prove-and-promote.ts';
import { adopted, begun, type Change, finished, handedOverAgain, type Occasion, retiring, unproven } from './rotation-changes.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { shortestGraceMs } from './rotation-schedule.ts';
import { isSameKey } from './same-key.ts';

/** What a step has come to. */
export interface Outcome {
  /** To be written before anything else is done. */
  readonly change?: Change;
  /** Need not be written by itself: the next write carries it, and without it the step is repeated, which does no harm. */
  readonly note?: Partial<Rotating>;
  readonly seen?: Partial<Observations>;
}

export type Carried = Exclude<Step, { readonly next: 'wait' | 'rest' }>;

/** Who or what a rotation is for, when it was not asked for by an event. */
export function occasionOf(deps: Pick<RotationDeps, 'nextId'>, { rotating }: CredentialItem, step: Carried): Occasion {
  if (rotating?.phase === 'creating') {
    const { rotationId, reason, requestedBy, why } = rotating;
    return { rotationId, reason, requestedBy, why };
  }
  const rotationId = deps.nextId();
  return step.next === 'begin'
    ? { rotationId, reason: step.reason, requestedBy: 'schedule' }
    : { rotationId, reason: 'requested', requestedBy: 'customer' };
}

/** Does one step for a credential that this run holds. Each may be repeated after any interruption. Throws CordonError. */
export async function carryOut(deps: RotationDeps, held: Held, step: Carried, seen: Observations): Promise<Outcome> {
  const { item, stores } = held;
  const { rotating, previous } = item;
  const now = deps.clock();
  if (step.next === 'begin') {
    const change = begun(item, now, seen.strategy, occasionOf(deps, item, step));
    return { change, seen: { begunAttempt: change.rotating?.pending?.attempt } };
  }
  if (step.next === 'adopt') {
    const occasion = occasionOf(deps, item, step);
    // In an emergency the key is to go, and that the provider still accepts it is told as such.
    const isAnother = occasion.reason === 'emergency' || !(await isSameKey(deps, held));
    return { change: isAnother ? adopted(item, now, occasion) : handedOverAgain(item, now) };
  }
  if (!rotating) throw new CordonError('ITEM_NOT_UNDERSTOOD', `credential ${item.credentialId} is in no rotation`);
  switch (step.next) {
    case 'create':
      return { change: await makeNextKey(deps, held) };
    case 'ask':
      await announceNext(deps, item);
      return { note: { askedAt: now } };
    case 'remind':
      await announceNext(deps, item);
      return { note: { remindedAt: now } };
    case 'prove': {
      const nextAccepted = await proveNextKey(deps, held);
      // Written also because that shows, right before promoting, that nobody else has taken over.
      if (nextAccepted) return { change: { rotating: { ...rotating, proven: true } }, seen: { nextAccepted } };
      return { note: { probes: (rotating.probes ?? 0) + 1 }, seen: { nextAccepted } };
    }
    case 'promote':
      return { change: await promoteNextKey(deps, held) };
    case 'rollback':
      return { change: await rollBack(deps, held) };
    case 'tell':
      await announceInForce(deps, item);
      return { note: { untold: undefined } };
    case 'observe': {
      const { tenantId, credentialId } = item;
      const use = await stores.uses.usesOf(tenantId, credentialId, previous?.versionId ?? '', now - shortestGraceMs);
      return { seen: { drained: isDrained(use, now) } };
    }
    case 'retire':
      return { change: retiring(rotating, now, step.retiredBy) };
    case 'revoke':
      await retireOldKeys(deps, held);
      return { note: { revoked: true } };
    case 'confirm': {
      const oldRefused = await oldKeysRefused(deps, held);
      return { seen: { oldRefused }, ...(!oldRefused && { note: { probes: (rotating.probes ?? 0) + 1 } }) };
    }
    case 'markUnproven': {
      const change = unproven(rotating, now);
      await announceUnproven(deps, { ...item, ...change });
      return { change };
    }
    case 'finish':
      await dropOldVersions(deps, held);
      await announceRetired(deps, item);
      return { change: finished(item, now) };
    case 'giveUp':
      return { change: await giveUpNextKey(deps, held) };
  }
}
