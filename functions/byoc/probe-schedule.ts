import { createHash } from 'node:crypto';
import type { Connection } from './connection.ts';

const minute = 60_000;
/** A little less than the sweep's own minute, or each run would be late by one sweep. */
const nextSweepMs = 55_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How long a role is waited for. */
export const patienceMs = day;
/** While somebody may be sitting in front of it, a role is looked for every minute, then every five. */
const eagerMs = 15 * minute;
/** Minutes until the next run after the first, second … in a row that came to no result. */
const backoffMinutes = [1, 2, 5, 15];

/** When a connection that is waited for is probed next, never later than when its time is over. Milliseconds since the epoch, as all here. */
export function nextWhilePending({ requestedUntil }: Pick<Connection, 'requestedUntil'>, now: number): number {
  const asked = requestedUntil - patienceMs;
  return Math.min(requestedUntil, now + (now < asked + eagerMs ? nextSweepMs : 5 * minute));
}

/** A role that was just verified is looked at again soon: who meant to weaken it after the check would do it now. */
export function nextAfterVerification(now: number): number {
  return now + 5 * minute;
}

/** A day later, give or take an hour that depends on the connection, so that what was connected together is not probed together. */
export function nextDaily({ tenantId, customerAccountId }: Pick<Connection, 'tenantId' | 'customerAccountId'>, now: number): number {
  const spread = createHash('sha256').update(`${tenantId}#${customerAccountId}`).digest().readUInt32BE(0) / 0x1_0000_0000;
  return now + day - hour + Math.floor(spread * 2 * hour);
}

/** @param setbacks runs in a row without a result, this one included */
export function nextAfterSetback(setbacks: number, now: number): number {
  return now + (backoffMinutes[Math.min(setbacks, backoffMinutes.length) - 1] ?? 1) * minute;
}
