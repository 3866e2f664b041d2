import type { Io } from './io.ts';

const firstMs = 200;
const longestMs = 2000;

/**
 * Looks until there is something to see, each time after a longer pause, two seconds at most. Undefined when the time is over.
 *
 * @param look answers undefined as long as there is nothing
 */
export async function until<Value>(
  io: Pick<Io, 'clock' | 'pause'>,
  seconds: number,
  look: () => Promise<Value | undefined>,
): Promise<Value | undefined> {
  const deadline = io.clock() + seconds * 1000;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(longestMs, Math.round(pauseMs * 1.5))) {
    const found = await look();
    if (found !== undefined || io.clock() >= deadline) return found;
    await io.pause(Math.min(pauseMs, deadline - io.clock()));
  }
}
