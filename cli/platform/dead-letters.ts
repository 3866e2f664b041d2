import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type Message,
  ReceiveMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { aws } from '../../functions/shared/aws-errors.ts';
import { CordonError } from '../../functions/shared/errors.ts';
import type { Cloud } from '../cloud/cloud.ts';

/** A message that could not be handled, as it was, and why. */
export interface DeadLetter {
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** Not there for what SQS itself moved here: the function died on it before it could say why. */
  readonly reason: { readonly code: string; readonly message: string } | undefined;
  readonly body: string;
}

/** While a queue is read through, what was read stays out of the way; should this end early, it is back after so long. */
const hiddenSeconds = 60;
const batch = 10;

/**
 * Reads messages of a dead-letter queue, `most` of them, and leaves them there. Reading is receiving: nobody else sees them meanwhile.
 *
 * @throws CordonError as `aws`
 */
export async function readDeadLetters({ sqs }: Pick<Cloud, 'sqs'>, url: string, most: number): Promise<readonly DeadLetter[]> {
  const received = new Map<string, Message>();
  try {
    while (received.size < most) {
      const { Messages = [] } = await aws('reading a dead-letter queue', () =>
        sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: url,
            MaxNumberOfMessages: Math.min(batch, most - received.size),
            VisibilityTimeout: hiddenSeconds,
            // Short polling asks some of a queue's servers only, and may miss what is there. Source: SQS Developer Guide, "Short and long polling".
            WaitTimeSeconds: 1,
            MessageAttributeNames: ['All'],
            MessageSystemAttributeNames: ['SentTimestamp'],
          }),
        ),
      );
      for (const message of Messages) received.set(message.MessageId ?? '', message);
      if (Messages.length === 0) break;
    }
  } finally {
    await putBack(sqs, url, [...received.values()]);
  }
  return [...received.values()].map(letterOf).sort((a, b) => a.sentAt - b.sentAt);
}

async function putBack(sqs: Cloud['sqs'], url: string, messages: readonly Message[]): Promise<void> {
  for (let at = 0; at < messages.length; at += batch) {
    const Entries = messages
      .slice(at, at + batch)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: 0 }));
    await aws('putting dead letters back', () => sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries })));
  }
}

function letterOf({ MessageId = '', Body = '', Attributes = {}, MessageAttributes = {} }: Message): DeadLetter {
  const code = MessageAttributes['ReasonCode']?.StringValue;
  const message = MessageAttributes['ReasonMessage']?.StringValue ?? '';
  return {
    messageId: MessageId,
    sentAt: Number(Attributes['SentTimestamp'] ?? 0),
    reason: code === undefined ? undefined : { code, message },
    body: Body,
  };
}

/** How far a redrive is. */
export interface Redrive {
  readonly status: 'running' | 'completed' | 'failed';
  readonly moved: number;
  readonly failureReason: string | undefined;
}

/** A redrive that has begun: ask how far it is. */
export type RedriveTask = () => Promise<Redrive>;

/**
 * Begins to move everything from a dead-letter queue back to where it came from. What a handler put aside was sent by that handler, so SQS does not know
 * where it came from and is told.
 *
 * @throws CordonError as `aws`
 */
export async function startRedrive(
  { sqs }: Pick<Cloud, 'sqs'>,
  queue: { readonly url: string; readonly dlqUrl: string },
): Promise<RedriveTask> {
  const [SourceArn, DestinationArn] = await Promise.all([arnOf(sqs, queue.dlqUrl), arnOf(sqs, queue.url)]);
  await aws('starting a redrive', () => sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn })));
  return async () => {
    const { Results } = await aws('asking how far the redrive is', () =>
      sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 })),
    );
    const { Status, ApproximateNumberOfMessagesMoved: moved = 0, FailureReason: failureReason } = Results?.[0] ?? {};
    return { status: Status === 'RUNNING' ? 'running' : Status === 'COMPLETED' ? 'completed' : 'failed', moved, failureReason };
  };
}

async function arnOf(sqs: Cloud['sqs'], QueueUrl: string): Promise<string> {
  const { Attributes } = await aws('asking for a queue', () =>
    sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] })),
  );
  const arn = Attributes?.['QueueArn'];
  if (arn === undefined) throw new CordonError('AWS_UNAVAILABLE', 'SQS answered without the ARN of a queue', { retryable: true });
  return arn;
}
