/**
 * What runs in a function's worker thread before its handler: the shared clock, the way out for its output, the invocation loop.
 * Source: Lambda Developer Guide, "Building Lambda functions with Node.js" (handler, context object, logging, errors).
 */
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { createResponseStream, installAwslambda, isStreaming, type ResponseStream } from './response-stream.ts';
import type { FromWorker, ToInvoke, ToWorker, WorkerStart } from './worker-messages.ts';

const start: WorkerStart = workerData;
const port = parentPort;
if (port === null) throw new Error('the bootstrap runs in a worker thread only');
const tell = (message: FromWorker): void => port.postMessage(message);

// Read when the thread began; to the function it is not there.
delete process.env['NODE_COMPILE_CACHE'];
shiftDate(new BigInt64Array(start.clockOffset));
// One write is one log event, and it arrives before the answer of the invocation that wrote it.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk: Uint8Array | string, encoding?: unknown, done?: unknown): boolean => {
    tell({ type: 'log', text: typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString() });
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(() => callback());
    return true;
  };
}

/** Of the invocation under way; none while the module loads. */
let requestOfLines = 'undefined';
// As Lambda's runtime does in the log format `Text`: whoever wants a line of their own writes to the stream.
for (const [method, level] of Object.entries({ log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE' })) {
  Object.assign(console, {
    [method]: (...parts: readonly unknown[]): void => {
      const text = format(...parts).replaceAll('\n', '\r');
      process.stdout.write(`${new Date().toISOString()}\t${requestOfLines}\t${level}\t${text}\n`);
    },
  });
}

/** One of the two forms; a streaming handler gets the response's stream between event and context. */
type Handler = { readonly streams: boolean; readonly run: (...args: readonly unknown[]) => unknown };
installAwslambda();
const handler = await load().then(
  (found) => {
    // An environment is ended without warning: what it has compiled would be lost.
    flushCompileCache();
    tell({ type: 'ready' });
    return found;
  },
  (error: unknown) => {
    tell({ type: 'init-failed', error: describe(error) });
    return undefined;
  },
);

/** The response that is being streamed, and how its chunk under way is settled. */
let streaming: { readonly requestId: string; readonly stream: ResponseStream; taken?: PromiseWithResolvers<void> } | undefined;
port.on('message', (message: ToWorker) => {
  if (message.type === 'invoke') {
    if (handler !== undefined) void invoke(handler, message);
  } else if (message.requestId !== streaming?.requestId) return;
  else if (message.type === 'taken') streaming.taken?.resolve();
  else streaming.stream.abandon();
});

async function invoke({ streams, run }: Handler, message: ToInvoke): Promise<void> {
  const { requestId, event, remainingMs, traceId, tenantId } = message;
  process.env['_X_AMZN_TRACE_ID'] = traceId;
  requestOfLines = requestId;
  // Real time, not the shifted clock: moving the clock must not use up an invocation's time.
  const deadline = performance.now() + remainingMs;
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: start.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: start.functionArn,
    memoryLimitInMB: String(start.memorySize),
    awsRequestId: requestId,
    tenantId,
    logGroupName: start.logGroupName,
    logStreamName: start.logStreamName,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
  try {
    if (streams) {
      await stream(requestId, (facade) => run(JSON.parse(event), facade, context));
      tell({ type: 'streamed', requestId });
    } else {
      const result = await run(JSON.parse(event), context);
      tell({ type: 'result', requestId, payload: JSON.stringify(result) ?? 'null' });
    }
  } catch (error) {
    tell({ type: 'failure', requestId, error: describe(error) });
  }
}

/** The invocation lasts until the handler has returned and its stream has ended; an error after some writes follows what was written. */
async function stream(requestId: string, run: (facade: object) => unknown): Promise<void> {
  const response = createResponseStream((bytes) => {
    // A copy of its own: a message would carry the whole pool that a small buffer is a slice of.
    tell({ type: 'chunk', requestId, bytes: new Uint8Array(bytes) });
    current.taken = Promise.withResolvers();
    return current.taken.promise;
  });
  const current: NonNullable<typeof streaming> = { requestId, stream: response };
  streaming = current;
  try {
    const running = run(response.facade);
    if (!(running instanceof Promise)) throw new TypeError('Streaming does not support non-async handlers.');
    await running;
    await response.over;
  } catch (error) {
    await response.end();
    throw error;
  } finally {
    streaming = undefined;
  }
}

async function load(): Promise<Handler> {
  const [file, name = ''] = start.handler.split('.');
  const module: Record<string, unknown> = await import(pathToFileURL(`${start.assetDirectory}/${file}.mjs`).href);
  const found = module[name];
  if (typeof found !== 'function')
    throw Object.assign(new Error(`${start.handler} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  return { streams: isStreaming(found), run: (...args) => found(...args) };
}

function describe(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (error instanceof Error) return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** Makes `Date` tell the cloud's time: only "now" moves, a date made from something stays what it is. */
function shiftDate(offset: BigInt64Array): void {
  const RealDate = Date;
  const realNow = RealDate.now;
  const now = (): number => realNow() + Number(Atomics.load(offset, 0));
  const Shifted = new Proxy(RealDate, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new RealDate(now()).toString(),
  });
  RealDate.now = now;
  RealDate.prototype.constructor = Shifted;
  globalThis.Date = Shifted;
}
