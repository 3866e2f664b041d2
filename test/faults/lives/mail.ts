/** The queues of a life: what is delivered, in which order and how often. */
import { z } from 'zod';
import type { QueueMessage } from '../../../functions/shared/consume-message.ts';
import type { LocalCloud } from '../../../local/cloud.ts';
import type { FaultPoint } from '../../support/fault-points.ts';
import { asRoot } from '../../support/ground-truth.ts';
import type { HousedWorker, Trade } from '../../support/worker-craft.ts';
import { endSchedules, takeWorkerQueueOver, type WorkerQueue } from '../../support/worker-queue.ts';
import { alone, type Staff, trades } from './staff.ts';

/** What SQS and whoever takes messages off it can do to one. */
export const deliveryEffects = ['comes twice', 'comes to two workers at once', 'comes after the next one', 'is not taken off'] as const;
export type DeliveryEffect = (typeof deliveryEffects)[number];

export interface DeliveryTrouble {
  /** Service `delivery`, action the function's name. */
  readonly point: FaultPoint;
  readonly effect: DeliveryEffect;
}

/** A message in a dead-letter queue. */
export interface DeadLetter {
  readonly queue: string;
  readonly body: string;
  readonly reason: string | undefined;
}

export interface Mail {
  readonly deliveries: readonly FaultPoint[];
  readonly waiting: readonly DeliveryTrouble[];
  restart(troubles: readonly DeliveryTrouble[], options?: { readonly shuffled: boolean }): void;
  send(functionName: string, body: object): Promise<void>;
  /** Hands out what is visible, until nothing is. True when there was something. */
  deliver(): Promise<boolean>;
  deliverOf(trade: Trade): Promise<boolean>;
  /** Has a worker of the trade do its work, as a schedule does. */
  set(trade: Trade): Promise<void>;
  /** Messages that are not dealt with. */
  left(): Promise<number>;
  /** When the next message can be received. */
  nextVisible(): number | undefined;
  /** Takes what was put aside since it was last asked. */
  putAside(): Promise<readonly DeadLetter[]>;
}

/** A run of the deployed functions has at least as long. */
const runMs = 120_000;

const knownAfterMs = 2000;

interface Held {
  readonly trade: Trade;
  readonly message: QueueMessage;
}

const letters = z.object({
  Messages: z
    .array(
      z.object({
        Body: z.string(),
        ReceiptHandle: z.string(),
        MessageAttributes: z.record(z.string(), z.looseObject({ StringValue: z.string().optional() })).default({}),
      }),
    )
    .default([]),
});

/** From here on nothing of these queues is delivered but by this, and nothing happens by a schedule. */
export async function openMail(
  cloud: LocalCloud,
  staff: Staff,
  { calm, choose, begins }: { calm(): Promise<void>; choose(): number; begins(tenantId: string): void },
): Promise<Mail> {
  const { clock } = cloud;
  await endSchedules(cloud);
  const queues = new Map<Trade, WorkerQueue>();
  for (const trade of trades) queues.set(trade, await takeWorkerQueueOver(cloud, trade.functionName));
  let deliveries: FaultPoint[] = [];
  let waiting: DeliveryTrouble[] = [];
  let held: Held[] = [];
  let shuffled = false;

  function strike(action: string): DeliveryEffect | undefined {
    const nth = deliveries.filter((one) => one.action === action).length + 1;
    deliveries.push({ service: 'delivery', action, nth });
    const found = waiting.find(({ point }) => point.action === action && point.nth === nth);
    waiting = waiting.filter((one) => one !== found);
    return found?.effect;
  }

  async function handle(worker: HousedWorker, message: QueueMessage): Promise<string> {
    const tenantId = tenantIn(message.body);
    // What is about nobody in particular uses nobody's credential: whoever waits meanwhile goes on with its own.
    if (tenantId !== undefined) begins(tenantId);
    return worker.handle(message, clock.now() + runMs);
  }

  async function hand(trade: Trade, message: QueueMessage, effect?: DeliveryEffect): Promise<void> {
    // IAM knows of no cut-off within the second in which it was asked for, and a session that is minted in that second is cut off with those before.
    if (trade === alone) clock.advance(knownAfterMs);
    const hands = [await staff.worker(trade)];
    if (effect === 'comes to two workers at once' && trade !== alone) hands.push(await staff.another(trade));
    const ends = await Promise.all(hands.map((one) => handle(one, message)));
    if (effect === 'comes twice') ends.push(await handle(await staff.worker(trade), message));
    if (ends.includes('done') && effect !== 'is not taken off') await queues.get(trade)?.delete(message);
  }

  async function handAll(trade: Trade, messages: readonly QueueMessage[]): Promise<void> {
    for (const message of shuffled ? inAnyOrder(messages, choose) : messages) {
      const effect = strike(trade.functionName);
      if (effect === 'comes after the next one') {
        held.push({ trade, message });
        continue;
      }
      await hand(trade, message, effect);
      await release();
    }
  }

  async function release(): Promise<void> {
    for (const one of held.splice(0)) await hand(one.trade, one.message);
  }

  async function deliverOf(trade: Trade): Promise<boolean> {
    let some = false;
    for (let messages = await queues.get(trade)?.receive(); messages?.length; messages = await queues.get(trade)?.receive()) {
      some = true;
      await handAll(trade, messages);
    }
    return some;
  }

  return {
    get deliveries() {
      return deliveries;
    },
    get waiting() {
      return waiting;
    },
    restart(troubles, options) {
      [deliveries, waiting, held, shuffled] = [[], [...troubles], [], options?.shuffled === true];
    },
    async send(functionName, body) {
      const [, queue] = [...queues].find(([trade]) => trade.functionName === functionName) ?? [];
      if (queue === undefined) throw new Error(`There is no queue of ${functionName}.`);
      await queue.send(body);
    },
    deliverOf,
    set: (trade) => hand(trade, { body: '', receiptHandle: '', receiveCount: 1 }, 'is not taken off'),
    async deliver() {
      let ever = false;
      for (let some = true; some; ) {
        some = false;
        // What a worker has put on the bus is on its way.
        await calm();
        for (const trade of shuffled ? inAnyOrder(trades, choose) : trades) some = (await deliverOf(trade)) || some;
        // There is no next one to wait for.
        if (!some && held.length > 0) {
          await release();
          some = true;
        }
        ever = ever || some;
      }
      return ever;
    },
    async left() {
      const counts = await Promise.all([...queues.values()].map((queue) => queue.waiting()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    nextVisible() {
      const times = trades.flatMap(({ functionName }) => cloud.nextDelivery(functionName) ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    async putAside() {
      const found: DeadLetter[] = [];
      for (const { functionName: queue } of trades) {
        const QueueUrl = cloud.queues[queue]?.dlqUrl;
        for (;;) {
          const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
          const { Messages } = letters.parse(await asRoot(cloud, 'sqs', 'ReceiveMessage', input));
          if (Messages.length === 0) break;
          for (const { Body: body, ReceiptHandle, MessageAttributes } of Messages) {
            found.push({ queue, body, reason: MessageAttributes['ReasonCode']?.StringValue });
            await asRoot(cloud, 'sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle });
          }
        }
      }
      return found;
    },
  };
}

function inAnyOrder<Value>(values: readonly Value[], choose: () => number): readonly Value[] {
  return values
    .map((value) => ({ value, place: choose() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}

const message = z.union([
  z.object({ tenantId: z.string() }),
  z.object({ detail: z.object({ tenantId: z.string() }) }).transform(({ detail }) => detail),
]);

/** Whom a message is about, whether it comes of the bus or of the sweep; undefined for one that says nothing but that there is work. */
function tenantIn(body: string): string | undefined {
  return body.startsWith('{') ? message.safeParse(JSON.parse(body)).data?.tenantId : undefined;
}
