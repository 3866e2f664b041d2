import type { CredentialItem } from '../tenants/registry.ts';
import type { Rotating, RotationPhase, RotationStrategy } from '../tenants/rotation-fields.ts';
import { rotationPlanOf } from '../tenants/rotation-plan.ts';
import { acceptedWithinMs, probeMs, provenWithinMs, reminderMs, restMs, shortestGraceMs } from './rotation-schedule.ts';

/** What a run knows besides the item. What it has not found out yet is undefined. */
export interface Observations {
  /** `waiting`: not active yet. `gone`: it will not be again. */
  readonly tenant: 'active' | 'waiting' | 'gone';
  readonly strategy: RotationStrategy;
  /** The attempt that this very run began: what an earlier run began may exist at the provider and is not gone on with. */
  readonly begunAttempt?: number | undefined;
  /** Whether the provider accepts the next key. */
  readonly nextAccepted?: boolean | undefined;
  /** Whether the old key's uses are over. */
  readonly drained?: boolean | undefined;
  /** Whether the provider refuses every old key. */
  readonly oldRefused?: boolean | undefined;
}

export type RetiredBy = NonNullable<Rotating['retiredBy']>;

/** The next step of a rotation. What it does is in the file named after it, what it writes in `rotation-changes.ts`. */
export type Step =
  /** Write down a new attempt, before anything is made. */
  | { readonly next: 'begin'; readonly reason: Rotating['reason'] }
  /** Make the key of the attempt and stage it. */
  | { readonly next: 'create' }
  /** Ask the customer for the next key, or ask again. */
  | { readonly next: 'ask' }
  | { readonly next: 'remind' }
  /** The customer handed over the next key: it is in force. */
  | { readonly next: 'adopt' }
  | { readonly next: 'prove' }
  | { readonly next: 'promote' }
  | { readonly next: 'rollback' }
  /** Publish what came into force. */
  | { readonly next: 'tell' }
  /** Ask attribution whether the old key is in use. */
  | { readonly next: 'observe' }
  /** From here on the old keys are no way back. */
  | { readonly next: 'retire'; readonly retiredBy: RetiredBy }
  | { readonly next: 'revoke' }
  | { readonly next: 'confirm' }
  | { readonly next: 'markUnproven' }
  | { readonly next: 'finish' }
  /** Throw the next key away. */
  | { readonly next: 'giveUp' }
  | { readonly next: 'wait'; readonly until: number }
  /** Nothing is scheduled any more. */
  | { readonly next: 'rest' };

/** The next step for a credential, from what is written down of it. Pure; `now` is in milliseconds since the epoch. */
export function decide(item: CredentialItem, now: number, seen: Observations): Step {
  const { rotating, previous } = item;
  // What is revoked, or its tenant's that is gone, is the revocation's to end, whatever of it a rotation has begun.
  if (seen.strategy === 'mint' || item.status !== 'active' || seen.tenant === 'gone') return { next: 'rest' };
  if (seen.tenant === 'waiting') return { next: 'wait', until: now + restMs };
  if (rotating === undefined) {
    if (previous !== undefined) return { next: 'adopt' };
    if (item.dueAt === undefined) return { next: 'rest' };
    return now < item.dueAt ? { next: 'wait', until: item.dueAt } : { next: 'begin', reason: 'schedule' };
  }
  return deciders[rotating.phase](item, rotating, now, seen);
}

const deciders: Readonly<Record<RotationPhase, (item: CredentialItem, rotating: Rotating, now: number, seen: Observations) => Step>> = {
  creating(item, rotating, now, { begunAttempt }) {
    const { wish, strategy, askedAt, remindedAt, pending, reason } = rotating;
    if (strategy === 'customer-next') {
      if (item.previous !== undefined) return { next: 'adopt' };
      if (wish === 'cancel') return { next: 'giveUp' };
      if (askedAt === undefined) return { next: 'ask' };
      const again = (remindedAt ?? askedAt) + reminderMs;
      return now < again ? { next: 'wait', until: again } : { next: 'remind' };
    }
    if (wish === 'cancel') return { next: 'giveUp' };
    return pending !== undefined && pending.attempt === begunAttempt ? { next: 'create' } : { next: 'begin', reason };
  },

  proving(item, { wish, proven, pending, phaseSince, reason, probes = 0 }, now, { nextAccepted }) {
    if (wish === 'cancel' || isRevoked(item, pending?.versionId)) return { next: 'giveUp' };
    if (proven !== true) {
      if (nextAccepted === undefined) return { next: 'prove' };
      const latest = phaseSince + acceptedWithinMs;
      return now < latest ? { next: 'wait', until: Math.min(now + probeMs(probes), latest) } : { next: 'giveUp' };
    }
    const { activateAt } = rotationPlanOf(item);
    const early = activateAt !== undefined && now < activateAt && reason !== 'emergency' && wish !== 'promote';
    return early ? { next: 'wait', until: activateAt } : { next: 'promote' };
  },

  grace(item, { wish, untold, reason, phaseSince, graceUntil }, now, { drained }) {
    // Nothing is said of what is about to be taken back.
    if (wish === 'rollback' && !isRevoked(item, item.previous?.versionId)) return { next: 'rollback' };
    if (untold !== undefined) return { next: 'tell' };
    if (reason === 'emergency') return { next: 'retire', retiredBy: 'emergency' };
    const earliest = phaseSince + shortestGraceMs;
    if (wish !== 'retire' && now < earliest) return { next: 'wait', until: earliest };
    const latest = Math.max(earliest, graceUntil ?? earliest);
    if (wish === 'retire' || now >= latest) return { next: 'retire', retiredBy: 'limit' };
    if (drained === undefined) return { next: 'observe' };
    return drained ? { next: 'retire', retiredBy: 'drained' } : { next: 'wait', until: Math.min(now + shortestGraceMs, latest) };
  },

  retiring(_item, { revoked, phaseSince, probes = 0 }, now, { oldRefused }) {
    if (revoked !== true) return { next: 'revoke' };
    if (oldRefused === undefined) return { next: 'confirm' };
    if (oldRefused) return { next: 'finish' };
    if (now >= phaseSince + provenWithinMs) return { next: 'markUnproven' };
    return { next: 'wait', until: Math.min(now + probeMs(probes), phaseSince + provenWithinMs) };
  },

  unproven(item, { since, phaseSince, remindedAt }, now, { oldRefused }) {
    if (now >= (item.rotatedAt ?? item.suppliedAt ?? since) + rotationPlanOf(item).everyMs) return { next: 'begin', reason: 'schedule' };
    if (oldRefused === undefined) return { next: 'confirm' };
    if (oldRefused) return { next: 'finish' };
    return now >= (remindedAt ?? phaseSince) + reminderMs ? { next: 'markUnproven' } : { next: 'wait', until: now + restMs };
  },
};

/** Whether that very version was revoked: it does not come into force, or back. */
export function isRevoked({ revokedVersionIds = [] }: Pick<CredentialItem, 'revokedVersionIds'>, versionId: string | undefined): boolean {
  return versionId !== undefined && revokedVersionIds.includes(versionId);
}
