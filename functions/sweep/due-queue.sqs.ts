import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { aws } from '../shared/aws-errors.ts';
import type { DueItem, DueQueue } from './due-item.ts';
import type { DueMessage } from './due-message.ts';

/** Messages per call. Source: SQS API Reference, SendMessageBatch. */
const batchSize = 10;
const depthAttributes = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** A message group on a standard queue makes it fair: a tenant with many messages does not hold up the others. Source: SQS Developer Guide, "Amazon SQS fair queues". */
export function createDueQueue(client: SQSClient, queueUrl: string): DueQueue {
  return {
    depth: () =>
      aws('asking a queue for its depth', async () => {
        const { Attributes = {} } = await client.send(
          new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...depthAttributes] }),
        );
        return depthAttributes.reduce((sum, name) => sum + Number(Attributes[name] ?? 0), 0);
      }),
    send: (items) =>
      aws('sending what is due', async () => {
        let taken = 0;
        for (let from = 0; from < items.length; from += batchSize) {
          const Entries = items.slice(from, from + batchSize).map((item, index) => ({
            Id: String(index),
            MessageBody: JSON.stringify(messageOf(item)),
            MessageGroupId: item.tenantId,
          }));
          const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
          taken += answer.Successful?.length ?? 0;
        }
        return taken;
      }),
  };
}

function messageOf({ tenantId, sk, dueAt }: DueItem): DueMessage {
  return { version: 1, kind: 'due', tenantId, sk, dueAt };
}
