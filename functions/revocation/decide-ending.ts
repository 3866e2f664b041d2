import { probeMs, restMs, setbackMs } from '../rotation/rotation-schedule.ts';
import type { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { Ending } from './ending.ts';
import { mayHoldSecret, openVersions } from './ending-changes.ts';
import { confirmedWithinMs, reminderMs } from './ending-schedule.ts';

/** The next step of a credential's ending. What it does is in `carry-out-ending.ts`, what it writes in `ending-changes.ts`. */
export type EndingStep =
  /** Have the provider revoke the keys that are known. */
  | { readonly next: 'revoke' }
  /** Take every version out of use. */
  | { readonly next: 'takeOut' }
  /** Look for keys and versions that nobody knows of, now that nobody can make one any more. */
  | { readonly next: 'look' }
  /** Ask the provider about each key that it is not shown to refuse. */
  | { readonly next: 'confirm' }
  /** Every key is dead: the secret may go. */
  | { readonly next: 'conclude' }
  /** Write down what could not be shown. */
  | { readonly next: 'leaveOpen'; readonly problem: string }
  /** Publish it, and again daily. */
  | { readonly next: 'remind' }
  | { readonly next: 'close' }
  | { readonly next: 'erase' }
  /** Publish that the credential is ended. */
  | { readonly next: 'finish' }
  /** `problem` is why; `setback` when something failed, `probe` when the provider was asked in vain. */
  | { readonly next: 'wait'; readonly until: number; readonly problem?: string | undefined; readonly after?: 'setback' | 'probe' }
  /** Nothing is to be done, or nothing yet. */
  | { readonly next: 'rest' };

export type EndingWork = Exclude<EndingStep['next'], 'wait' | 'rest'>;

/** What this run has found out. */
export interface EndingSeen {
  /** Steps that this run has tried: none is tried twice. */
  readonly tried: ReadonlySet<EndingWork>;
  /** The first thing that failed. */
  readonly failure?: CordonError | undefined;
  /** What the provider says of a key that it does not refuse: it accepts it, or says nothing. */
  readonly answer?: 'accepted' | 'unknown' | undefined;
}

export const nothingSeen: EndingSeen = { tried: new Set() };

/** The next step for a revoked credential, from what is written down of it. Pure; `now` is in milliseconds since the epoch. */
export function decideEnding(item: CredentialItem, now: number, seen: EndingSeen): EndingStep {
  const { ending } = item;
  if (item.status !== 'revoked' || ending === undefined || ending.phase === 'ended' || now < ending.nextAt) return { next: 'rest' };
  const untried = (step: EndingWork): boolean => !seen.tried.has(step);
  if (ending.phase === 'deleting') {
    if (seen.failure !== undefined) return waitAfter(ending, now, seen);
    if (mayHoldSecret(item) && ending.deletedAt === undefined && untried('close')) return { next: 'close' };
    if (ending.deletedAt !== undefined && untried('erase')) return { next: 'erase' };
    return { next: 'finish' };
  }
  if (untried('revoke') && revocable(item, ending)) return { next: 'revoke' };
  // Not left for later when the provider is down: whoever reads the secret is to find no key.
  if (untried('takeOut') && ending.stagedOutAt === undefined && mayHoldSecret(item)) return { next: 'takeOut' };
  if (untried('look') && ending.straysAt === undefined && now >= ending.heldUntil) return { next: 'look' };
  const open = openVersions(ending).length > 0;
  const looked = ending.straysAt !== undefined || seen.tried.has('look');
  if (open && looked && untried('confirm') && seen.failure?.retryable !== true) return { next: 'confirm' };
  if (!open && ending.straysAt !== undefined) return untried('conclude') ? { next: 'conclude' } : waitAfter(ending, now, seen);
  if (ending.phase !== 'unconfirmed') {
    const isLate = now >= ending.since + confirmedWithinMs;
    if (untried('leaveOpen') && (isLate || isHopeless(item, ending, seen))) return { next: 'leaveOpen', problem: problemOf(seen) };
  } else if (untried('remind') && (ending.remindedAt === undefined || now >= ending.remindedAt + reminderMs)) return { next: 'remind' };
  return waitAfter(ending, now, seen);
}

/** Whether Cordon has made a key that the provider was not told to revoke yet. */
function revocable({ source }: CredentialItem, ending: Ending): boolean {
  return (
    source === 'platform-issued' && openVersions(ending).some(({ keyId, revokedAt }) => keyId !== undefined && revokedAt === undefined)
  );
}

/** Waiting a few minutes will not help: only the customer can revoke the key, nobody here can, or the provider does not say. */
function isHopeless(item: CredentialItem, ending: Ending, { failure, answer }: EndingSeen): boolean {
  if (answer === 'unknown' || (failure !== undefined && !failure.retryable)) return true;
  return answer === 'accepted' && (item.source !== 'platform-issued' || revocable(item, ending));
}

function problemOf({ failure, answer }: EndingSeen): string {
  if (failure !== undefined) return failure.code;
  if (answer === undefined) return 'CREDENTIAL_HELD';
  return answer === 'accepted' ? 'KEY_ACCEPTED' : 'KEY_UNKNOWN';
}

function waitAfter(ending: Ending, now: number, seen: EndingSeen): EndingStep {
  const { failure, answer } = seen;
  const { phase, setbacks, probes, since, heldUntil, remindedAt } = ending;
  const open = phase === 'unconfirmed';
  const problem = failure !== undefined || answer !== undefined ? problemOf(seen) : undefined;
  const asLate = (): number => {
    if (failure !== undefined) return Math.max(Math.min(setbackMs(setbacks + 1), restMs), (failure.retryAfterSeconds ?? 0) * 1000);
    if (answer !== undefined) return open ? restMs : probeMs(probes + 1);
    return Math.max(heldUntil - now, 0);
  };
  // Woken in time to say what could not be shown.
  const latest = phase === 'deleting' ? Number.POSITIVE_INFINITY : open ? (remindedAt ?? now) + reminderMs : since + confirmedWithinMs;
  const until = Math.max(Math.min(now + asLate(), latest), now + 1000);
  const after = failure !== undefined ? 'setback' : answer !== undefined ? 'probe' : undefined;
  return { next: 'wait', until, ...(problem !== undefined && { problem }), ...(after !== undefined && { after }) };
}
