import { CordonError } from '../shared/errors.ts';
import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import type { Connection } from './connection.ts';
import { dueOf } from './decide-next.ts';
import { nextAfterSetback } from './probe-schedule.ts';

/** After so many runs in a row that failed, an operator is told; and again after as many more. */
const patienceRuns = 5;
/** What does not pass by itself is looked at again after this long. */
export const hopelessMs = 3_600_000;

/**
 * Gives a connection back after this run failed on it, due again later the more often that happened. When that cannot be written, the hold ends by itself and the
 * connection is due then: so nothing is thrown.
 *
 * @param item as this run last wrote it
 * @returns true when an operator should know: it does not pass by itself, or has not for a while
 */
export async function releaseConnection(deps: ByocDeps, stores: ByocStores, item: Connection, failure: CordonError): Promise<boolean> {
  const setbacks = item.setbacks + 1;
  const now = deps.clock();
  const dueAt = failure.retryable ? nextAfterSetback(setbacks, now) : now + hopelessMs;
  try {
    await stores.connections.changeConnection(item, { leaseUntil: 0, setbacks, ...dueOf(item, dueAt) });
  } catch (error) {
    // An event changed it meanwhile, or another worker did: theirs counts, and is due when they said.
    if (error instanceof CordonError && error.code === 'CONFLICT') return false;
    const { tenantId, customerAccountId } = item;
    deps.log.error('a connection could not be given back; its hold ends by itself', error, { tenantId, customerAccountId });
  }
  return !failure.retryable || setbacks % patienceRuns === 0;
}
