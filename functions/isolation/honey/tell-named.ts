import { CordonError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { namedInRequest } from './named-in-request.ts';

/**
 * Tells what a request names that may be a decoy, once its answer stands: whoever has named one is not to know it by the answer, and what it ends is not to come in between. Does not throw.
 */
export async function tellNamedIn(
  event: Parameters<typeof namedInRequest>[0],
  tell: (names: readonly string[]) => Promise<void>,
  log: Log,
): Promise<void> {
  const names = namedInRequest(event);
  if (names.length === 0) return;
  try {
    await tell(names);
  } catch (error) {
    log.error('what a call has named could not be told', error, { code: error instanceof CordonError ? error.code : 'UNEXPECTED' });
  }
}
