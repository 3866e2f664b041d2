/** Letting the local cloud work off what is in the queue of `tenants`, on the injected clock. */
import { z } from 'zod';
import type { LocalCloud } from '../../local/cloud.ts';

const attributesAnswer = z.object({ Attributes: z.record(z.string(), z.coerce.number()) });

/** Messages in the queue: visible, hidden or delayed. */
export async function queued(cloud: LocalCloud, which: 'url' | 'dlqUrl' = 'url'): Promise<number> {
  const answer = await cloud.kernel.call(cloud.kernel.rootCaller(cloud.accountId), 'sqs', 'GetQueueAttributes', {
    QueueUrl: cloud.queues['tenants']?.[which],
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'],
  });
  return Object.values(attributesAnswer.parse(answer).Attributes).reduce((sum, count) => sum + count, 0);
}

/** Resolves when nothing happens any more until the clock moves. Rejects after `timeoutMs` of real time. */
export async function pause(cloud: LocalCloud, timeoutMs = 30_000): Promise<void> {
  if (!(await cloud.idle(timeoutMs, { exceptWaiting: true }))) throw new Error(`Work is still in progress after ${timeoutMs} ms.`);
}

/**
 * Advances the clock from one delivery to the next until the queue is empty: every message is dealt with or put aside. The clock stands while a function runs,
 * because no run outlives its time. Rejects when messages are left after a day.
 */
export async function settle(cloud: LocalCloud): Promise<void> {
  const until = cloud.clock.now() + 86_400_000;
  for (;;) {
    await pause(cloud);
    const next = cloud.nextDelivery('tenants');
    if (next === undefined) return;
    const now = cloud.clock.now();
    if (now > until) throw new Error(`${await queued(cloud)} messages are still in the queue after a day.`);
    cloud.clock.advance(Math.max(0, Math.ceil(next - now)));
  }
}
