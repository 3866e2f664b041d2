import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from './io.ts';

/** The terminal, or whatever stands in its place. */
export function processIo(): Io {
  // Whoever reads may have seen enough, as `head` has: then there is nobody left to print for, and what is being followed is followed all the same.
  process.stdout.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    // Questions go to stderr: stdout may be going into a file.
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    ask,
    pause: (ms) => sleep(ms),
    clock: () => Date.now(),
    directory: process.cwd(),
  };
}

async function ask(question: string): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and the end of the input answer nothing, which agrees to nothing.
  const silent = new AbortController();
  reader.once('SIGINT', () => silent.abort());
  reader.once('close', () => silent.abort());
  try {
    return await reader.question(question, { signal: silent.signal });
  } catch (error) {
    if (silent.signal.aborted) return '';
    throw error;
  } finally {
    reader.close();
  }
}
