import { areTogether, togetherMs } from './together.ts';

/** How far back two tenants are compared, in milliseconds. */
export const spanMs = 3_600_000;
/** Throttled again after less than this is the same bad moment going on, in milliseconds: it says nothing new. */
export const quietMs = 60_000;
/** The most that chance may have to do with it. In a busy cell a million pairs are compared in some days. Twice within an hour is never enough for it, three times hardly. */
const mostChance = 1e-6;

/** What makes two tenants suspicious of sharing a limit. */
export interface Suspicion {
  /** How often both ran into a limit within the same five seconds, and how often either did at all, in the hour. */
  readonly together: number;
  readonly ofFirst: number;
  readonly ofSecond: number;
  /** How probable it is that two limits of their own would have come to that. */
  readonly chance: number;
  /** Of the first tenant: when they did, in milliseconds since the epoch. */
  readonly moments: readonly number[];
}

/**
 * Whether two tenants share a provider's rate limit, as far as the moments tell at which they were throttled (milliseconds since the epoch, in any order).
 *
 * What counts is the beginning: that a tenant which was not throttled for a minute is throttled now. Whoever shares a limit is refused as soon as it is used up,
 * whoever used it up, so that both begin together, time after time. Two tenants with limits of their own, however busy, begin when they have used up their own.
 * Two things have to come together: it was so for half of all beginnings of the tenant with fewer of them, and chance would have done it less than once in a million.
 * What keeps time (jobs at each quarter of an hour) begins together too; it gives itself away in that it fits almost as well when one of the two is moved by some
 * minutes, and is left alone.
 *
 * @param except moments that say nothing of the two, because the provider throttled everybody
 * @returns undefined when there is nothing to be suspicious of
 */
export function sharedLimit(first: readonly number[], second: readonly number[], except: readonly number[] = []): Suspicion | undefined {
  const start = Math.max(...first, ...second) - spanMs;
  // Of all there is, and then the late ones: a bad moment that was under way when the hour began did not begin in it.
  const counts = (at: number): boolean => at > start && !except.some((moment) => areTogether(at, moment));
  const [ofFirst, ofSecond] = [beginnings(first).filter(counts), beginnings(second).filter(counts)];
  const [fewer, more] = ofFirst.length <= ofSecond.length ? [ofFirst, ofSecond] : [ofSecond, ofFirst];
  const together = fits(fewer, more, 0);
  if (together * 2 < fewer.length) return undefined;
  const all = [...fewer, ...more];
  const chance = tail(fewer.length, together, (more.length * 2 * togetherMs) / (Math.max(...all) - Math.min(...all)));
  if (chance > mostChance || keepsTime(fewer, more, together)) return undefined;
  const moments = ofFirst.filter((at) => ofSecond.some((other) => areTogether(at, other)));
  return { together, ofFirst: ofFirst.length, ofSecond: ofSecond.length, chance, moments };
}

/** When being throttled began, each time. */
export function beginnings(times: readonly number[]): readonly number[] {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.filter((at, index) => at - (sorted[index - 1] ?? Number.NEGATIVE_INFINITY) > quietMs);
}

/** How many of `few` are together with one of `many` when these are moved by so many milliseconds. */
function fits(few: readonly number[], many: readonly number[], moved: number): number {
  return few.filter((at) => many.some((other) => areTogether(at, other + moved))).length;
}

/** Whether more than half as many fit when one of the two is moved, by up to half of the span. */
function keepsTime(few: readonly number[], many: readonly number[], together: number): boolean {
  for (let moved = quietMs; moved <= spanMs / 2; moved += togetherMs) if (fits(few, many, moved) * 2 > together) return true;
  return false;
}

/** How probable it is that of `n` beginnings, each together with one of the other tenant's with probability `p`, `k` or more are (the tail of the binomial distribution). */
function tail(n: number, k: number, p: number): number {
  if (p >= 1) return 1;
  let [term, sum] = [(1 - p) ** n, 0];
  for (let successes = 0; successes <= n; successes += 1) {
    if (successes >= k) sum += term;
    term *= ((n - successes) / (successes + 1)) * (p / (1 - p));
  }
  return sum;
}
