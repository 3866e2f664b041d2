const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Longer than a call through the broker can last (15 minutes): no old key is retired sooner after it was replaced, but in an emergency. */
export const shortestGraceMs = 16 * minuteMs;
/** A provider that accepts the old key this long after it was told to revoke it is not waited for in silence any longer. */
export const provenWithinMs = dayMs;
/** A new key may take a moment to be known everywhere at the provider; after this long it is thrown away. */
export const acceptedWithinMs = 15 * minuteMs;
/** A customer, or an operator, is reminded this often. */
export const reminderMs = 7 * dayMs;
/** What waits for no time of its own is looked at again after this long. */
export const restMs = hourMs;

const afterSetback = [minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs] as const;
const longestSetbackMs = 6 * hourMs;
const afterProbe = [5 * secondMs, 30 * secondMs, 2 * minuteMs, 10 * minuteMs] as const;

/** How long a credential is left alone after so many runs in a row that failed on it: 1, 5, 15, 60 minutes, then 6 hours. */
export function setbackMs(setbacks: number): number {
  return afterSetback[setbacks - 1] ?? longestSetbackMs;
}

/** How long to wait after the provider has accepted a key that it is to refuse, or refused one that it is to accept, so many times: 5 s, 30 s, 2 min, 10 min, then 1 h. */
export function probeMs(probes: number): number {
  return afterProbe[Math.max(probes, 1) - 1] ?? hourMs;
}
