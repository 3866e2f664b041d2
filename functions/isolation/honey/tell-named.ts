import { setTimeout as delay } from 'node:timers/promises';
import { CordonError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { namedInRequest } from './named-in-request.ts';

/** Tries of one run, and the pause after the first in milliseconds; after the second it is twice as long. */
const tries = 3;
const pauseMs = 100;

/**
 * Tells what a request names that may be a decoy, once its answer stands: whoever has named one is not to know it by the answer, and what it ends is not to come in
 * between. Does not throw: what can't be told is in the log.
 */
export async function tellNamedIn(
  event: Parameters<typeof namedInRequest>[0],
  tell: (names: readonly string[]) => Promise<void>,
  log: Log,
): Promise<void> {
  const names = namedInRequest(event);
  if (names.length === 0) return;
  for (let n = 1; ; n += 1) {
    try {
      return await tell(names);
    } catch (error) {
      if (n < tries && error instanceof CordonError && error.retryable) {
        await delay(n * pauseMs);
        continue;
      }
      const code = error instanceof CordonError ? error.code : 'UNEXPECTED';
      log.error('what a call has named could not be told', error, { code, lost: true });
      return;
    }
  }
}
