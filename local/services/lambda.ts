/**
 * Lambda: functions that run their bundled assets in worker threads, with their own role's credentials. Configuration is in
 * `lambda-functions.ts`, invocations in `lambda-invocations.ts`, the threads in `lambda-environments.ts`, queues as event sources in
 * `lambda-mappings.ts`, the HTTP binding in `lambda-routes.ts`. Source: AWS Lambda API Reference; Service Authorization Reference, "AWS Lambda".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService, Scope } from '../core/service.ts';
import { createEnvironments } from './lambda-environments.ts';
import {
  assetDirectoryOf,
  createFunctionInput,
  describeFunction,
  environmentSettings,
  functionArnOf,
  functionNeed,
  type LambdaFunction,
  updateFunctionInput,
} from './lambda-functions.ts';
import { invocationOperations } from './lambda-invocations.ts';
import { mappingOperations } from './lambda-mapping-operations.ts';
import { permissionOperations } from './lambda-permissions.ts';
import { respond, route } from './lambda-routes.ts';
import { createTenantRoom } from './lambda-tenant-room.ts';
import type { SessionCredentials } from './lambda-worker.ts';
import type { QueueView } from './sqs.ts';
import { operation } from './typed-operation.ts';

export interface LambdaOptions {
  /** The folder that `cdk synth` wrote: holds `asset.<hash>/index.mjs`. */
  readonly assetRoot: string;
  /** Where functions reach the cloud; asked for at each start of an environment. */
  readonly endpoint: () => string;
  readonly queues: QueueView;
  /** Subscribes to `crash` faults. */
  readonly onCrash: (listener: (accessKeyId: string) => void) => unknown;
  /** Environments a function may have at once, with tenant isolation for each tenant. @default 2 */
  readonly concurrencyPerFunction?: number;
  /** Environments that functions with tenant isolation may have at once, all tenants and functions together. @default 16 */
  readonly tenantEnvironments?: number | undefined;
  /** Takes one line for people, each at most once. @default standard error */
  readonly report?: (line: string) => void;
}

export interface LambdaService extends LocalService {
  /** A session of the function's role, made as Lambda makes it. @throws AwsError when there is no such function */
  functionCredentials(functionName: string, accountId?: string): Promise<SessionCredentials>;
}

const onFunction = z.strictObject({ FunctionName: z.string() });
export function createLambda(kernel: Kernel, options: LambdaOptions): LambdaService {
  const functions = new Map<string, LambdaFunction>();
  const stopped = new AbortController();
  const room = createTenantRoom(options.tenantEnvironments ?? 16);
  const reported = new Set<string>();
  const report = (line: string): void => {
    if (reported.has(line) || reported.size >= 1000) return;
    reported.add(line);
    (options.report ?? ((text: string) => process.stderr.write(`${text}\n`)))(line);
  };

  const arnOf = (scope: Scope, name: string): string => functionArnOf(name, kernel.region, scope.accountId);
  const byArn = (arn: string): LambdaFunction => {
    const fn = functions.get(arn);
    if (fn === undefined) throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404);
    return fn;
  };
  const find = (scope: Scope, name: string): LambdaFunction => byArn(arnOf(scope, name));
  const needs = (action: string) => (input: { FunctionName: string }, scope: Scope) => {
    const arn = arnOf(scope, input.FunctionName);
    return [functionNeed(action, arn, functions.get(arn))];
  };
  const passRole = (role: string) => ({
    action: 'iam:PassRole',
    resource: role,
    context: { 'iam:PassedToService': 'lambda.amazonaws.com' },
  });

  const mintSession = async (fn: LambdaFunction): Promise<SessionCredentials> => {
    const lambda = kernel.serviceCaller('lambda.amazonaws.com', fn.accountId);
    return sessionFrom(
      await kernel.call(
        lambda,
        'sts',
        'AssumeRole',
        { RoleArn: fn.config.Role, RoleSessionName: fn.config.FunctionName },
        { accountId: fn.accountId },
      ),
    );
  };

  const { operations: invocations, ...later } = invocationOperations(kernel, { find, needs, stopped: stopped.signal, report });
  const { operations: mappings, ...pollers } = mappingOperations(kernel, {
    queues: options.queues,
    functionByName: (scope, name) => find(scope, name),
    functionByArn: byArn,
    mintSession,
    report,
  });
  options.onCrash((accessKeyId) => {
    for (const fn of functions.values()) fn.environments.crash(accessKeyId);
  });

  const isRunning = (): boolean => [...functions.values()].some((fn) => fn.environments.busy);
  return {
    signingName: 'lambda',
    protocol: 'rest-json',
    route,
    respond,
    busy: () => pollers.busy() || later.busy() || isRunning(),
    working: () => pollers.working() || later.working() || isRunning(),
    async close() {
      stopped.abort(new AwsError('ServiceException', 'The local cloud is closing.', 500));
      pollers.stop();
      await Promise.all([...functions.values()].map((fn) => fn.environments.close()));
    },
    functionCredentials: async (functionName, accountId = kernel.accountId) =>
      await mintSession(byArn(functionArnOf(functionName, kernel.region, accountId))),
    operations: {
      CreateFunction: operation(createFunctionInput, {
        needs: (input, scope) => [...needs('CreateFunction')(input, scope), passRole(input.Role)],
        run(input, scope) {
          const arn = arnOf(scope, input.FunctionName);
          if (functions.has(arn)) throw new AwsError('ResourceConflictException', `Function already exist: ${input.FunctionName}`, 409);
          const fn: LambdaFunction = {
            arn,
            accountId: scope.accountId,
            assetDirectory: assetDirectoryOf(options.assetRoot, input.Code.S3Key),
            config: input,
            modifiedAt: kernel.clock.now(),
            environments: createEnvironments(kernel, {
              settings: () => environmentSettings(fn),
              limit: () => Math.min(options.concurrencyPerFunction ?? 2, fn.reservedConcurrency ?? Number.POSITIVE_INFINITY),
              room,
              endpoint: options.endpoint,
              mintSession: () => mintSession(fn),
              report,
            }),
          };
          functions.set(arn, fn);
          return describeFunction(fn);
        },
      }),
      GetFunction: operation(onFunction, {
        needs: needs('GetFunction'),
        run(input, scope) {
          const fn = find(scope, input.FunctionName);
          return {
            Configuration: describeFunction(fn),
            Code: { RepositoryType: 'S3', Location: `file://${fn.assetDirectory}` },
            Tags: fn.config.Tags,
          };
        },
      }),
      GetFunctionConfiguration: operation(onFunction, {
        needs: needs('GetFunctionConfiguration'),
        run: (input, scope) => describeFunction(find(scope, input.FunctionName)),
      }),
      ListFunctions: operation(z.strictObject({ MaxItems: z.coerce.number().optional() }), {
        needs: () => [{ action: 'lambda:ListFunctions', resource: '*' }],
        run: (_, scope) => ({ Functions: [...functions.values()].filter((fn) => fn.accountId === scope.accountId).map(describeFunction) }),
      }),
      UpdateFunctionConfiguration: operation(updateFunctionInput, {
        needs: (input, scope) => [
          ...needs('UpdateFunctionConfiguration')(input, scope),
          ...(input.Role === undefined ? [] : [passRole(input.Role)]),
        ],
        run(input, scope) {
          const fn = find(scope, input.FunctionName);
          const { FunctionName: _unchanged, ...changes } = input;
          fn.config = createFunctionInput.parse({ ...fn.config, ...changes });
          fn.modifiedAt = kernel.clock.now();
          fn.environments.recycle();
          return describeFunction(fn);
        },
      }),
      PutFunctionConcurrency: operation(onFunction.extend({ ReservedConcurrentExecutions: z.number().int().min(0) }), {
        needs: needs('PutFunctionConcurrency'),
        run(input, scope) {
          find(scope, input.FunctionName).reservedConcurrency = input.ReservedConcurrentExecutions;
          return { ReservedConcurrentExecutions: input.ReservedConcurrentExecutions };
        },
      }),
      DeleteFunctionConcurrency: operation(onFunction, {
        needs: needs('DeleteFunctionConcurrency'),
        run(input, scope) {
          delete find(scope, input.FunctionName).reservedConcurrency;
          return {};
        },
      }),
      DeleteFunction: operation(onFunction, {
        needs: needs('DeleteFunction'),
        async run(input, scope) {
          const fn = find(scope, input.FunctionName);
          functions.delete(fn.arn);
          await fn.environments.close();
          return {};
        },
      }),
      ...invocations,
      ...permissionOperations(find, needs),
      ...mappings,
    },
  };
}

const assumed = z.object({
  Credentials: z.object({
    AccessKeyId: z.string(),
    SecretAccessKey: z.string(),
    SessionToken: z.string(),
    Expiration: z.union([z.string(), z.number(), z.date()]),
  }),
});

function sessionFrom(answer: unknown): SessionCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = assumed.parse(answer).Credentials;
  // STS answers a date, which JSON protocols write as epoch seconds.
  const expiresAt = typeof Expiration === 'number' ? Expiration * 1000 : new Date(Expiration).getTime();
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, expiresAt };
}
