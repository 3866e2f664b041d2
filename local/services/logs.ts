/**
 * CloudWatch Logs as a place to write to and look into: groups, streams, events, resource policies. Memory is bounded: a stream keeps its
 * newest events. Source: CloudWatch Logs API Reference; resource ARNs as IAM evaluates them, `log-group:{name}:log-stream:{stream}`.
 */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need, Scope } from '../core/service.ts';
import type { PolicyDocument, PolicyStatement } from '../iam/policy.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { operation } from './typed-operation.ts';

const eventsPerStream = 10_000;
const streamsPerGroup = 1_000;

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
  readonly eventId: string;
}
interface LogStream {
  readonly name: string;
  readonly createdAt: number;
  events: LogEvent[];
}
interface LogGroup {
  readonly name: string;
  readonly accountId: string;
  readonly createdAt: number;
  retentionInDays?: number;
  kmsKeyId?: string;
  readonly streams: Map<string, LogStream>;
  readonly tags: Map<string, string>;
}
interface Account {
  readonly groups: Map<string, LogGroup>;
  readonly policies: Map<string, { text: string; statements: readonly PolicyStatement[] }>;
  /** All resource policies as one document; the same object until one changes, so that it is compiled once. */
  policy?: PolicyDocument;
}

const tags = z.record(z.string(), z.string());
const inGroup = z.strictObject({ logGroupName: z.string().min(1) });
const inStream = inGroup.extend({ logStreamName: z.string().min(1) });
const window = {
  startTime: z.number().optional(),
  endTime: z.number().optional(),
  limit: z.number().int().min(1).max(10_000).default(10_000),
  nextToken: z.string().optional(),
};
const byEither = { logGroupName: z.string().optional(), logGroupIdentifier: z.string().optional() };

export function createLogs(kernel: Kernel): LocalService {
  const accounts = new Map<string, Account>();
  let eventNumber = 0;
  const account = (accountId: string): Account => {
    const known = accounts.get(accountId) ?? { groups: new Map(), policies: new Map() };
    accounts.set(accountId, known);
    return known;
  };
  const need = (action: string, scope: Scope, group: string, stream?: string): Need => {
    const owner = account(scope.accountId);
    const known = owner.groups.get(group);
    const suffix = stream === undefined ? '' : `:log-stream:${stream}`;
    return {
      action: `logs:${action}`,
      resource: `arn:aws:logs:${kernel.region}:${scope.accountId}:log-group:${group}${suffix}`,
      context: Object.fromEntries([...(known?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
      ...(owner.policy === undefined ? {} : { resourcePolicy: { name: 'logs resource policies', document: owner.policy } }),
    };
  };
  const groupOf = (scope: Scope, name: string): LogGroup => {
    const group = account(scope.accountId).groups.get(name);
    if (group === undefined) throw missing('log group');
    return group;
  };
  const streamOf = (scope: Scope, group: string, name: string): LogStream => {
    const stream = groupOf(scope, group).streams.get(name);
    if (stream === undefined) throw missing('log stream');
    return stream;
  };
  const named = (input: { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined }): string => {
    const name = input.logGroupName ?? nameOfArn(input.logGroupIdentifier ?? '');
    if (name === '') throw new AwsError('InvalidParameterException', 'Either logGroupName or logGroupIdentifier must be given.');
    return name;
  };
  const arnOf = (group: LogGroup): string => `arn:aws:logs:${kernel.region}:${group.accountId}:log-group:${group.name}`;

  return {
    signingName: 'logs',
    protocol: 'json',
    targetPrefix: 'Logs_20140328',
    operations: {
      CreateLogGroup: operation(
        inGroup.extend({ kmsKeyId: z.string().optional(), tags: tags.optional(), logGroupClass: z.literal('STANDARD').optional() }),
        {
          needs: (input, scope) => [need('CreateLogGroup', scope, input.logGroupName, '')],
          run(input, scope) {
            const { groups } = account(scope.accountId);
            if (groups.has(input.logGroupName))
              throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists');
            groups.set(input.logGroupName, {
              name: input.logGroupName,
              accountId: scope.accountId,
              createdAt: kernel.clock.now(),
              ...(input.kmsKeyId === undefined ? {} : { kmsKeyId: input.kmsKeyId }),
              streams: new Map(),
              tags: new Map(Object.entries(input.tags ?? {})),
            });
            return {};
          },
        },
      ),
      DescribeLogGroups: operation(z.strictObject({ logGroupNamePrefix: z.string().default(''), limit: z.number().optional() }), {
        needs: (input, scope) => [need('DescribeLogGroups', scope, input.logGroupNamePrefix, '')],
        run: (input, scope) => ({
          logGroups: [...account(scope.accountId).groups.values()]
            .filter((group) => group.name.startsWith(input.logGroupNamePrefix))
            .map((group) => ({
              logGroupName: group.name,
              creationTime: group.createdAt,
              arn: `${arnOf(group)}:*`,
              logGroupArn: arnOf(group),
              ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
              ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
            })),
        }),
      }),
      DeleteLogGroup: operation(inGroup, {
        needs: (input, scope) => [need('DeleteLogGroup', scope, input.logGroupName, '')],
        run(input, scope) {
          account(scope.accountId).groups.delete(groupOf(scope, input.logGroupName).name);
          return {};
        },
      }),
      PutRetentionPolicy: operation(inGroup.extend({ retentionInDays: z.number().int().min(1) }), {
        needs: (input, scope) => [need('PutRetentionPolicy', scope, input.logGroupName, '')],
        run(input, scope) {
          groupOf(scope, input.logGroupName).retentionInDays = input.retentionInDays;
          return {};
        },
      }),
      CreateLogStream: operation(inStream, {
        needs: (input, scope) => [need('CreateLogStream', scope, input.logGroupName, input.logStreamName)],
        run(input, scope) {
          const { streams } = groupOf(scope, input.logGroupName);
          if (streams.has(input.logStreamName))
            throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
          streams.set(input.logStreamName, { name: input.logStreamName, createdAt: kernel.clock.now(), events: [] });
          const oldest = streams.keys().next().value;
          if (streams.size > streamsPerGroup && oldest !== undefined) streams.delete(oldest);
          return {};
        },
      }),
      DescribeLogStreams: operation(
        z.strictObject({
          ...byEither,
          logStreamNamePrefix: z.string().default(''),
          orderBy: z.string().optional(),
          descending: z.boolean().optional(),
          limit: z.number().optional(),
        }),
        {
          needs: (input, scope) => [need('DescribeLogStreams', scope, named(input), '')],
          run: (input, scope) => ({
            logStreams: [...groupOf(scope, named(input)).streams.values()]
              .filter((stream) => stream.name.startsWith(input.logStreamNamePrefix))
              .map((stream) => ({
                logStreamName: stream.name,
                creationTime: stream.createdAt,
                lastEventTimestamp: stream.events.at(-1)?.timestamp,
              })),
          }),
        },
      ),
      PutLogEvents: operation(
        inStream.extend({
          logEvents: z
            .array(z.strictObject({ timestamp: z.number(), message: z.string() }))
            .min(1)
            .max(10_000),
          sequenceToken: z.string().optional(),
        }),
        {
          needs: (input, scope) => [need('PutLogEvents', scope, input.logGroupName, input.logStreamName)],
          run(input, scope) {
            const stream = streamOf(scope, input.logGroupName, input.logStreamName);
            const ingestionTime = kernel.clock.now();
            for (const event of input.logEvents)
              stream.events.push({ ...event, ingestionTime, eventId: String(++eventNumber).padStart(20, '0') });
            // Cut in blocks: cutting at every call would copy the whole stream each time.
            if (stream.events.length > eventsPerStream * 1.5) stream.events = stream.events.slice(-eventsPerStream);
            return { nextSequenceToken: String(eventNumber) };
          },
        },
      ),
      GetLogEvents: operation(
        z.strictObject({ ...byEither, logStreamName: z.string(), ...window, startFromHead: z.boolean().optional() }),
        {
          needs: (input, scope) => [need('GetLogEvents', scope, named(input), input.logStreamName)],
          run(input, scope) {
            const all = streamOf(scope, named(input), input.logStreamName).events.filter(within(input));
            // A token says how many events were read: reading on from it gives what came since.
            const from =
              input.nextToken === undefined
                ? input.startFromHead === true
                  ? 0
                  : Math.max(0, all.length - input.limit)
                : Number(input.nextToken.slice(2));
            const events = all.slice(from, from + input.limit).map(({ eventId: _internal, ...event }) => event);
            return { events, nextForwardToken: `f/${from + events.length}`, nextBackwardToken: `b/${Math.max(0, from - input.limit)}` };
          },
        },
      ),
      FilterLogEvents: operation(
        z.strictObject({
          ...byEither,
          logStreamNames: z.array(z.string()).optional(),
          logStreamNamePrefix: z.string().default(''),
          filterPattern: z.string().default(''),
          interleaved: z.boolean().optional(),
          ...window,
        }),
        {
          needs: (input, scope) => [need('FilterLogEvents', scope, named(input), '')],
          run(input, scope) {
            const term = filterTerm(input.filterPattern);
            const found = [...groupOf(scope, named(input)).streams.values()]
              .filter(
                (stream) => stream.name.startsWith(input.logStreamNamePrefix) && (input.logStreamNames?.includes(stream.name) ?? true),
              )
              .flatMap((stream) => stream.events.filter(within(input)).map((event) => ({ logStreamName: stream.name, ...event })))
              .filter((event) => event.message.includes(term))
              .sort((a, b) => a.timestamp - b.timestamp || (a.eventId < b.eventId ? -1 : 1));
            const from = Number(input.nextToken ?? 0);
            const events = found.slice(from, from + input.limit);
            return {
              events,
              searchedLogStreams: [],
              ...(from + events.length < found.length ? { nextToken: String(from + events.length) } : {}),
            };
          },
        },
      ),
      PutResourcePolicy: operation(z.strictObject({ policyName: z.string().min(1), policyDocument: z.string() }), {
        needs: () => [{ action: 'logs:PutResourcePolicy', resource: '*' }],
        run(input, scope) {
          const owner = account(scope.accountId);
          const { Statement } = parseResourcePolicy(input.policyName, input.policyDocument, 'InvalidParameterException');
          if (owner.policies.size >= 10 && !owner.policies.has(input.policyName))
            throw new AwsError('LimitExceededException', 'Resource limit exceeded.');
          owner.policies.set(input.policyName, { text: input.policyDocument, statements: [Statement].flat() });
          owner.policy = { Version: '2012-10-17', Statement: [...owner.policies.values()].flatMap(({ statements }) => statements) };
          return {
            resourcePolicy: { policyName: input.policyName, policyDocument: input.policyDocument, lastUpdatedTime: kernel.clock.now() },
          };
        },
      }),
      DescribeResourcePolicies: operation(z.strictObject({ limit: z.number().optional() }), {
        needs: () => [{ action: 'logs:DescribeResourcePolicies', resource: '*' }],
        run: (_, scope) => ({
          resourcePolicies: [...account(scope.accountId).policies].map(([policyName, { text }]) => ({ policyName, policyDocument: text })),
        }),
      }),
      TagResource: operation(z.strictObject({ resourceArn: z.string(), tags }), {
        needs: (input, scope) => [need('TagResource', scope, nameOfArn(input.resourceArn))],
        run(input, scope) {
          for (const [key, value] of Object.entries(input.tags)) groupOf(scope, nameOfArn(input.resourceArn)).tags.set(key, value);
          return {};
        },
      }),
      ListTagsForResource: operation(z.strictObject({ resourceArn: z.string() }), {
        needs: (input, scope) => [need('ListTagsForResource', scope, nameOfArn(input.resourceArn))],
        run: (input, scope) => ({ tags: Object.fromEntries(groupOf(scope, nameOfArn(input.resourceArn)).tags) }),
      }),
    },
  };
}

const missing = (what: string): AwsError => new AwsError('ResourceNotFoundException', `The specified ${what} does not exist.`);

/** `arn:…:log-group:{name}` with or without `:*`; a bare name is one too. */
const nameOfArn = (arn: string): string => arn.replace(/^arn:.*?:log-group:/, '').replace(/:\*$/, '');

const within =
  (range: { startTime?: number | undefined; endTime?: number | undefined }) =>
  (event: LogEvent): boolean =>
    event.timestamp >= (range.startTime ?? 0) && event.timestamp < (range.endTime ?? Number.POSITIVE_INFINITY);

/** Only what a substring can decide: nothing, one bare term, or one quoted text. */
function filterTerm(pattern: string): string {
  const text = pattern.trim();
  if (/^[\w]*$/.test(text)) return text;
  if (/^"[^"]*"$/.test(text)) return text.slice(1, -1);
  throw notImplemented('filter patterns other than "" and one quoted text');
}
