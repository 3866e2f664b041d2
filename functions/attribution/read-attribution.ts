import { decodeTime } from 'ulid';
import type { AttributionEntry, IntentEntry, Outcome, Proof } from './attribution-entry.ts';

/** One thing that was done, as it is known at the time of reading. */
export interface AttributedUse {
  readonly intent: IntentEntry;
  /** `pending`: may still be under way. `unknown`: it can no longer be, and nobody recorded how it ended. */
  readonly outcome: Outcome | { readonly result: 'pending' } | { readonly result: 'unknown' };
  /** The credential version used, which is sometimes only known afterwards. */
  readonly credentialVersion: string | undefined;
  /** Facts, with those that the work added. */
  readonly context: Readonly<Record<string, string>>;
  readonly proof: Proof | undefined;
}

/** Longer than the longest that any function can run (15 minutes), so that what has no outcome by then never will. */
const unknownAfterMs = 16 * 60_000;

/** Joins intents with their outcomes. `unknown` is never stored: it is what an intent without an outcome has become by `now` (milliseconds). */
export function usesOf(entries: readonly AttributionEntry[], now: number): readonly AttributedUse[] {
  const outcomes = new Map(entries.flatMap((entry) => (entry.kind === 'OUTCOME' ? [[entry.id, entry] as const] : [])));
  return entries.flatMap((intent) => {
    if (intent.kind !== 'INTENT') return [];
    const end = outcomes.get(intent.id);
    const outcome = end?.outcome ?? { result: now - decodeTime(intent.id) >= unknownAfterMs ? ('unknown' as const) : ('pending' as const) };
    const { credentialVersion, context } = { ...intent, ...end };
    return [{ intent, outcome, credentialVersion, context, proof: end?.proof }];
  });
}
