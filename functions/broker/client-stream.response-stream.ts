import type { Writable } from 'node:stream';
import { CordonError } from '../shared/errors.ts';
import type { ClientStream } from './client-stream.ts';

/** `awslambda.HttpResponseStream.from`. Source: Lambda Developer Guide, "Response streaming"; API Gateway Developer Guide, "Lambda proxy integration response streaming". */
export type FromResponseStream = (
  stream: Writable,
  metadata: { statusCode: number; headers: Readonly<Record<string, string>> },
) => Writable;

export interface LambdaClientStream extends ClientStream {
  /** Why the answer is not whole. The handler has to fail with it: only that makes Lambda break the answer off instead of ending it. */
  readonly brokenBy: Error | undefined;
}

/** A Lambda response stream as the way back to the caller. */
export function createClientStream(responseStream: Writable, from: FromResponseStream): LambdaClientStream {
  const gone = new AbortController();
  let out = responseStream;
  let over = false;
  let brokenBy: Error | undefined;
  const left = (): void => {
    if (!over) gone.abort(new CordonError('CLIENT_GONE', 'the caller went away'));
  };
  const watch = (stream: Writable): void => {
    stream.on('error', left);
    stream.on('close', left);
  };
  const open = (statusCode: number, headers: Readonly<Record<string, string>>): void => {
    out = from(responseStream, { statusCode, headers });
    if (out !== responseStream) watch(out);
  };
  watch(responseStream);
  return {
    gone: gone.signal,
    get brokenBy() {
      return brokenBy;
    },
    answer(statusCode, headers, body) {
      open(statusCode, headers);
      // Not as an argument of `end`, which the runtime does not take for a first write.
      out.write(body);
      over = true;
      out.end();
    },
    begin(statusCode, headers) {
      open(statusCode, headers);
      // The runtime sends status and headers with the first write, also with an empty one.
      out.write('');
    },
    write(chunk) {
      if (out.write(chunk) || gone.signal.aborted) return undefined;
      return new Promise((resolve) => {
        const done = (): void => {
          out.off('drain', done);
          gone.signal.removeEventListener('abort', done);
          resolve();
        };
        out.once('drain', done);
        gone.signal.addEventListener('abort', done);
      });
    },
    end() {
      over = true;
      out.end();
    },
    break(error) {
      over = true;
      brokenBy = error;
    },
  };
}
