import { z } from 'zod';
import { tenantId, userId } from '../../shared/identifier-fields.ts';

/** A cut-off as it is kept. Times are milliseconds since the epoch. */
export const cutOffEntry = z.object({
  id: z.string().min(1),
  tenantId,
  userId: userId.optional(),
  before: z.int(),
  requestedAt: z.int(),
  /** Since when the policy that IAM has covers it. */
  appliedAt: z.int().optional(),
  policyVersionId: z.string().optional(),
});
export type CutOffEntry = z.infer<typeof cutOffEntry>;

/** As long as a session of any role of Cordon can be: none allows more than IAM's default (`MaxSessionDuration` of one hour), and a chained session is no longer either. */
const longestSessionMs = 3_600_000;
/** Clocks differ, and STS may have issued a moment after it was asked. */
const marginMs = 300_000;

/**
 * The instant that the policy names: sessions issued before it are refused. Issue times have whole seconds, so it is the next full second: whatever was issued before
 * `before` is older than that, and a session of a second later lives.
 */
export function instantOf({ before }: Pick<CutOffEntry, 'before'>): number {
  return Math.ceil(before / 1000) * 1000;
}

/** By then every session that the cut-off concerns has ended by itself. */
export function endOf(cutOff: Pick<CutOffEntry, 'before'>): number {
  return instantOf(cutOff) + longestSessionMs + marginMs;
}
