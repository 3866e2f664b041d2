/**
 * SQS: standard queues. Making, describing and removing them is here, what happens to messages is in `sqs-messages.ts` and `sqs-redrive.ts`.
 * Source: Amazon SQS API Reference (JSON protocol) and Service Authorization Reference, "Actions, resources, and condition keys for Amazon SQS".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need, Scope } from '../core/service.ts';
import { getAttributes, numberOf, policyOf, setAttributes } from './sqs-attributes.ts';
import { messageOperations } from './sqs-messages.ts';
import { createQueue, depth, expire, type Queue, untilVisible } from './sqs-queue.ts';
import type { Queues } from './sqs-queues.ts';
import { redriveOperations } from './sqs-redrive.ts';
import { operation } from './typed-operation.ts';

/** What a consumer inside the cloud (an event source mapping) sees of a queue without calling it. */
export interface QueueView {
  /** Messages that are not deleted: visible, in flight or delayed; 0 when there is no such queue. */
  pending(queueArn: string): number;
  /** Those of them that can be received now. */
  ready(queueArn: string): number;
  /** When the earliest of them can be received, by the cloud's clock; undefined when there is none. */
  nextVisible(queueArn: string): number | undefined;
  /** Resolves when a message can be received, at clock time `until` at the latest. Rejects when aborted. A missing queue never has one. */
  untilVisible(queueArn: string, options: { until?: number; signal?: AbortSignal }): Promise<void>;
}

const names = z.record(z.string(), z.string());
const onQueue = z.strictObject({ QueueUrl: z.string() });
const queueName = z.string().regex(/^[\w-]{1,80}$/, 'letters, digits, - and _, at most 80');

/** @param options.endpoint where the cloud is reached, asked for at each use: it is known only once the server listens. */
export function createSqs(kernel: Kernel, options: { endpoint: () => string }): LocalService & { readonly view: QueueView } {
  const all = new Map<string, Queue>();
  const arnOf = (accountId: string, name: string): string => `arn:aws:sqs:${kernel.region}:${accountId}:${name}`;
  const urlOf = (queue: Queue): string => `${options.endpoint()}/${queue.accountId}/${queue.name}`;
  const arnOfUrl = (url: string): string => {
    const [accountId, name] = url.split('/').slice(-2);
    if (accountId === undefined || name === undefined || !/^\d{12}$/.test(accountId))
      throw new AwsError('InvalidAddress', 'The QueueUrl is not valid.', 404);
    return arnOf(accountId, name);
  };
  const queues: Queues = {
    clock: kernel.clock,
    region: kernel.region,
    byArn: (arn) => all.get(arn),
    byUrl(url) {
      const queue = all.get(arnOfUrl(url));
      if (queue === undefined) throw missing();
      expire(queue, kernel.clock.now(), numberOf(queue, 'MessageRetentionPeriod'));
      return queue;
    },
    inAccount: (accountId) => [...all.values()].filter((queue) => queue.accountId === accountId),
    need: (action, url) => queues.needOn(action, arnOfUrl(url)),
    needOn(action, arn) {
      const queue = all.get(arn);
      const document = queue === undefined ? undefined : policyOf(queue);
      const accountId = arn.split(':')[4];
      return {
        action: `sqs:${action}`,
        resource: arn,
        ...(accountId === undefined ? {} : { resourceAccountId: accountId }),
        ...(queue === undefined || document === undefined ? {} : { resourcePolicy: { name: `queue ${queue.name}`, document } }),
        context: tagContext(queue?.tags),
      };
    },
  };
  const byName = (name: string, scope: Scope, owner?: string): Queue => {
    const queue = all.get(arnOf(owner ?? scope.accountId, name));
    if (queue === undefined) throw missing();
    return queue;
  };

  return {
    signingName: 'sqs',
    protocol: 'json',
    targetPrefix: 'AmazonSQS',
    deliversTwice: true,
    view: {
      pending(arn) {
        const queue = all.get(arn);
        if (queue === undefined) return 0;
        const { ready, inFlight, delayed } = depth(queue, kernel.clock.now());
        return ready + inFlight + delayed;
      },
      ready(arn) {
        const queue = all.get(arn);
        return queue === undefined ? 0 : depth(queue, kernel.clock.now()).ready;
      },
      nextVisible(arn) {
        const moments = [...(all.get(arn)?.messages.values() ?? [])].map(({ visibleAt }) => visibleAt);
        return moments.length === 0 ? undefined : Math.min(...moments);
      },
      async untilVisible(arn, { until, signal }) {
        const queue = all.get(arn) ?? createQueue({ arn, name: '', accountId: '' }, 0);
        await untilVisible(queue, kernel.clock, until, signal);
      },
    },
    operations: {
      CreateQueue: operation(z.strictObject({ QueueName: queueName, Attributes: names.optional(), tags: names.optional() }), {
        needs: (input, scope) => {
          const context = requestTags(input.tags ?? {});
          const create: Need = { action: 'sqs:CreateQueue', resource: arnOf(scope.accountId, input.QueueName), context };
          return input.tags === undefined ? [create] : [create, { ...create, action: 'sqs:TagQueue' }];
        },
        run(input, scope) {
          const arn = arnOf(scope.accountId, input.QueueName);
          const wanted = createQueue({ arn, name: input.QueueName, accountId: scope.accountId }, kernel.clock.now());
          setAttributes(wanted, input.Attributes ?? {}, wanted.createdAt);
          for (const [key, value] of Object.entries(input.tags ?? {})) wanted.tags.set(key, value);
          const existing = all.get(arn);
          const differs = [...wanted.attributes].some(([name, value]) => existing?.attributes.get(name) !== value);
          if (existing !== undefined && differs)
            throw new AwsError('QueueNameExists', 'A queue already exists with the same name and a different value for an attribute.');
          if (existing === undefined) all.set(arn, wanted);
          return { QueueUrl: urlOf(wanted) };
        },
      }),
      GetQueueUrl: operation(z.strictObject({ QueueName: queueName, QueueOwnerAWSAccountId: z.string().optional() }), {
        needs: (input, scope) => [queues.needOn('GetQueueUrl', arnOf(input.QueueOwnerAWSAccountId ?? scope.accountId, input.QueueName))],
        run: (input, scope) => ({ QueueUrl: urlOf(byName(input.QueueName, scope, input.QueueOwnerAWSAccountId)) }),
      }),
      ListQueues: operation(z.strictObject({ QueueNamePrefix: z.string().optional(), MaxResults: z.number().optional() }), {
        needs: (_, scope) => [{ action: 'sqs:ListQueues', resource: arnOf(scope.accountId, '*') }],
        run: ({ QueueNamePrefix = '' }, scope) => ({
          QueueUrls: queues
            .inAccount(scope.accountId)
            .filter((queue) => queue.name.startsWith(QueueNamePrefix))
            .map(urlOf),
        }),
      }),
      GetQueueAttributes: operation(onQueue.extend({ AttributeNames: z.array(z.string()).default([]) }), {
        needs: (input) => [queues.need('GetQueueAttributes', input.QueueUrl)],
        run: (input) => ({ Attributes: getAttributes(queues.byUrl(input.QueueUrl), input.AttributeNames, kernel.clock.now()) }),
      }),
      SetQueueAttributes: operation(onQueue.extend({ Attributes: names }), {
        needs: (input) => [queues.need('SetQueueAttributes', input.QueueUrl)],
        run(input) {
          setAttributes(queues.byUrl(input.QueueUrl), input.Attributes, kernel.clock.now());
          return {};
        },
      }),
      DeleteQueue: operation(onQueue, {
        needs: (input) => [queues.need('DeleteQueue', input.QueueUrl)],
        run(input) {
          all.delete(queues.byUrl(input.QueueUrl).arn);
          return {};
        },
      }),
      PurgeQueue: operation(onQueue, {
        needs: (input) => [queues.need('PurgeQueue', input.QueueUrl)],
        run(input) {
          queues.byUrl(input.QueueUrl).messages.clear();
          return {};
        },
      }),
      TagQueue: operation(onQueue.extend({ Tags: names }), {
        needs: (input) => {
          const need = queues.need('TagQueue', input.QueueUrl);
          return [{ ...need, context: { ...need.context, ...requestTags(input.Tags) } }];
        },
        run(input) {
          const { tags } = queues.byUrl(input.QueueUrl);
          for (const [key, value] of Object.entries(input.Tags)) tags.set(key, value);
          return {};
        },
      }),
      UntagQueue: operation(onQueue.extend({ TagKeys: z.array(z.string()) }), {
        needs: (input) => {
          const need = queues.need('UntagQueue', input.QueueUrl);
          return [{ ...need, context: { ...need.context, 'aws:TagKeys': input.TagKeys } }];
        },
        run(input) {
          for (const key of input.TagKeys) queues.byUrl(input.QueueUrl).tags.delete(key);
          return {};
        },
      }),
      ListQueueTags: operation(onQueue, {
        needs: (input) => [queues.need('ListQueueTags', input.QueueUrl)],
        run: (input) => ({ Tags: Object.fromEntries(queues.byUrl(input.QueueUrl).tags) }),
      }),
      ...messageOperations(queues),
      ...redriveOperations(queues),
    },
  };
}

const missing = (): AwsError => new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');

function tagContext(tags: ReadonlyMap<string, string> | undefined): Record<string, string> {
  return Object.fromEntries([...(tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
}

function requestTags(tags: Readonly<Record<string, string>>): Record<string, string | readonly string[]> {
  const entries = Object.entries(tags);
  if (entries.length === 0) return {};
  return {
    'aws:TagKeys': entries.map(([key]) => key),
    ...Object.fromEntries(entries.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  };
}
