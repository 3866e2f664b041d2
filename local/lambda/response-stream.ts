/**
 * The global `awslambda` of the Node.js runtime and the stream it hands to a streaming handler, as far as functions can tell them apart from
 * Lambda's. Sources: Lambda Developer Guide, "Writing response streaming-enabled Lambda functions"; the behaviour of the open-source
 * runtime interface client (`aws-lambda-nodejs-runtime-interface-client`).
 */
import { Writable } from 'node:stream';

const streamingMark = Symbol.for('aws.lambda.runtime.handler.streaming');
const preludeType = 'application/vnd.awslambda.http-integration-response';
const preludeEnd = new Uint8Array(8);

type Write = (bytes: string | Uint8Array) => void;
type Facade = Record<string, unknown> & { setContentType(type: string): void; _onBeforeFirstWrite?: ((write: Write) => void) | undefined };

export interface ResponseStream {
  /** What the handler gets: the runtime shows these members of its stream and no others. */
  readonly facade: Facade;
  /** Settles when the stream has ended, or nobody reads it any more. */
  readonly over: Promise<void>;
  /**
   * The reader has gone. Lambda documents that this does not stop the function; whether and when the stream in a function notices is not
   * documented. Here it does what a connection does that was closed from the other side: it is destroyed, emits `error` (ECONNRESET) and
   * `close`, and further writes fail. So a function's way of ending its own upstream work can be tried out.
   */
  abandon(): void;
  /** Ends the stream after what was written, unless it has ended. */
  end(): Promise<void>;
}

const methods = [
  'cork',
  'destroy',
  'end',
  'uncork',
  'addListener',
  'on',
  'once',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
  'removeAllListeners',
  'setMaxListeners',
  'getMaxListeners',
  'listeners',
  'rawListeners',
  'listenerCount',
  'eventNames',
  'emit',
] as const;
const properties = [
  'destroyed',
  'writable',
  'writableCorked',
  'writableEnded',
  'writableFinished',
  'writableHighWaterMark',
  'writableLength',
  'writableNeedDrain',
  'writableObjectMode',
] as const;

/** @param send resolves when the bytes have been taken: until then the stream holds back. */
export function createResponseStream(send: (bytes: Uint8Array) => Promise<void>): ResponseStream {
  const inner = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      send(chunk).then(() => done(), done);
    },
  });
  // The runtime listens too: a reader that goes away must not end the whole environment as an unhandled error.
  inner.on('error', () => undefined);
  const over = new Promise<void>((resolve) => {
    inner.once('close', resolve);
  });
  let begun = false;

  const facade: Facade = {
    write(chunk: unknown, encoding?: BufferEncoding, done?: (error?: Error | null) => void): boolean {
      const before = facade._onBeforeFirstWrite;
      if (!begun) before?.((bytes) => inner.write(bytes));
      begun = true;
      const bytes = typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
      return encoding === undefined ? inner.write(bytes, done) : inner.write(bytes, encoding, done);
    },
    setContentType() {
      if (begun) throw Object.assign(new Error('Cannot set content-type, too late.'), { name: 'Runtime.InvalidStreamingOperation' });
    },
  };
  for (const name of methods) facade[name] = (...args: unknown[]) => Reflect.apply(inner[name], inner, args);
  for (const name of properties) Object.defineProperty(facade, name, { get: () => inner[name] });

  return {
    facade,
    over,
    abandon: () => void inner.destroy(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })),
    async end() {
      if (!inner.writableEnded && !inner.destroyed) inner.end();
      await over;
    },
  };
}

/** Makes `awslambda` known, before the function's module is loaded. */
export function installAwslambda(): void {
  const awslambda = {
    /** Marks the handler; the runtime then calls it with `(event, responseStream, context)`. */
    streamifyResponse: (handler: object) => Object.assign(handler, { [streamingMark]: 'response' }),
    HttpResponseStream: {
      /** The prelude goes out with the first `write`: `end(chunk)` alone sends none, in Lambda too. */
      from(stream: Facade, prelude: object): Facade {
        stream.setContentType(preludeType);
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(prelude));
          write(preludeEnd);
        };
        return stream;
      },
    },
  };
  Object.assign(globalThis, { awslambda });
}

/** Whether `streamifyResponse` was called on the handler. */
export function isStreaming(handler: object): boolean {
  return Reflect.get(handler, streamingMark) === 'response';
}
