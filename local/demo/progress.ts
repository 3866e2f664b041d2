import { paint } from './table.ts';

export interface Progress {
  /** A line for something that is done, with the time since the start. */
  done(what: string): void;
  /** A line below the one before. */
  detail(what: string): void;
  /** Seconds since the start, one decimal. */
  seconds(): string;
}

/** `write` gets whole lines; stderr when stdout is kept for data. */
export function createProgress(write: (line: string) => void): Progress {
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
  return {
    seconds,
    done: (what) => write(`${paint('dim', `${seconds().padStart(5)} s`)}  ${what}\n`),
    detail: (what) => write(`${' '.repeat(9)}${what.slice(0, 130)}\n`),
  };
}
