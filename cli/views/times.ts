/** ISO 8601 of milliseconds since the epoch. */
export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | undefined;
export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
