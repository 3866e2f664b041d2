/** @param ms milliseconds since the epoch */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

export function maybeTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : timeOf(ms);
}
