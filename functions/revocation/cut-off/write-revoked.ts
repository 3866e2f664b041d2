import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { CutOffEntries } from './cut-off-entries.ts';
import type { CutOffEntry } from './cut-off-entry.ts';
import { revokedPolicy } from './revoked-policy.ts';
import type { RevokedPolicyStore } from './revoked-policy-store.ts';

export interface WriterDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly entries: CutOffEntries;
  readonly policy: RevokedPolicyStore;
}

/** After this long an entry that the policy does not cover is late, in milliseconds: two runs of the schedule. */
export const lateMs = 120_000;

/**
 * Writes the policy anew from the entries that are live. Whatever happened before, a run makes it right: a message that was lost, a run that died half way, a policy that
 * somebody or an update of the stack has changed. Nothing is ever read out of the policy to make the next one, because IAM answers with what was a while ago.
 *
 * @throws CordonError as the ports; the next run does what is left
 */
export async function writeRevoked({ clock, log, entries, policy }: WriterDeps): Promise<void> {
  const now = clock();
  const live = await entries.live(now);
  const { document, covered, waiting } = revokedPolicy(live, now);
  const late = live.filter(({ appliedAt, requestedAt }) => appliedAt === undefined && now - requestedAt > lateMs).length;
  // Said before it is tried: also of a policy that cannot be written it is known how much waits for it.
  if (late > 0 || waiting.length > 0) log.warn('sessions are not cut off yet', { late, waiting: waiting.length, live: live.length });
  const policyVersionId = await policy.put(document);
  const appliedAt = clock();
  const isCovered = new Set(covered);
  const news = live.filter((entry) => (entry.appliedAt !== undefined) !== isCovered.has(entry.id));
  for (const entry of news) {
    if (isCovered.has(entry.id)) await entries.applied(entry, { appliedAt, policyVersionId });
    else await entries.displaced(entry);
  }
  for (const entry of news) log.info('a cut-off was written', { ...told(entry), covered: isCovered.has(entry.id), policyVersionId });
}

const told = ({ id, tenantId, userId, before }: CutOffEntry) => ({ cutOffId: id, tenantId, userId, before });
