/**
 * The execution environments of one function: one invocation at a time each, reused while warm. With tenant isolation an environment serves
 * the tenant it was started for and no other. Sources: Lambda Developer Guide, "execution environment lifecycle", "Tenant isolation".
 */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel } from '../core/service.ts';
import type { Answer } from './lambda-answer.ts';
import { createCollector, type ResponseSink } from './lambda-response-channel.ts';
import type { TenantRoom } from './lambda-tenant-room.ts';
import { type EnvironmentSettings, failed, type LambdaWorker, type SessionCredentials, startWorker } from './lambda-worker.ts';

export interface Invocation {
  /** JSON. */
  readonly event: string;
  readonly requestId: string;
  /** Given exactly when the function has tenant isolation. */
  readonly tenantId?: string | undefined;
}

export interface Environments {
  /**
   * Runs one invocation, waiting for a free environment. Without a sink a streamed response is collected into the payload. Rejects only when
   * no environment can be started (the role cannot be assumed), or the function may have none.
   */
  invoke(invocation: Invocation, sink?: ResponseSink): Promise<Answer>;
  /** Terminates the environment that holds the access key; its invocation fails. */
  crash(accessKeyId: string): void;
  /** Lets no environment serve another invocation: the next one starts with the settings of then. */
  recycle(): void;
  readonly busy: boolean;
  close(): Promise<void>;
}

interface Environment {
  readonly worker: LambdaWorker;
  readonly tenantId: string | undefined;
  /** Serves no further invocation. */
  retired: boolean;
  inUse: boolean;
  /** Ends it to make room for another tenant's. */
  readonly evict: () => void;
}

/** Loading a bundle counts against this, not against the function's timeout; Lambda allows 10 s on faster machines. */
const loadLimitMs = 30_000;
/** Credentials that end sooner than this after the invocation's own timeout are not used any more. */
const credentialMarginMs = 60_000;

export function createEnvironments(
  kernel: Kernel,
  deps: {
    settings: () => EnvironmentSettings;
    /** At once; with tenant isolation for each tenant. */
    limit: () => number;
    /** Where the environments of tenants find their place. */
    room: TenantRoom;
    endpoint: () => string;
    mintSession: () => Promise<SessionCredentials>;
    report: (line: string) => void;
  },
): Environments {
  const all = new Set<Environment>();
  const waiting: (() => void)[] = [];
  /** By tenant; of a function without tenant isolation there is one entry. */
  const starting = new Map<string | undefined, number>();
  let running = 0;
  let closed = false;

  const forget = (environment: Environment): void => {
    environment.retired = true;
    if (!all.delete(environment) || environment.tenantId === undefined) return;
    deps.room.work(environment.evict);
    deps.room.leave();
  };
  const retire = async (environment: Environment): Promise<void> => {
    forget(environment);
    await environment.worker.terminate();
  };

  const start = async (tenantId: string | undefined): Promise<Environment> => {
    const settings = deps.settings();
    const credentials = await deps.mintSession();
    const worker = startWorker(kernel, {
      settings,
      credentials,
      endpoint: deps.endpoint(),
      report: deps.report,
      onExit: () => forget(environment),
    });
    const environment: Environment = { worker, tenantId, retired: false, inUse: true, evict: () => void retire(environment) };
    all.add(environment);
    return environment;
  };

  const reusable = (tenantId: string | undefined): Environment | undefined => {
    for (const environment of [...all]) {
      if (environment.inUse || environment.tenantId !== tenantId) continue;
      const needed = kernel.clock.now() + deps.settings().timeoutSeconds * 1000 + credentialMarginMs;
      if (!environment.retired && environment.worker.credentials.expiresAt > needed) return environment;
      void retire(environment);
    }
    return undefined;
  };

  const acquire = async (tenantId: string | undefined): Promise<Environment> => {
    for (;;) {
      const warm = reusable(tenantId);
      if (warm !== undefined) {
        warm.inUse = true;
        if (tenantId !== undefined) deps.room.work(warm.evict);
        return warm;
      }
      const begun = starting.get(tenantId) ?? 0;
      const own = [...all].filter((environment) => environment.tenantId === tenantId).length;
      if (own + begun < deps.limit() && (tenantId === undefined || deps.room.enter())) {
        starting.set(tenantId, begun + 1);
        try {
          return await start(tenantId);
        } catch (error) {
          if (tenantId !== undefined) deps.room.leave();
          throw error;
        } finally {
          starting.set(tenantId, (starting.get(tenantId) ?? 1) - 1);
        }
      }
      await (tenantId === undefined ? new Promise<void>((resolve) => waiting.push(resolve)) : deps.room.freed());
    }
  };

  const run = async (environment: Environment, { event, requestId, tenantId }: Invocation, sink: ResponseSink): Promise<Answer> => {
    const { worker } = environment;
    const { timeoutSeconds } = deps.settings();
    const initError = await within(worker.loaded, loadLimitMs, {
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out while loading`,
    });
    if (initError !== undefined) {
      worker.log.write(`${requestId} ERROR Init Error ${JSON.stringify(initError)}`);
      await retire(environment);
      return failed(initError);
    }
    if (worker.exited)
      return failed({
        errorType: 'Runtime.ExitError',
        errorMessage: `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
      });
    const message = {
      requestId,
      event,
      remainingMs: timeoutSeconds * 1000,
      traceId: `Root=1-${Math.floor(kernel.clock.now() / 1000).toString(16)}-${randomUUID().replaceAll('-', '').slice(0, 24)};Sampled=0`,
      ...(tenantId === undefined ? {} : { tenantId }),
    };
    const timedOut = failed({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
    });
    const result = await within(worker.run(message, sink), timeoutSeconds * 1000, timedOut);
    // As the runtime does: the caller of an event source mapping would otherwise never learn why a batch failed.
    if (result.functionError !== undefined) worker.log.write(`${requestId} ERROR Invoke Error ${result.payload}`);
    if (result === timedOut) await retire(environment);
    return result;
  };

  /** After an invocation: free for the next one of the same tenant, unless it is to serve no more. */
  const release = async (environment: Environment): Promise<void> => {
    environment.inUse = false;
    if (environment.retired || closed) await retire(environment);
    else if (environment.tenantId !== undefined) deps.room.rest(environment.evict);
  };

  return {
    async invoke(invocation, sink) {
      // A reserved concurrency of zero stops a function (Lambda Developer Guide, "Configuring reserved concurrency").
      if (deps.limit() === 0) throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
      running++;
      const collector = createCollector();
      try {
        const environment = await acquire(invocation.tenantId);
        try {
          const answer = await run(environment, invocation, sink ?? collector);
          return sink === undefined && answer.streamed === true ? { ...answer, payload: collector.text() } : answer;
        } finally {
          await release(environment);
        }
      } finally {
        running--;
        waiting.shift()?.();
      }
    },
    crash(accessKeyId) {
      for (const environment of all) if (environment.worker.credentials.accessKeyId === accessKeyId) void retire(environment);
    },
    recycle() {
      for (const environment of [...all]) {
        environment.retired = true;
        if (!environment.inUse) void retire(environment);
      }
    },
    get busy() {
      return running > 0 || [...all].some(({ worker }) => worker.log.pending > 0);
    },
    async close() {
      closed = true;
      await Promise.all([...all].map(retire));
    },
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
