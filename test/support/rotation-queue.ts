/** The queue of the rotation worker in the hands of a test, which delivers its messages itself. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { asRoot } from './ground-truth.ts';
import type { Which } from './rotations.ts';

export interface RotationQueue {
  /** An event of the platform about a credential, as the rule puts it on the queue. */
  sendEvent(which: Which, detailType: string, detail: object): Promise<void>;
  /** What the sweep sends of a credential that is due. */
  sendDue(which: Which, dueAt: number): Promise<void>;
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

/** Takes the queue over from the deployed function, and the schedule from the sweep. */
export async function takeQueueOver(cloud: LocalCloud): Promise<RotationQueue> {
  const FunctionName = cloud.functionArns['rotation'];
  const { EventSourceMappings } = mappings.parse(await asRoot(cloud, 'lambda', 'ListEventSourceMappings', { FunctionName }));
  for (const { UUID } of EventSourceMappings) await asRoot(cloud, 'lambda', 'DeleteEventSourceMapping', { UUID });
  const schedules = Object.values(cloud.resources).filter(({ type }) => type === 'AWS::Scheduler::Schedule');
  for (const { physicalId: Name } of schedules) await asRoot(cloud, 'scheduler', 'DeleteSchedule', { Name });

  const { url: QueueUrl, dlqUrl } = cloud.queues['rotation'] ?? {};
  const send = async (body: object): Promise<void> => {
    await asRoot(cloud, 'sqs', 'SendMessage', { QueueUrl, MessageBody: JSON.stringify(body) });
  };
  return {
    sendEvent: ({ tenantId, credentialId }, detailType, detail) =>
      send({
        ...{ version: '0', id: randomUUID(), 'detail-type': detailType, source: 'cordon.platform', account: cloud.accountId },
        ...{ region: cloud.region, time: new Date(cloud.clock.now()).toISOString(), resources: [] },
        detail: { version: 1, tenantId, credentialId, requestedBy: 'test', ...detail },
      }),
    sendDue: ({ tenantId, credentialId }, dueAt) => send({ version: 1, kind: 'due', tenantId, sk: `CREDENTIAL#${credentialId}`, dueAt }),
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
