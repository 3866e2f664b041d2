import { keyName } from '../providers/provider.ts';
import { versionIdOf } from '../tenants/provision-credential.ts';
import type { CredentialItem, NewCredential } from '../tenants/registry.ts';
import type { HeldVersion, Rotating, RotationStrategy } from '../tenants/rotation-fields.ts';
import { type Due, rotationPlanOf, scheduledDue } from '../tenants/rotation-plan.ts';
import type { RetiredBy } from './decide-rotation.ts';
import { shortestGraceMs } from './rotation-schedule.ts';

/** What each step writes. All pure; `now` is in milliseconds since the epoch. */
export type Change = Partial<NewCredential>;

/** What a new rotation is known by. */
export type Occasion = Pick<Rotating, 'rotationId' | 'reason' | 'requestedBy' | 'why'>;

/** Members of a phase that the next one starts without. */
const fresh = { setbacks: 0, probes: undefined, wish: undefined, remindedAt: undefined } as const;

/** The keys that are to die, the latest in force first. */
export function oldKeys({ previous, rotating }: Pick<CredentialItem, 'previous' | 'rotating'>): readonly HeldVersion[] {
  return [...(previous === undefined ? [] : [previous]), ...(rotating?.older ?? [])];
}

/**
 * A new attempt: of a new rotation, or, while a key is being made, of the one under way. The attempt only ever rises and is in the key's name, so that whatever an
 * earlier one has left can be told from what is in use.
 */
export function begun(item: CredentialItem, now: number, strategy: RotationStrategy, occasion: Occasion): Change {
  const same = item.rotating?.phase === 'creating' ? item.rotating : undefined;
  const attempt = item.attempt + 1;
  const versionId = versionIdOf(keyName(item.tenantId, item.credentialId, attempt));
  const older = same ? (same.older ?? []) : oldKeys(item);
  return {
    // The number is also the door's, which tells supplies apart by it.
    ...(strategy !== 'customer-next' && { attempt }),
    ...(!same && { previous: undefined }),
    ...(occasion.reason === 'emergency' && { diverted: true }),
    rotating: {
      ...{ since: now, phaseSince: now, setbacks: 0 },
      ...same,
      ...occasion,
      ...{ phase: 'creating', strategy },
      ...(older.length > 0 && { older: [...older] }),
      ...(strategy !== 'customer-next' && { pending: { versionId, attempt } }),
    },
  };
}

export function created(rotating: Rotating, now: number, made: { readonly keyId: string; readonly ownerId: string }): Change {
  const { pending } = rotating;
  return {
    rotating: {
      ...rotating,
      // It counts on while keys are made in vain.
      setbacks: rotating.setbacks,
      probes: undefined,
      phase: 'proving',
      phaseSince: now,
      ...(pending && { pending: { ...pending, ...made } }),
    },
  };
}

/** The next key is in force. */
export function promoted(item: CredentialItem, rotating: Rotating, now: number): Change {
  const { pending } = rotating;
  if (!pending) return {};
  return {
    secretVersionId: pending.versionId,
    keyId: pending.keyId,
    ownerId: pending.ownerId,
    keyAttempt: pending.attempt,
    previous: versionInForce(item),
    rotatedAt: now,
    diverted: undefined,
    rotating: inGrace(item, { ...rotating, untold: 'rotated' }, now),
  };
}

/** The customer's next key is in force since the door took it in. */
export function adopted(item: CredentialItem, now: number, occasion: Occasion): Change {
  const known = item.rotating ?? { ...occasion, phase: 'creating', strategy: 'customer-next', since: now, phaseSince: now, setbacks: 0 };
  return { rotatedAt: now, diverted: undefined, rotating: inGrace(item, { ...known, untold: 'rotated' }, now) };
}

/** The customer's next key is the one that was in force: nothing is old, and whoever has asked for another one waits for it still. */
export function handedOverAgain(item: CredentialItem, now: number): Change {
  return item.rotating ? { previous: undefined } : finished(item, now);
}

/** The key before is in force again, and the one that took its place is to go. */
export function rolledBack(item: CredentialItem, rotating: Rotating, now: number): Change {
  const { previous } = item;
  if (!previous) return {};
  return {
    secretVersionId: previous.versionId,
    keyId: previous.keyId,
    ownerId: previous.ownerId,
    keyAttempt: previous.keyAttempt,
    previous: versionInForce(item),
    rotating: inGrace(item, { ...rotating, untold: 'rolled-back' }, now),
  };
}

function inGrace(item: CredentialItem, rotating: Rotating, now: number): Rotating {
  const graceUntil = now + Math.max(rotationPlanOf(item).graceMs, shortestGraceMs);
  return { ...rotating, ...fresh, phase: 'grace', phaseSince: now, graceUntil, pending: undefined, proven: undefined };
}

function versionInForce({ secretVersionId = '', keyId, ownerId, keyAttempt }: CredentialItem): HeldVersion {
  return { versionId: secretVersionId, keyId, ownerId, keyAttempt };
}

export function retiring(rotating: Rotating, now: number, retiredBy: RetiredBy): Change {
  return { rotating: { ...rotating, ...fresh, phase: 'retiring', phaseSince: now, retiredBy, revoked: undefined } };
}

/** @param now when it was said; the time of its being unproven goes on */
export function unproven(rotating: Rotating, now: number): Change {
  const phaseSince = rotating.phase === 'unproven' ? rotating.phaseSince : now;
  return { rotating: { ...rotating, phase: 'unproven', phaseSince, remindedAt: now } };
}

export function finished(item: CredentialItem, now: number): Change {
  return { previous: undefined, ...idle(item, now) };
}

/** Back to the key in force. Old keys of a rotation before, which this one has cut short, are still to go. */
export function givenUp(item: CredentialItem, rotating: Rotating, now: number): Change {
  const [previous, ...older] = rotating.older ?? [];
  if (!previous) return { diverted: undefined, ...idle(item, now) };
  return {
    diverted: undefined,
    previous,
    rotating: { ...inGrace(item, rotating, now), reason: 'requested', graceUntil: now, older: older.length > 0 ? older : undefined },
  };
}

function idle(item: CredentialItem, now: number): Pick<CredentialItem, 'rotating'> & Due {
  const due = scheduledDue(item, item.rotatedAt ?? now);
  return { rotating: undefined, ...(due.dueAt !== undefined && due.dueAt <= now ? scheduledDue(item, now) : due) };
}
