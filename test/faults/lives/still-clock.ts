import type { Clock } from '../../../local/core/clock.ts';

/** Later than any day these tests run on: what signs by the machine's own clock is between the two, which the cloud takes. */
const beginning = Date.UTC(2040, 0, 2, 8);

/** A clock that stands until it is moved, so that a run takes as long each time. */
export function createStillClock(start = beginning): Clock {
  let time = start;
  const waiting = new Set<() => void>();
  return {
    // For threads of functions that are deployed, which no life has to do with.
    offset: new SharedArrayBuffer(8),
    now: () => time,
    advance(ms) {
      if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`A clock goes on by whole milliseconds; got ${ms}.`);
      time += ms;
      for (const look of [...waiting]) look();
    },
    until: (at, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          waiting.delete(look);
          reject(signal?.reason);
        };
        const look = (): void => {
          if (time < at) return;
          waiting.delete(look);
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        if (signal?.aborted === true) return abort();
        signal?.addEventListener('abort', abort);
        waiting.add(look);
        look();
      }),
  };
}
