/**
 * One execution environment: a worker thread that runs the function's bundled asset with its role's credentials and its own variables, and
 * nothing of the host's. Source: Lambda Developer Guide, "execution environment lifecycle" and "Defined runtime environment variables".
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../core/service.ts';
import type { FromWorker, ToInvoke, ToWorker, WorkerError, WorkerStart } from '../lambda/worker-messages.ts';
import type { Answer } from './lambda-answer.ts';
import { createFunctionLog, type FunctionLog } from './lambda-logs.ts';
import type { ResponseSink } from './lambda-response-channel.ts';

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch, the cloud's clock. */
  readonly expiresAt: number;
}

/** What a worker is started with; read anew for each start. */
export interface EnvironmentSettings extends Omit<WorkerStart, 'clockOffset' | 'logStreamName'> {
  readonly variables: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

export interface LambdaWorker {
  readonly credentials: SessionCredentials;
  readonly log: FunctionLog;
  /** Settled once, when the handler is loaded or cannot be. */
  readonly loaded: Promise<WorkerError | undefined>;
  readonly exited: boolean;
  /** Runs one invocation; a worker takes one at a time. */
  run(invocation: Omit<ToInvoke, 'type'>, sink: ResponseSink): Promise<Answer>;
  terminate(): Promise<void>;
}

const bootstrap = new URL('../lambda/bootstrap.ts', import.meta.url);
/** Where Node keeps what it has compiled, by content: a bundle is compiled once on a machine instead of once in every environment. */
const compileCache = fileURLToPath(new URL('../../node_modules/.cache/lambda', import.meta.url));

export const failed = (error: WorkerError): Answer => ({ payload: JSON.stringify(error), functionError: 'Unhandled' });

export function startWorker(
  kernel: Kernel,
  options: {
    settings: EnvironmentSettings;
    credentials: SessionCredentials;
    endpoint: string;
    report: (line: string) => void;
    /** The thread has ended, of itself or not. */
    onExit: () => void;
  },
): LambdaWorker {
  const { settings, credentials } = options;
  const logStreamName = `${new Date(kernel.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID().replaceAll('-', '')}`;
  const { variables, timeoutSeconds: _hostOnly, ...forWorker } = settings;
  const workerData: WorkerStart = { ...forWorker, logStreamName, clockOffset: kernel.clock.offset };
  const worker = new Worker(bootstrap, {
    workerData,
    env: {
      ...variables,
      ...runtimeVariables(kernel.region, settings, credentials, options.endpoint, logStreamName),
      NODE_COMPILE_CACHE: compileCache,
    },
    // Nothing of how the host itself was started (loaders of a test runner, inspectors) reaches the function.
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: settings.memorySize },
  });
  worker.unref();
  const log = createFunctionLog(kernel, {
    accessKeyId: credentials.accessKeyId,
    group: settings.logGroupName,
    stream: logStreamName,
    report: options.report,
  });
  const loading = Promise.withResolvers<WorkerError | undefined>();
  const tell = (message: ToWorker): void => worker.postMessage(message);
  let exited = false;
  let current: { readonly requestId: string; readonly sink: ResponseSink; finish(answer: Answer): void } | undefined;

  worker.on('message', (message: FromWorker) => {
    if (message.type === 'log') log.write(message.text);
    else if (message.type === 'ready') loading.resolve(undefined);
    else if (message.type === 'init-failed') loading.resolve(message.error);
    else if (message.requestId !== current?.requestId) return;
    else if (message.type === 'chunk') {
      const { requestId } = message;
      // A refused chunk needs no answer: the sink's signal has told the worker.
      current.sink.take(message.bytes).then(
        () => tell({ type: 'taken', requestId }),
        () => undefined,
      );
    } else if (message.type === 'streamed') current.finish({ payload: '', streamed: true });
    else if (message.type === 'result') current.finish({ payload: message.payload });
    else current.finish(failed(message.error));
  });
  // What the runtime itself prints, e.g. a warning or the last words of a thread that died.
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk: Buffer) => log.write(chunk.toString()));
  const ended = (error: WorkerError): void => {
    exited = true;
    options.onExit();
    loading.resolve(error);
    current?.finish(failed(error));
  };
  worker.on('error', (error: unknown) =>
    ended({
      errorType: error instanceof Error ? error.name : 'Error',
      errorMessage: error instanceof Error ? error.message : String(error),
    }),
  );
  worker.on('exit', () => ended({ errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited without providing a reason' }));

  return {
    credentials,
    log,
    loaded: loading.promise,
    get exited() {
      return exited;
    },
    async run(invocation, sink) {
      const { requestId } = invocation;
      const abandon = (): void => tell({ type: 'abandoned', requestId });
      const answer = Promise.withResolvers<Answer>();
      current = { requestId, sink, finish: answer.resolve };
      tell({ type: 'invoke', ...invocation });
      if (sink.abandoned.aborted) abandon();
      sink.abandoned.addEventListener('abort', abandon);
      try {
        return await answer.promise;
      } finally {
        sink.abandoned.removeEventListener('abort', abandon);
        current = undefined;
      }
    },
    terminate: async () => void (await worker.terminate()),
  };
}

/** The variables Lambda itself sets; they win over the function's own, which may not use these names. */
function runtimeVariables(
  region: string,
  settings: EnvironmentSettings,
  credentials: SessionCredentials,
  endpoint: string,
  logStreamName: string,
): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: settings.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: settings.logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL: endpoint,
    LAMBDA_TASK_ROOT: settings.assetDirectory,
    _HANDLER: settings.handler,
    _X_AMZN_TRACE_ID: '',
    TZ: ':UTC',
    // Lambda has no profile files and no instance metadata; the host may have both.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
