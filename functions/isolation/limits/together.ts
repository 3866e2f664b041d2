/**
 * Two times that are no further apart are "together", in milliseconds. It is also how often a tenant's being throttled is told at most, and the length of the windows
 * that it is kept by: two times that are together lie in the same window or in neighbours.
 */
export const togetherMs = 5000;

/** @param at milliseconds since the epoch */
export function windowOf(at: number): number {
  return Math.floor(at / togetherMs);
}

export function areTogether(a: number, b: number): boolean {
  return Math.abs(a - b) <= togetherMs;
}
