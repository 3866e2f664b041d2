/** The queue of a worker in the hands of a test, which delivers its messages itself. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { asRoot } from './ground-truth.ts';

export interface WorkerQueue {
  /** Puts a body on it. */
  send(body: object): Promise<void>;
  /** Takes what is visible; it comes again unless it is deleted. */
  receive(): Promise<readonly QueueMessage[]>;
  delete(message: QueueMessage): Promise<void>;
  /** Messages that wait, hidden ones too. */
  waiting(): Promise<number>;
  putAside(): Promise<number>;
}

const counts = z.object({ Attributes: z.record(z.string(), z.coerce.number()) });
const mappings = z.object({ EventSourceMappings: z.array(z.object({ UUID: z.string() })) });
const received = z.object({
  Messages: z
    .array(z.object({ Body: z.string(), ReceiptHandle: z.string(), Attributes: z.object({ ApproximateReceiveCount: z.coerce.number() }) }))
    .default([]),
});

/** Messages in a queue: visible, hidden or delayed. */
export async function messagesIn(cloud: LocalCloud, QueueUrl: string | undefined): Promise<number> {
  const AttributeNames = ['', 'NotVisible', 'Delayed'].map((what) => `ApproximateNumberOfMessages${what}`);
  const answer = await asRoot(cloud, 'sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames });
  return Object.values(counts.parse(answer).Attributes).reduce((sum, count) => sum + count, 0);
}

/** From here on nothing happens by the clock alone: neither is swept, nor is the cut-off policy written. */
export async function endSchedules(cloud: LocalCloud): Promise<void> {
  const schedules = Object.values(cloud.resources).filter(({ type }) => type === 'AWS::Scheduler::Schedule');
  for (const { physicalId: Name } of schedules) await asRoot(cloud, 'scheduler', 'DeleteSchedule', { Name });
}

/** Takes the queue of a function over from it. */
export async function takeWorkerQueueOver(cloud: LocalCloud, functionName: string): Promise<WorkerQueue> {
  const FunctionName = cloud.functionArns[functionName];
  const { EventSourceMappings } = mappings.parse(await asRoot(cloud, 'lambda', 'ListEventSourceMappings', { FunctionName }));
  for (const { UUID } of EventSourceMappings) await asRoot(cloud, 'lambda', 'DeleteEventSourceMapping', { UUID });

  const { url: QueueUrl, dlqUrl } = cloud.queues[functionName] ?? {};
  return {
    async send(body) {
      await asRoot(cloud, 'sqs', 'SendMessage', { QueueUrl, MessageBody: JSON.stringify(body) });
    },
    async receive() {
      const input = { QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] };
      const { Messages } = received.parse(await asRoot(cloud, 'sqs', 'ReceiveMessage', input));
      return Messages.map(({ Body: body, ReceiptHandle: receiptHandle, Attributes }) => ({
        body,
        receiptHandle,
        receiveCount: Attributes.ApproximateReceiveCount,
      }));
    },
    async delete({ receiptHandle: ReceiptHandle }) {
      await asRoot(cloud, 'sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
    },
    waiting: () => messagesIn(cloud, QueueUrl),
    putAside: () => messagesIn(cloud, dlqUrl),
  };
}

/** An event of the platform, as a rule puts it on a queue. */
export function eventBody(
  cloud: LocalCloud,
  { detailType, detail, id = randomUUID(), at = cloud.clock.now() }: { detailType: string; detail: object; id?: string; at?: number },
): object {
  return {
    ...{ version: '0', id, 'detail-type': detailType, source: 'cordon.platform', account: cloud.accountId },
    ...{ region: cloud.region, time: `${new Date(at).toISOString().slice(0, 19)}Z`, resources: [] },
    detail,
  };
}

/** What the sweep sends of an item that is due. */
export function dueBody(tenantId: string, sk: string, dueAt: number): object {
  return { version: 1, kind: 'due', tenantId, sk, dueAt };
}
