import type { CutOffEntry } from './cut-off-entry.ts';

/** The entries that the policy is made from. All throw CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED | CONFLICT. */
export interface CutOffEntries {
  /** Every entry with sessions that may last still at `now`, as it is now: whatever was asked for before the call is among them. */
  live(now: number): Promise<readonly CutOffEntry[]>;
  /** Notes since when IAM has the policy that covers it, and which version that is. */
  applied(entry: CutOffEntry, by: { readonly appliedAt: number; readonly policyVersionId: string }): Promise<void>;
  /** Notes that the policy does not cover it any more. */
  displaced(entry: CutOffEntry): Promise<void>;
}
