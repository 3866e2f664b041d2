/** Event source mappings as the API sees them, and the pollers behind them. Source: Lambda API Reference, `CreateEventSourceMapping`. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Caller, Kernel, Operation, Scope } from '../core/service.ts';
import type { LambdaFunction } from './lambda-functions.ts';
import { type Mapping, type Poller, startPoller } from './lambda-mappings.ts';
import type { SessionCredentials } from './lambda-worker.ts';
import type { QueueView } from './sqs.ts';
import { operation } from './typed-operation.ts';

const createInput = z.strictObject({
  FunctionName: z.string(),
  EventSourceArn: z.string().regex(/^arn:aws:sqs:[\w-]+:\d{12}:[\w-]+$/, 'the local cloud polls SQS queues'),
  Enabled: z.literal(true).default(true),
  BatchSize: z.number().int().min(1).max(10_000).default(10),
  MaximumBatchingWindowInSeconds: z.number().int().min(0).max(300).default(0),
  FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).default([]),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.number().int().min(2).max(1000).optional() }).default({}),
});
const onMapping = z.strictObject({ UUID: z.string() });

interface Entry {
  readonly mapping: Mapping;
  readonly accountId: string;
  readonly createdAt: number;
  readonly poller: Poller;
}

/** A session of the function's role that is renewed a minute before it ends. */
function renewedCaller(kernel: Kernel, mint: () => Promise<SessionCredentials>): () => Promise<Caller> {
  let current: Promise<SessionCredentials> | undefined;
  return async () => {
    const session = await current;
    if (session === undefined || session.expiresAt <= kernel.clock.now() + 60_000) {
      current = mint();
      current.catch(() => {
        current = undefined;
      });
    }
    const caller = kernel.callerOf((await current)?.accessKeyId ?? '');
    if (caller === undefined) throw new AwsError('ExpiredTokenException', 'The session of the function has ended.', 403);
    return caller;
  };
}

export function mappingOperations(
  kernel: Kernel,
  deps: {
    queues: QueueView;
    functionByName: (scope: Scope, name: string) => LambdaFunction;
    functionByArn: (arn: string) => LambdaFunction;
    mintSession: (fn: LambdaFunction) => Promise<SessionCredentials>;
    report: (line: string) => void;
  },
): { operations: Record<string, Operation>; busy: () => boolean; working: () => boolean; stop: () => void } {
  const entries = new Map<string, Entry>();
  const arnOf = (scope: Scope, uuid: string): string => `arn:aws:lambda:${kernel.region}:${scope.accountId}:event-source-mapping:${uuid}`;
  const find = (uuid: string): Entry => {
    const entry = entries.get(uuid);
    if (entry === undefined) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
    return entry;
  };
  const onEntry = (action: string) => (input: { UUID: string }, scope: Scope) => [
    {
      action: `lambda:${action}`,
      resource: arnOf(scope, input.UUID),
      context: { 'lambda:FunctionArn': entries.get(input.UUID)?.mapping.functionArn },
    },
  ];

  const operations = {
    CreateEventSourceMapping: operation(createInput, {
      needs: (input, scope) => [
        {
          action: 'lambda:CreateEventSourceMapping',
          resource: '*',
          context: { 'lambda:FunctionArn': deps.functionByName(scope, input.FunctionName).arn },
        },
      ],
      run(input, scope) {
        if (input.BatchSize > 10 && input.MaximumBatchingWindowInSeconds < 1)
          throw new AwsError(
            'InvalidParameterValueException',
            'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
          );
        const fn = deps.functionByName(scope, input.FunctionName);
        // "Tenant isolation", considerations: no event source mappings, because a message names no tenant.
        if (fn.config.TenancyConfig !== undefined)
          throw new AwsError(
            'InvalidParameterValueException',
            'Event source mappings are not supported for functions with tenancy configuration.',
          );
        const exists = [...entries.values()].some(
          ({ mapping }) => mapping.functionArn === fn.arn && mapping.queueArn === input.EventSourceArn,
        );
        if (exists)
          throw new AwsError('ResourceConflictException', 'An event source mapping with this queue and function already exists.', 409);
        const mapping: Mapping = {
          uuid: randomUUID(),
          queueArn: input.EventSourceArn,
          functionArn: fn.arn,
          batchSize: input.BatchSize,
          batchingWindow: input.MaximumBatchingWindowInSeconds,
          reportsItemFailures: input.FunctionResponseTypes.length > 0,
          // Lambda starts with five concurrent batches; the function's own limit makes the rest wait.
          maximumConcurrency: input.ScalingConfig.MaximumConcurrency ?? 5,
        };
        const poller = startPoller(kernel, mapping, {
          queues: deps.queues,
          callerOf: renewedCaller(kernel, () => deps.mintSession(deps.functionByArn(fn.arn))),
          invoke: (event) => deps.functionByArn(fn.arn).environments.invoke({ event, requestId: randomUUID() }),
          report: deps.report,
        });
        const entry = { mapping, accountId: scope.accountId, createdAt: kernel.clock.now(), poller };
        entries.set(mapping.uuid, entry);
        return describe(entry);
      },
    }),
    GetEventSourceMapping: operation(onMapping, { needs: onEntry('GetEventSourceMapping'), run: (input) => describe(find(input.UUID)) }),
    ListEventSourceMappings: operation(
      z.strictObject({
        FunctionName: z.string().optional(),
        EventSourceArn: z.string().optional(),
        MaxItems: z.coerce.number().optional(),
      }),
      {
        needs: () => [{ action: 'lambda:ListEventSourceMappings', resource: '*' }],
        run(input, scope) {
          const functionArn = input.FunctionName === undefined ? undefined : deps.functionByName(scope, input.FunctionName).arn;
          const found = [...entries.values()].filter(
            ({ mapping, accountId }) =>
              accountId === scope.accountId &&
              (functionArn === undefined || mapping.functionArn === functionArn) &&
              (input.EventSourceArn === undefined || mapping.queueArn === input.EventSourceArn),
          );
          return { EventSourceMappings: found.map(describe) };
        },
      },
    ),
    DeleteEventSourceMapping: operation(onMapping, {
      needs: onEntry('DeleteEventSourceMapping'),
      run(input) {
        const entry = find(input.UUID);
        entry.poller.stop();
        entries.delete(input.UUID);
        return { ...describe(entry), State: 'Deleting' };
      },
    }),
  };
  return {
    operations,
    busy: () => [...entries.values()].some(({ poller }) => poller.busy),
    working: () => [...entries.values()].some(({ poller }) => poller.working),
    stop: () => {
      for (const { poller } of entries.values()) poller.stop();
    },
  };
}

function describe({ mapping, createdAt }: Entry): object {
  return {
    UUID: mapping.uuid,
    EventSourceArn: mapping.queueArn,
    FunctionArn: mapping.functionArn,
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.batchingWindow,
    FunctionResponseTypes: mapping.reportsItemFailures ? ['ReportBatchItemFailures'] : [],
    ScalingConfig: { MaximumConcurrency: mapping.maximumConcurrency },
    State: 'Enabled',
    LastModified: createdAt / 1000,
  };
}
