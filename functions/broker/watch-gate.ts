import { CordonError } from '../shared/errors.ts';

export interface WatchTimes {
  /** From the beginning of one reading to the beginning of the next, in milliseconds. */
  readonly everyMs: number;
  /** Before a reading that failed is tried once more. */
  readonly repeatMs: number;
}

/** 3 s + 0.9 s + 0.1 s + 0.9 s: a revocation ends a stream within 5 s also when one reading fails on the way. */
export const watchTimes: WatchTimes = { everyMs: 3000, repeatMs: 100 };
/** For one reading while a stream is open, in milliseconds. */
export const watchReadMs = 900;

/**
 * Asks the gate again and again while a call is open, and ends it as soon as the gate refuses, or cannot be asked twice in a row.
 *
 * @param ask throws what the gate refuses with
 * @param end is called once, with the reason
 * @returns stops watching
 */
export function watchGate(ask: () => Promise<void>, end: (reason: CordonError) => void, times: WatchTimes): () => void {
  let timer: NodeJS.Timeout;
  let over = false;
  const look = async (failedBefore: boolean): Promise<void> => {
    try {
      await ask();
      next(times.everyMs, false);
    } catch (error) {
      const reason =
        error instanceof CordonError ? error : new CordonError('GATE_UNAVAILABLE', 'The registry could not be asked.', { cause: error });
      if (reason.retryable && !failedBefore) next(times.repeatMs, true);
      else if (!over) {
        over = true;
        end(reason);
      }
    }
  };
  const next = (ms: number, failedBefore: boolean): void => {
    if (!over) timer = setTimeout(() => void look(failedBefore), ms);
  };
  next(times.everyMs, false);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
