import type { UsageReader } from '../providers/egress-adapter.ts';
import type { Scrubber } from '../providers/scrubber.ts';
import { CordonError } from '../shared/errors.ts';
import type { ClientStream } from './client-stream.ts';
import type { AnswerBody } from './upstream.ts';

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
 * @throws CordonError UPSTREAM_BROKEN | UPSTREAM_TIMEOUT | UPSTREAM_TOO_LARGE, or what else ended the exchange
 */
export async function relayBody(
  body: AnswerBody,
  client: Pick<ClientStream, 'write'>,
  through: { readonly scrubber: Scrubber; readonly usage: UsageReader; readonly limits: RelayLimits; readonly passed: Passed },
): Promise<void> {
  const { scrubber, usage, limits, passed } = through;
  const idle = setTimeout(() => body.stop(new CordonError('UPSTREAM_TIMEOUT', 'The provider stopped answering.')), limits.idleMs);
  let received = 0;
  const pass = (chunk: Buffer): Promise<void> | undefined => {
    if (chunk.length === 0) return undefined;
    passed.bytes += chunk.length;
    return client.write(chunk);
  };
  try {
    await body.read((piece) => {
      idle.refresh();
      received += piece.length;
      if (received > limits.maxBytes) throw new CordonError('UPSTREAM_TOO_LARGE', `An answer may have at most ${limits.maxBytes} bytes.`);
      usage.push(piece);
      return pass(scrubber.push(piece))?.then(() => void idle.refresh());
    });
    await pass(scrubber.end());
  } catch (error) {
    throw error instanceof CordonError ? error : new CordonError('UPSTREAM_BROKEN', "The provider's answer broke off.", { cause: error });
  } finally {
    clearTimeout(idle);
  }
}
