/** Workers of several trades in the place of the deployed functions: their queues are theirs, and a test says when something is delivered. */
import type { QueueMessage } from '../../functions/shared/consume-message.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { pause } from './settle.ts';
import type { HousedWorker, Trade } from './worker-craft.ts';
import type { WorkerHouse } from './worker-house.ts';
import { endSchedules, takeWorkerQueueOver, type WorkerQueue } from './worker-queue.ts';

/** How each message is delivered. */
export type Delivery = 'once' | 'twice' | 'to two workers at once';

export interface Crew {
  /** A worker that has just started. */
  hire(trade: Trade): Promise<HousedWorker>;
  /** Has a worker of the trade handle this, whoever is there. */
  handle(trade: Trade, message: QueueMessage): Promise<'done' | 'again' | 'died'>;
  send(trade: Trade, body: object): Promise<void>;
  /** Hands out every message of one queue that is visible; true when there was one. */
  deliverOf(trade: Trade): Promise<boolean>;
  /** As long as there is one, in any queue. */
  deliver(): Promise<void>;
  /** Messages that are not dealt with. */
  waiting(): Promise<number>;
  putAside(): Promise<number>;
  /** Everybody goes: whoever comes next has just started. */
  dismiss(): void;
  deliverEach(how: Delivery): void;
  /** By so many milliseconds the clocks of those who are hired from now on are wrong. */
  setClocks(trade: Trade, skewMs: number): void;
  /** What the workers logged since they were last dismissed. */
  readonly lines: () => readonly string[];
}

/** A run of the deployed functions has at least as long. */
const runMs = 120_000;
/** Lambda keeps no environment for long that nothing is asked of, and ends its session. */
const keptMs = 600_000;

/**
 * Takes the queues of these functions over, and ends every schedule.
 *
 * @param alone of this trade no two ever work at once
 */
export async function openCrew(cloud: LocalCloud, house: WorkerHouse, trades: readonly Trade[], alone: Trade): Promise<Crew> {
  const { clock } = cloud;
  await endSchedules(cloud);
  const queues = new Map<Trade, WorkerQueue>();
  for (const trade of trades) queues.set(trade, await takeWorkerQueueOver(cloud, trade.functionName));
  const staff = new Map<Trade, { readonly hand: HousedWorker; readonly since: number }>();
  const skews = new Map<Trade, number>();
  const logs: (readonly string[])[] = [];
  let delivery: Delivery = 'once';

  async function hire(trade: Trade): Promise<HousedWorker> {
    const skewMs = skews.get(trade) ?? 0;
    const hired = await house.hire(trade, { clock: () => clock.now() + skewMs });
    logs.push(hired.lines);
    return hired;
  }

  /** The latest who is alive. */
  async function worker(trade: Trade): Promise<HousedWorker> {
    const known = staff.get(trade);
    if (known !== undefined && !known.hand.dead && clock.now() < known.since + keptMs) return known.hand;
    const hand = await hire(trade);
    staff.set(trade, { hand, since: clock.now() });
    return hand;
  }

  /** As Lambda gives it to a function whose clock is wrong: so much time is left. */
  const deadlineOf = (trade: Trade): number => clock.now() + (skews.get(trade) ?? 0) + runMs;

  async function deliverOf(trade: Trade): Promise<boolean> {
    const queue = queues.get(trade);
    let some = false;
    for (let messages = await queue?.receive(); messages?.length; messages = await queue?.receive()) {
      some = true;
      for (const message of messages) {
        const hands = [await worker(trade), ...(delivery === 'to two workers at once' && trade !== alone ? [await hire(trade)] : [])];
        const ends = await Promise.all(hands.map((hand) => hand.handle(message, deadlineOf(trade))));
        if (delivery === 'twice') ends.push(await (await worker(trade)).handle(message, deadlineOf(trade)));
        if (ends.includes('done')) await queue?.delete(message);
      }
    }
    return some;
  }

  const total = async (count: (queue: WorkerQueue) => Promise<number>): Promise<number> =>
    (await Promise.all([...queues.values()].map(count))).reduce((sum, one) => sum + one, 0);

  return {
    hire,
    deliverOf,
    handle: async (trade, message) => (await worker(trade)).handle(message, deadlineOf(trade)),
    send: async (trade, body) => queues.get(trade)?.send(body),
    async deliver() {
      for (let some = true; some; ) {
        some = false;
        // What a worker has put on the bus is on its way.
        await pause(cloud);
        for (const trade of queues.keys()) some = (await deliverOf(trade)) || some;
      }
    },
    waiting: () => total((queue) => queue.waiting()),
    putAside: () => total((queue) => queue.putAside()),
    dismiss() {
      staff.clear();
      logs.length = 0;
    },
    deliverEach(how) {
      delivery = how;
    },
    setClocks(trade, skewMs) {
      skews.set(trade, skewMs);
      staff.delete(trade);
    },
    lines: () => logs.flat(),
  };
}
