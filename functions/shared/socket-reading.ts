import type { OnReadOpts } from 'node:net';

/** An option of `net.connect` and `tls.connect`. */
export interface Reading {
  readonly onread: OnReadOpts;
}

/** As much as a stream would read at a time. */
const bytesAtATime = 64 * 1024;

/**
 * Has a socket hand over what it reads in one piece of memory, which is used again and again: a stream would take new memory for each piece and cost several times as much.
 *
 * @param take has to copy what it wants to keep: the memory is wiped when it returns, so that a connection which waits holds no secret
 */
export function readInto(take: (bytes: Buffer) => void): Reading {
  const memory = Buffer.alloc(bytesAtATime);
  const callback = (length: number): boolean => {
    const bytes = memory.subarray(0, length);
    take(bytes);
    bytes.fill(0);
    return true;
  };
  return { onread: { buffer: memory, callback } };
}
