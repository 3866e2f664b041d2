/**
 * SQS event source mappings: polls a queue with the function's own role, hands batches to the function, deletes what it has done.
 * Source: Lambda Developer Guide, "Using Lambda with Amazon SQS" (event shape, batching, partial batch responses, scaling).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Caller, Kernel } from '../core/service.ts';
import type { Answer } from './lambda-answer.ts';
import type { QueueView } from './sqs.ts';

export interface Mapping {
  readonly uuid: string;
  readonly queueArn: string;
  readonly functionArn: string;
  readonly batchSize: number;
  /** Seconds of the cloud's clock. */
  readonly batchingWindow: number;
  readonly reportsItemFailures: boolean;
  readonly maximumConcurrency: number;
}

export interface Poller {
  readonly busy: boolean;
  /** Without messages that are hidden until later. */
  readonly working: boolean;
  stop(): void;
}

const received = z.object({
  Messages: z
    .array(
      z.object({
        MessageId: z.string(),
        ReceiptHandle: z.string(),
        MD5OfBody: z.string(),
        Body: z.string(),
        Attributes: z.record(z.string(), z.string()).default({}),
        MessageAttributes: z
          .record(z.string(), z.object({ DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional() }))
          .default({}),
      }),
    )
    .default([]),
});
type Received = z.output<typeof received>['Messages'][number];
const batchResponse = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() }).nullable();

/** How long the poller rests after AWS itself refused or failed it; real time, because it waits for a repair. */
const restMs = 500;

export function startPoller(
  kernel: Kernel,
  mapping: Mapping,
  deps: { queues: QueueView; callerOf: () => Promise<Caller>; invoke: (event: string) => Promise<Answer>; report: (line: string) => void },
): Poller {
  const stopped = new AbortController();
  const { signal } = stopped;
  const accountId = mapping.queueArn.split(':')[4] ?? '';
  const QueueUrl = `https://sqs/${accountId}/${mapping.queueArn.split(':')[5]}`;
  let inHand = 0;
  let free = Promise.withResolvers<void>();

  const call = async (operation: string, input: object): Promise<Record<string, unknown>> =>
    await kernel.call(await deps.callerOf(), 'sqs', operation, { QueueUrl, ...input }, { accountId });

  const receive = async (count: number): Promise<Received[]> => {
    const answer = await call('ReceiveMessage', {
      MaxNumberOfMessages: Math.min(count, 10),
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    return received.parse(answer).Messages;
  };

  /** Takes messages until the batch is full, the queue has no more, or the batching window has passed. */
  const gather = async (): Promise<Received[]> => {
    const batch = await receive(mapping.batchSize);
    const until = kernel.clock.now() + mapping.batchingWindow * 1000;
    for (let last = batch.length; batch.length > 0 && batch.length < mapping.batchSize; ) {
      // Fewer than ten is all there was: asking again at once would cost a call for nothing.
      if (last < 10 && kernel.clock.now() >= until) break;
      if (last < 10) await deps.queues.untilVisible(mapping.queueArn, { until, signal });
      const more = await receive(mapping.batchSize - batch.length);
      batch.push(...more);
      last = more.length;
    }
    return batch;
  };

  const work = async (batch: readonly Received[]): Promise<void> => {
    const answer = await deps.invoke(JSON.stringify({ Records: batch.map((message) => recordOf(message, mapping, kernel.region)) }));
    const undone = failures(answer, batch, mapping.reportsItemFailures);
    const done = batch.filter((message) => !undone.has(message.MessageId));
    for (let from = 0; from < done.length; from += 10) {
      const Entries = done.slice(from, from + 10).map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }));
      await call('DeleteMessageBatch', { Entries });
    }
  };

  const complain = (error: unknown): void => {
    if (!signal.aborted)
      deps.report(`The event source mapping of ${mapping.functionArn}: ${error instanceof Error ? error.message : String(error)}`);
  };

  const poll = async (): Promise<void> => {
    while (!signal.aborted) {
      if (inHand >= mapping.maximumConcurrency) {
        await free.promise;
        continue;
      }
      await deps.queues.untilVisible(mapping.queueArn, { signal });
      inHand++;
      const batch = await gather().catch(async (error: unknown) => {
        complain(error);
        await sleep(restMs, undefined, { signal, ref: false });
        return [];
      });
      if (batch.length === 0) {
        inHand--;
        continue;
      }
      work(batch)
        .catch(complain)
        .finally(() => {
          inHand--;
          free.resolve();
          free = Promise.withResolvers();
        });
    }
  };
  poll().catch((error: unknown) => {
    if (!signal.aborted) complain(error);
  });

  return {
    get busy() {
      return inHand > 0 || deps.queues.pending(mapping.queueArn) > 0;
    },
    get working() {
      return inHand > 0 || deps.queues.ready(mapping.queueArn) > 0;
    },
    stop() {
      stopped.abort(new AwsError('ServiceException', 'The event source mapping was stopped.', 500));
      free.resolve();
    },
  };
}

/** The messages to leave in the queue. An error, or an answer that does not name its failures properly, fails the whole batch. */
function failures(answer: Answer, batch: readonly Received[], reportsItemFailures: boolean): ReadonlySet<string> {
  const everything = new Set(batch.map((message) => message.MessageId));
  if (answer.functionError !== undefined) return everything;
  if (!reportsItemFailures) return new Set();
  const response = batchResponse.safeParse(JSON.parse(answer.payload));
  if (!response.success) return everything;
  const named = (response.data?.batchItemFailures ?? []).map((failure) => failure.itemIdentifier);
  return named.every((id) => everything.has(id)) ? new Set(named) : everything;
}

function recordOf(message: Received, mapping: Mapping, region: string): object {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes,
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
        name,
        { stringValue: StringValue, binaryValue: BinaryValue, stringListValues: [], binaryListValues: [], dataType: DataType },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: mapping.queueArn,
    awsRegion: region,
  };
}
