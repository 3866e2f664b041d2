import type { NewRevocation, Revocation } from './revocation.ts';

/** What a run has found out of the credentials that a revocation ends, or of the version. */
export interface Tally {
  readonly credentials: number;
  readonly versions: number;
  readonly confirmed: number;
  readonly unconfirmed: number;
  /** Credentials that are not ended yet, whatever they wait for. */
  readonly open: number;
  /** When the first of them is to be looked at again. Milliseconds since the epoch. */
  readonly nextAt: number | undefined;
}

/** The next step of a revocation that is in force. What it does is in `advance-revocation.ts`. */
export type Step =
  /** Put it on record and publish that it is in force. */
  | { readonly next: 'tell' }
  /** Have the STS sessions cut off that were issued before. */
  | { readonly next: 'cutOff' }
  /** Write of every credential of the scope that it is ended. */
  | { readonly next: 'mark' }
  /** Have the revoked version replaced, or retired. */
  | { readonly next: 'replace' }
  | { readonly next: 'endConnections' }
  /** Advance what becomes of the credentials, and see how far the cut-off is. */
  | { readonly next: 'advance' }
  /** All that is left is what a provider does not confirm: a certificate says so, and it goes on being asked about. */
  | { readonly next: 'leaveOpen' }
  | { readonly next: 'finish' }
  | { readonly next: 'wait'; readonly until: number }
  | { readonly next: 'rest' };

/** No session of a role of Cordon's lasts longer: after that there is nothing left to cut off. Source: IAM User Guide, "Maximum session duration": an hour unless a role says otherwise. */
export const longestSessionMs = 3_600_000;
/** How often it is looked whether IAM has the cut-off. */
const cutOffPollMs = 1000;

/** Whether STS sessions are cut off by it. */
export function cutsOff({ action, scope }: Pick<Revocation, 'action' | 'scope'>): boolean {
  return action !== 'reinstate' && (scope === 'tenant' || scope === 'user');
}

/** Whether it ends credentials. */
export function ends({ action, scope }: Pick<Revocation, 'action' | 'scope'>): boolean {
  return (action === 'revoke' || action === 'offboard') && (scope === 'tenant' || scope === 'user' || scope === 'credential');
}

/** What is written of a tally. */
export function counted(tally: Tally | undefined): Partial<NewRevocation> {
  if (tally === undefined) return {};
  const { credentials, versions, confirmed, unconfirmed } = tally;
  return { counts: { credentials, versions, confirmed, unconfirmed } };
}

/** The next step. Pure; `now` is in milliseconds since the epoch. `tally` is undefined until this run has looked. */
export function decideRevocation(item: Revocation, now: number, tally: Tally | undefined): Step {
  if (item.status === 'done') return { next: 'rest' };
  if (!item.told) return { next: 'tell' };
  if (cutsOff(item) && item.cutOff === undefined) return { next: 'cutOff' };
  if (ends(item) && !item.marked) return { next: 'mark' };
  if (item.scope === 'version' && item.replacementAsked !== true) return { next: 'replace' };
  if (ends(item) && item.scope === 'tenant' && item.connectionsEnded !== true) return { next: 'endConnections' };
  if (tally === undefined) return { next: 'advance' };
  const cutOffOpen = item.cutOff !== undefined && item.cutOff.appliedAt === undefined && item.cutOff.endedAt === undefined;
  if (tally.open === 0) return cutOffOpen ? { next: 'wait', until: now + cutOffPollMs } : { next: 'finish' };
  const onlyUnconfirmed = !cutOffOpen && tally.open === tally.unconfirmed;
  if (onlyUnconfirmed && item.status !== 'unconfirmed') return { next: 'leaveOpen' };
  const nextAt = tally.nextAt ?? now;
  return { next: 'wait', until: Math.max(now, cutOffOpen ? Math.min(nextAt, now + cutOffPollMs) : nextAt) };
}
