/**
 * The execution environments of one function: worker threads that run its bundled asset with its role's credentials and its own variables,
 * and nothing of the host's. One invocation at a time each, reused while warm. Source: Lambda Developer Guide, "execution environment lifecycle".
 */
import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../core/service.ts';
import type { FromWorker, ToWorker, WorkerError, WorkerStart } from '../lambda/worker-messages.ts';
import { createFunctionLog, type FunctionLog } from './lambda-logs.ts';

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

export interface Answer {
  /** JSON: the handler's result, or `{errorType, errorMessage, trace}`. */
  readonly payload: string;
  readonly functionError?: 'Unhandled';
}

export interface Environments {
  /** Runs one invocation, waiting for a free environment. Rejects only when none can be started (the role cannot be assumed). */
  invoke(event: string, requestId: string): Promise<Answer>;
  /** Terminates the environment that holds the access key; its invocation fails. */
  crash(accessKeyId: string): void;
  /** Lets no environment serve another invocation: the next one starts with the settings of then. */
  recycle(): void;
  readonly busy: boolean;
  close(): Promise<void>;
}

interface Environment {
  readonly worker: Worker;
  readonly credentials: SessionCredentials;
  readonly log: FunctionLog;
  /** Settled once, when the handler is loaded or cannot be. */
  readonly loaded: Promise<WorkerError | undefined>;
  /** Serves no further invocation. */
  retired: boolean;
  exited: boolean;
  inUse: boolean;
  /** Ends the current invocation. */
  finish?: ((answer: Answer) => void) | undefined;
}

/** Loading a bundle counts against this, not against the function's timeout; Lambda allows 10 s on faster machines. */
const loadLimitMs = 30_000;
/** Credentials that end sooner than this after the invocation's own timeout are not used any more. */
const credentialMarginMs = 60_000;
const bootstrap = new URL('../lambda/bootstrap.ts', import.meta.url);

const failed = (error: WorkerError): Answer => ({ payload: JSON.stringify(error), functionError: 'Unhandled' });

export function createEnvironments(
  kernel: Kernel,
  deps: {
    settings: () => EnvironmentSettings;
    limit: () => number;
    endpoint: () => string;
    mintSession: () => Promise<SessionCredentials>;
    report: (line: string) => void;
  },
): Environments {
  const all = new Set<Environment>();
  const waiting: (() => void)[] = [];
  let starting = 0;
  let running = 0;
  let closed = false;

  const retire = async (environment: Environment): Promise<void> => {
    environment.retired = true;
    all.delete(environment);
    await environment.worker.terminate();
  };

  const start = async (): Promise<Environment> => {
    const settings = deps.settings();
    const credentials = await deps.mintSession();
    const logStreamName = `${new Date(kernel.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')}/[$LATEST]${randomUUID().replaceAll('-', '')}`;
    const { variables, timeoutSeconds: _hostOnly, ...forWorker } = settings;
    const workerData: WorkerStart = { ...forWorker, logStreamName, clockOffset: kernel.clock.offset };
    const worker = new Worker(bootstrap, {
      workerData,
      env: { ...variables, ...runtimeVariables(kernel.region, settings, credentials, deps.endpoint(), logStreamName) },
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
      report: deps.report,
    });
    const loading = Promise.withResolvers<WorkerError | undefined>();
    const environment: Environment = { worker, credentials, log, loaded: loading.promise, retired: false, exited: false, inUse: true };
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'log') log.write(message.text);
      else if (message.type === 'ready') loading.resolve(undefined);
      else if (message.type === 'init-failed') loading.resolve(message.error);
      else if (message.type === 'result') environment.finish?.({ payload: message.payload });
      else environment.finish?.(failed(message.error));
    });
    // What the runtime itself prints, e.g. a warning or the last words of a thread that died.
    for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk: Buffer) => log.write(chunk.toString()));
    const ended = (error: WorkerError): void => {
      environment.retired = true;
      environment.exited = true;
      all.delete(environment);
      loading.resolve(error);
      environment.finish?.(failed(error));
    };
    worker.on('error', (error: unknown) =>
      ended({
        errorType: error instanceof Error ? error.name : 'Error',
        errorMessage: error instanceof Error ? error.message : String(error),
      }),
    );
    worker.on('exit', () => ended({ errorType: 'Runtime.ExitError', errorMessage: 'Error: Runtime exited without providing a reason' }));
    all.add(environment);
    return environment;
  };

  const acquire = async (): Promise<Environment> => {
    for (;;) {
      for (const environment of [...all]) {
        if (environment.inUse) continue;
        const needed = kernel.clock.now() + deps.settings().timeoutSeconds * 1000 + credentialMarginMs;
        if (!environment.retired && environment.credentials.expiresAt > needed) {
          environment.inUse = true;
          return environment;
        }
        void retire(environment);
      }
      if (all.size + starting < deps.limit()) {
        starting++;
        try {
          return await start();
        } finally {
          starting--;
        }
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };

  const run = async (environment: Environment, event: string, requestId: string): Promise<Answer> => {
    const { timeoutSeconds } = deps.settings();
    const initError = await within(environment.loaded, loadLimitMs, {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out while loading`,
    });
    if (initError !== undefined) {
      environment.log.write(`${requestId} ERROR Init Error ${JSON.stringify(initError)}`);
      await retire(environment);
      return failed(initError);
    }
    if (environment.exited)
      return failed({
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
      });
    const answer = new Promise<Answer>((resolve) => {
      environment.finish = resolve;
    });
    const message: ToWorker = {
      requestId,
      event,
      remainingMs: timeoutSeconds * 1000,
      traceId: `Root=1-${Math.floor(kernel.clock.now() / 1000).toString(16)}-${randomUUID().replaceAll('-', '').slice(0, 24)};Sampled=0`,
    };
    environment.worker.postMessage(message);
    const timedOut = failed({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
    });
    const result = await within(answer, timeoutSeconds * 1000, timedOut);
    environment.finish = undefined;
    // As the runtime does: the caller of an event source mapping would otherwise never learn why a batch failed.
    if (result.functionError !== undefined) environment.log.write(`${requestId} ERROR Invoke Error ${result.payload}`);
    if (result === timedOut) await retire(environment);
    return result;
  };

  return {
    async invoke(event, requestId) {
      running++;
      try {
        const environment = await acquire();
        try {
          return await run(environment, event, requestId);
        } finally {
          environment.inUse = false;
          if (environment.retired || closed) await retire(environment);
        }
      } finally {
        running--;
        waiting.shift()?.();
      }
    },
    crash(accessKeyId) {
      for (const environment of all) if (environment.credentials.accessKeyId === accessKeyId) void retire(environment);
    },
    recycle() {
      for (const environment of [...all]) {
        environment.retired = true;
        if (!environment.inUse) void retire(environment);
      }
    },
    get busy() {
      return running > 0 || [...all].some((environment) => environment.log.pending > 0);
    },
    async close() {
      closed = true;
      await Promise.all([...all].map(retire));
    },
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

/** `promise`, or `late` after `ms` of real time. */
async function within<T>(promise: Promise<T>, ms: number, late: T): Promise<T> {
  const expired = Promise.withResolvers<T>();
  const timer = setTimeout(() => expired.resolve(late), ms);
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
