/** The cloud's time: real time plus an offset that only grows. Everything that waits, waits on this clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  advance(ms: number): void;
  /** Resolves when `now() >= at`, by the passing of real time or by `advance`. Rejects with the signal's reason when aborted. */
  until(at: number, signal?: AbortSignal): Promise<void>;
  /** Shared with worker threads (one BigInt64 at index 0: the offset in ms), so that their `Date` moves with this clock. */
  readonly offset: SharedArrayBuffer;
}

export function createClock(): Clock {
  const offset = new SharedArrayBuffer(8);
  const cell = new BigInt64Array(offset);
  const waiting = new Set<() => void>();
  const now = (): number => Date.now() + Number(Atomics.load(cell, 0));
  return {
    offset,
    now,
    advance(ms) {
      if (!Number.isSafeInteger(ms) || ms < 0)
        throw new RangeError(`advanceMs must be a whole number of milliseconds, 0 or more; got ${ms}`);
      Atomics.add(cell, 0, BigInt(ms));
      for (const look of [...waiting]) look();
    },
    until(at, signal) {
      return new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const end = (): void => {
          clearTimeout(timer);
          waiting.delete(look);
          signal?.removeEventListener('abort', abort);
        };
        const abort = (): void => {
          end();
          reject(signal?.reason);
        };
        const look = (): void => {
          clearTimeout(timer);
          const left = at - now();
          if (left <= 0) {
            end();
            resolve();
          } else {
            timer = setTimeout(look, Math.min(left, 2 ** 30));
            timer.unref();
          }
        };
        if (signal?.aborted) return reject(signal.reason);
        signal?.addEventListener('abort', abort);
        waiting.add(look);
        look();
      });
    },
  };
}
