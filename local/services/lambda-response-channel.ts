/** A streamed response between the function that writes it and whoever reads it, one chunk at a time: what is not read is not written. */
import type { Answer } from './lambda-answer.ts';

/** Where an invocation's chunks go. */
export interface ResponseSink {
  /** Resolves when the reader has taken the bytes; rejects when there is none any more. */
  take(bytes: Uint8Array): Promise<void>;
  /** Aborted when nobody reads any more. The invocation goes on ("Response streaming for Lambda functions"). */
  readonly abandoned: AbortSignal;
}

/** As in the answer of `InvokeWithResponseStream` (Lambda API Reference). */
export type ResponseStreamEvent =
  | { readonly PayloadChunk: { readonly Payload: Uint8Array } }
  | { readonly InvokeComplete: { readonly ErrorCode?: string; readonly ErrorDetails?: string } };

/** Collects what is streamed, for a caller that waits for the whole. */
export function createCollector(): ResponseSink & { readonly text: () => string } {
  const chunks: Uint8Array[] = [];
  return {
    take: async (bytes) => void chunks.push(bytes),
    abandoned: new AbortController().signal,
    text: () => Buffer.concat(chunks).toString(),
  };
}

/** `events` may be read once; ending the iteration early abandons the response. */
export function createResponseChannel(): {
  readonly sink: ResponseSink;
  events(answer: Promise<Answer>): AsyncIterableIterator<ResponseStreamEvent>;
} {
  const gone = new AbortController();
  let offered: { readonly bytes: Uint8Array; readonly taken: PromiseWithResolvers<void> } | undefined;
  let wake = Promise.withResolvers<void>();
  const changed = (): void => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const take = (bytes: Uint8Array): Promise<void> => {
    if (gone.signal.aborted) return Promise.reject(new Error('nobody reads the response'));
    const taken = Promise.withResolvers<void>();
    offered = { bytes, taken };
    changed();
    return taken.promise;
  };

  return {
    sink: { take, abandoned: gone.signal },
    events(answer) {
      let last: { readonly answer: Answer } | { readonly error: unknown } | undefined;
      let finished = false;
      const settle = (settled: NonNullable<typeof last>): void => {
        last = settled;
        changed();
      };
      answer.then(
        // The result of a handler that does not stream is its only chunk.
        async (settled) => {
          if (settled.streamed !== true && settled.functionError === undefined)
            await take(Buffer.from(settled.payload)).catch(() => undefined);
          settle({ answer: settled });
        },
        (error: unknown) => settle({ error }),
      );
      const next = async (): Promise<IteratorResult<ResponseStreamEvent>> => {
        while (!finished && !gone.signal.aborted) {
          const waiting = wake.promise;
          if (offered !== undefined) {
            const { bytes, taken } = offered;
            offered = undefined;
            taken.resolve();
            return { done: false, value: { PayloadChunk: { Payload: bytes } } };
          }
          if (last !== undefined) {
            finished = true;
            if ('error' in last) throw last.error;
            const { functionError, payload } = last.answer;
            const failure = functionError === undefined ? {} : { ErrorCode: functionError, ErrorDetails: payload };
            return { done: false, value: { InvokeComplete: failure } };
          }
          await waiting;
        }
        return { done: true, value: undefined };
      };
      return {
        next,
        async return() {
          if (!finished) gone.abort();
          offered?.taken.reject(new Error('nobody reads the response'));
          changed();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  };
}
