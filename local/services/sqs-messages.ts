/** What is done with messages. A body is never logged and never leaves by an error message. Source: Amazon SQS API Reference. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { numberOf, redriveOf } from './sqs-attributes.ts';
import {
  duplicate,
  expire,
  type Message,
  type MessageAttributes,
  md5,
  md5OfAttributes,
  messageOf,
  type Queue,
  receive,
  send,
  untilVisible,
  wake,
} from './sqs-queue.ts';
import type { Queues } from './sqs-queues.ts';
import { operation } from './typed-operation.ts';

const messageAttributes = z.record(
  z.string(),
  z.strictObject({ DataType: z.string().min(1), StringValue: z.string().optional(), BinaryValue: z.string().optional() }),
);
const outgoing = z.strictObject({
  MessageBody: z.string().min(1),
  DelaySeconds: z.number().int().min(0).max(900).optional(),
  MessageAttributes: messageAttributes.optional(),
  MessageGroupId: z.string().min(1).max(128).optional(),
});
const visibility = z.number().int().min(0).max(43_200);
const receipt = z.strictObject({ ReceiptHandle: z.string() });
const url = { QueueUrl: z.string() };
const batch = <S extends z.ZodRawShape>(entry: z.ZodObject<S, z.core.$strict>) =>
  z.strictObject({ ...url, Entries: z.array(z.strictObject({ Id: z.string().regex(/^[\w-]{1,80}$/), ...entry.shape })) });
const receiveInput = z.strictObject({
  ...url,
  AttributeNames: z.array(z.string()).default([]),
  MessageSystemAttributeNames: z.array(z.string()).default([]),
  MessageAttributeNames: z.array(z.string()).default([]),
  MaxNumberOfMessages: z.number().int().min(1).max(10).default(1),
  VisibilityTimeout: visibility.optional(),
  WaitTimeSeconds: z.number().int().min(0).max(20).optional(),
});

export function messageOperations(queues: Queues): Record<string, Operation> {
  const needs = (action: string) => (input: { QueueUrl: string }) => [queues.need(action, input.QueueUrl)];

  const put = (
    queue: Queue,
    input: z.output<typeof outgoing>,
    scope: Scope,
  ): { MessageId: string; MD5OfMessageBody: string; MD5OfMessageAttributes?: string } => {
    const attributes: MessageAttributes = input.MessageAttributes ?? {};
    if (Buffer.byteLength(input.MessageBody) + Buffer.byteLength(JSON.stringify(attributes)) > numberOf(queue, 'MaximumMessageSize'))
      throw new AwsError(
        'InvalidParameterValue',
        'One or more parameters are invalid. Reason: Message must be shorter than the queue allows.',
      );
    const message = send(
      queue,
      {
        body: input.MessageBody,
        attributes,
        senderId: scope.caller.principal.arn,
        ...(input.MessageGroupId === undefined ? {} : { groupId: input.MessageGroupId }),
      },
      queues.clock.now(),
      input.DelaySeconds ?? numberOf(queue, 'DelaySeconds'),
    );
    if (scope.deliverTwice === true) duplicate(queue, message, message.visibleAt);
    const digest = md5OfAttributes(attributes);
    return {
      MessageId: message.id,
      MD5OfMessageBody: md5(message.body),
      ...(digest === undefined ? {} : { MD5OfMessageAttributes: digest }),
    };
  };

  const remove = (queue: Queue, handle: string): object => {
    const message = messageOf(queue, handle);
    // A stale handle is accepted but may not delete what has been delivered again since ("the request succeeds, but the message might not be deleted").
    if (message?.receipt === handle) queue.messages.delete(message.key);
    return {};
  };

  const hide = (queue: Queue, handle: string, seconds: number): object => {
    const now = queues.clock.now();
    const message = messageOf(queue, handle);
    if (message === undefined || message.receipt !== handle || message.visibleAt <= now)
      throw new AwsError('MessageNotInflight', 'The message referred to is not in flight.');
    message.visibleAt = now + seconds * 1000;
    wake(queue);
    return {};
  };

  const take = (queue: Queue, input: z.output<typeof receiveInput>): readonly Message[] => {
    const redrive = redriveOf(queue);
    const target = redrive === undefined ? undefined : queues.byArn(redrive.deadLetterTargetArn);
    const now = queues.clock.now();
    expire(queue, now, numberOf(queue, 'MessageRetentionPeriod'));
    return receive(queue, now, {
      count: input.MaxNumberOfMessages,
      visibilitySeconds: input.VisibilityTimeout ?? numberOf(queue, 'VisibilityTimeout'),
      // Without a dead-letter queue to take it, a message is delivered again and again.
      maxReceives: redrive === undefined || target === undefined ? Number.POSITIVE_INFINITY : redrive.maxReceiveCount,
      exhausted(message) {
        queue.messages.delete(message.key);
        target?.messages.set(message.key, { ...message, deadLetterSource: queue.arn, visibleAt: now });
        if (target !== undefined) wake(target);
      },
    });
  };

  const sending = z.strictObject({ ...url, ...outgoing.shape });
  return {
    SendMessage: operation(sending, {
      needs: needs('SendMessage'),
      run: (input, scope) => put(queues.byUrl(input.QueueUrl), input, scope),
    }),
    SendMessageBatch: operation(batch(outgoing), {
      needs: needs('SendMessage'),
      run: (input, scope) => eachEntry(input.Entries, (entry) => put(queues.byUrl(input.QueueUrl), entry, scope)),
    }),
    ReceiveMessage: operation(receiveInput, {
      needs: needs('ReceiveMessage'),
      async run(input, scope) {
        const queue = queues.byUrl(input.QueueUrl);
        const until = queues.clock.now() + 1000 * (input.WaitTimeSeconds ?? numberOf(queue, 'ReceiveMessageWaitTimeSeconds'));
        let taken = take(queue, input);
        while (taken.length === 0 && queues.clock.now() < until) {
          await untilVisible(queue, queues.clock, until);
          taken = take(queue, input);
        }
        if (scope.deliverTwice === true) for (const message of taken) duplicate(queue, message, queues.clock.now());
        return taken.length === 0 ? {} : { Messages: taken.map((message) => delivered(message, input)) };
      },
    }),
    DeleteMessage: operation(z.strictObject({ ...url, ...receipt.shape }), {
      needs: needs('DeleteMessage'),
      run: (input) => remove(queues.byUrl(input.QueueUrl), input.ReceiptHandle),
    }),
    DeleteMessageBatch: operation(batch(receipt), {
      needs: needs('DeleteMessage'),
      run: (input) => eachEntry(input.Entries, (entry) => remove(queues.byUrl(input.QueueUrl), entry.ReceiptHandle)),
    }),
    ChangeMessageVisibility: operation(z.strictObject({ ...url, ...receipt.shape, VisibilityTimeout: visibility }), {
      needs: needs('ChangeMessageVisibility'),
      run: (input) => hide(queues.byUrl(input.QueueUrl), input.ReceiptHandle, input.VisibilityTimeout),
    }),
    ChangeMessageVisibilityBatch: operation(batch(receipt.extend({ VisibilityTimeout: visibility })), {
      needs: needs('ChangeMessageVisibility'),
      run: (input) => eachEntry(input.Entries, (entry) => hide(queues.byUrl(input.QueueUrl), entry.ReceiptHandle, entry.VisibilityTimeout)),
    }),
  };
}

/** Runs a batch entry by entry: one that fails does not stop the others. @throws AwsError for a batch that is empty, too long or repeats an Id. */
function eachEntry<E extends { Id: string }>(
  entries: readonly E[],
  work: (entry: E) => object,
): { Successful: object[]; Failed: object[] } {
  if (entries.length === 0) throw new AwsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10) throw new AwsError('TooManyEntriesInBatchRequest', 'Maximum number of entries per request are 10.');
  if (new Set(entries.map((entry) => entry.Id)).size < entries.length)
    throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  const answer: { Successful: object[]; Failed: object[] } = { Successful: [], Failed: [] };
  for (const entry of entries) {
    try {
      answer.Successful.push({ Id: entry.Id, ...work(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      answer.Failed.push({ Id: entry.Id, SenderFault: error.status < 500, Code: error.code, Message: error.message });
    }
  }
  return answer;
}

/** A message in the answer's shape, with the attributes that were asked for. */
function delivered(message: Message, input: z.output<typeof receiveInput>): object {
  const system: Record<string, string | undefined> = {
    SenderId: message.senderId,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    MessageGroupId: message.groupId,
    DeadLetterQueueSourceArn: message.deadLetterSource,
  };
  const asked = [...input.AttributeNames, ...input.MessageSystemAttributeNames];
  const attributes = Object.entries(system).filter(
    ([name, value]) => value !== undefined && (asked.includes('All') || asked.includes(name)),
  );
  const wanted = (name: string): boolean =>
    input.MessageAttributeNames.some((ask) => ask === 'All' || ask === name || (ask.endsWith('.*') && name.startsWith(ask.slice(0, -2))));
  const custom = Object.fromEntries(Object.entries(message.attributes).filter(([name]) => wanted(name)));
  const digest = md5OfAttributes(custom);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(attributes.length === 0 ? {} : { Attributes: Object.fromEntries(attributes) }),
    ...(digest === undefined ? {} : { MessageAttributes: custom, MD5OfMessageAttributes: digest }),
  };
}
