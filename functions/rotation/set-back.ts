import { CordonError } from '../shared/errors.ts';
import { queuedAt } from '../tenants/rotation-plan.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';
import { setbackMs } from './rotation-schedule.ts';

/** After so many runs in a row that failed, an operator is told; and again after as many more. */
const patienceRuns = 5;

/**
 * Gives a credential back after this run failed on it, due again later the more often that happened: nobody else waits for it. When that cannot be written, the hold
 * ends by itself and the credential is due then.
 *
 * @param overtaken asked when somebody else has written meanwhile
 * @throws CordonError not retryable, for what an operator should know: it does not pass by itself, or has not for a while
 */
export async function setBack(deps: RotationDeps, held: Held, failure: CordonError, overtaken?: () => Promise<boolean>): Promise<void> {
  const { item, stores } = held;
  const { tenantId, credentialId, rotating } = item;
  const { code, message, retryable, retryAfterSeconds = 0 } = failure;
  const setbacks = (rotating?.setbacks ?? 0) + 1;
  // Nothing is under way of which setbacks could be counted: then it is as after many.
  const delayMs = Math.max(setbackMs(rotating === undefined ? Number.POSITIVE_INFINITY : setbacks), retryAfterSeconds * 1000);
  try {
    const counted = rotating === undefined ? {} : { rotating: { ...rotating, setbacks } };
    await stores.registry.changeCredential(item, { ...counted, leaseUntil: 0, ...queuedAt(item, deps.clock() + delayMs) });
  } catch (error) {
    if (error instanceof CordonError && error.code === 'CONFLICT' && (overtaken === undefined || (await overtaken()))) return;
    deps.log.error('a credential could not be given back; its hold ends by itself', error, { tenantId, credentialId });
  }
  deps.log.warn('a rotation is gone on with later', { credentialId, code, retryable, setbacks, reason: message });
  if (!retryable || setbacks % patienceRuns === 0) throw new CordonError(code, message, { cause: failure });
}
