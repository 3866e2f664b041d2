/** Letting the local cloud work off what is in the queue of `tenants`, on the injected clock. */
import { z } from 'zod';
import type { LocalCloud } from '../../local/cloud.ts';

const attributesAnswer = z.object({ Attributes: z.record(z.string(), z.coerce.number()) });

/** Longer than the visibility timeout, so that whatever waits comes back after one such step. */
const longestStepSeconds = 400;

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
 * Advances the clock, in steps that double, until the queue is empty: every message is dealt with or put aside. The clock stands while a function runs,
 * because no run outlives its time. Rejects when messages are left after a day.
 */
export async function settle(cloud: LocalCloud): Promise<void> {
  const until = cloud.clock.now() + 86_400_000;
  for (let seconds = 4; ; seconds = Math.min(seconds * 2, longestStepSeconds)) {
    await pause(cloud);
    const left = await queued(cloud);
    if (left === 0) return;
    if (cloud.clock.now() > until) throw new Error(`${left} messages are still in the queue after a day.`);
    cloud.clock.advance(seconds * 1000);
  }
}
