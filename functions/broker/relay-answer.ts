import type { Readable } from 'node:stream';
import type { UsageReader } from '../providers/egress-adapter.ts';
import type { Scrubber } from '../providers/scrubber.ts';
import { CordonError } from '../shared/errors.ts';
import type { ClientStream } from './client-stream.ts';
import type { UpstreamAnswer } from './upstream.ts';

/** What was passed on; counted while it passes, so that it is known also of an answer that broke off. */
export interface Passed {
  bytes: number;
}

export interface RelayLimits {
  /** Of an answer, uncompressed. */
  readonly maxBytes: number;
  /** Between two pieces of an answer, in milliseconds. */
  readonly idleMs: number;
}

/**
 * Passes an answer's body on piece by piece, each as soon as it comes and no faster than the caller takes it, without the secrets and with its usage counted.
 *
 * @param signal ends it; its reason is what is thrown
 * @throws CordonError UPSTREAM_BROKEN | UPSTREAM_TIMEOUT | UPSTREAM_TOO_LARGE, or the signal's reason
 */
export async function relayBody(
  answer: UpstreamAnswer,
  client: Pick<ClientStream, 'write'>,
  through: {
    readonly scrubber: Scrubber;
    readonly usage: UsageReader;
    readonly signal: AbortSignal;
    readonly limits: RelayLimits;
    readonly passed: Passed;
  },
): Promise<void> {
  const { scrubber, usage, signal, limits, passed } = through;
  const { body } = answer;
  const stop = (): void => void body.destroy(reasonOf(signal));
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const idle = setTimeout(() => body.destroy(new CordonError('UPSTREAM_TIMEOUT', 'The provider stopped answering.')), limits.idleMs);
  let received = 0;
  const pass = (chunk: Buffer): Promise<void> | undefined => {
    if (chunk.length === 0) return undefined;
    passed.bytes += chunk.length;
    return client.write(chunk);
  };
  try {
    await eachPiece(body, (piece) => {
      idle.refresh();
      received += piece.length;
      if (received > limits.maxBytes) throw new CordonError('UPSTREAM_TOO_LARGE', `An answer may have at most ${limits.maxBytes} bytes.`);
      usage.push(piece);
      return pass(scrubber.push(piece))?.then(() => void idle.refresh());
    });
    signal.throwIfAborted();
    await pass(scrubber.end());
  } catch (error) {
    if (signal.aborted) throw reasonOf(signal);
    throw error instanceof CordonError ? error : new CordonError('UPSTREAM_BROKEN', "The provider's answer broke off.", { cause: error });
  } finally {
    clearTimeout(idle);
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

/**
 * Hands over each piece as it comes, and no next one before what it returns is done. An async iterator would do the same and cost more than all else here.
 * Rejects with what the body fails with, or `take` throws.
 */
function eachPiece(body: Readable, take: (piece: Buffer) => Promise<void> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('data', (piece: Buffer) => {
      try {
        const done = take(piece);
        if (done === undefined) return;
        body.pause();
        done.then(() => body.resume(), reject);
      } catch (error) {
        reject(error);
      }
    });
    body.once('end', resolve);
    body.once('error', reject);
    body.once('close', () => reject(new Error('the answer ended before it was whole')));
  });
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new CordonError('UPSTREAM_BROKEN', 'The call was ended.');
}
