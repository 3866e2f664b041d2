/** Brings a function's answer to the client, whole or while it is written. */
import type { ServerResponse } from 'node:http';
import type { ResponseStreamEvent } from '../services/lambda-response-channel.ts';
import { createPreludeReader, type ResponseHead } from './proxy-response.ts';
import { badGateway, Refusal } from './refusal.ts';

/** A stream that says nothing for so long ends: regional and private endpoints ("Stream the integration response", considerations). */
const idleLimitMs = 5 * 60_000;

/** Header names may come several times: `set-cookie` must not be joined. */
export function writeHead(response: ServerResponse, { status, headers }: ResponseHead, ids: Readonly<Record<string, string>>): void {
  response.writeHead(status, [...headers, ...Object.entries(ids)].flat());
}

/**
 * Sends chunk by chunk as they come. When the client goes away the rest is not read any more, but the function goes on: in AWS too nothing stops
 * it. @throws Refusal as long as nothing has been sent; after that a failure breaks the connection off, so that it cannot pass for an end.
 */
export async function sendStream(
  response: ServerResponse,
  events: AsyncIterableIterator<ResponseStreamEvent>,
  options: { readonly timeoutMs: number; readonly ids: Readonly<Record<string, string>> },
): Promise<void> {
  const stop = (): void => void events.return?.();
  const late = new AbortController();
  const total = setTimeout(() => late.abort(), options.timeoutMs);
  let idle = setTimeout(() => late.abort(), idleLimitMs);
  response.once('close', stop);
  const expired = new Promise<'expired'>((resolve) => late.signal.addEventListener('abort', () => resolve('expired')));
  const readPrelude = createPreludeReader();
  try {
    for (;;) {
      const step = await Promise.race([events.next(), expired]);
      if (step === 'expired') throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
      if (step.done === true) return;
      clearTimeout(idle);
      idle = setTimeout(() => late.abort(), idleLimitMs);
      if ('InvokeComplete' in step.value) {
        if (step.value.InvokeComplete.ErrorCode !== undefined || !response.headersSent) throw badGateway();
        response.end();
        return;
      }
      const bytes = step.value.PayloadChunk.Payload;
      if (response.headersSent) await send(response, bytes);
      else {
        const begun = readPrelude(bytes);
        if (begun === undefined) continue;
        writeHead(response, begun.head, options.ids);
        response.flushHeaders();
        if (begun.rest.length > 0) await send(response, begun.rest);
      }
    }
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
  } finally {
    clearTimeout(total);
    clearTimeout(idle);
    response.off('close', stop);
    stop();
  }
}

/** Waits for a slow client: the function is held back through the channel. */
async function send(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  if (response.destroyed || response.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}
