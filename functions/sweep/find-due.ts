import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { DueIndex, DueItem, DueQueue } from './due-item.ts';
import type { Lane } from './lanes.ts';
import { planSends } from './plan-sends.ts';

export interface FindDueDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly index: DueIndex;
  readonly lanes: readonly Lane[];
  /** By what is before the `#` of a sort key, e.g. `CONNECTION`. */
  readonly queues: Readonly<Record<string, DueQueue>>;
  /** Messages in a queue and in work beyond which nothing is added. */
  readonly maxInFlight: number;
  /** Messages for one tenant per run and queue. */
  readonly maxPerTenant: number;
}

/** What was found due in one lane. */
interface Found {
  readonly lane: Lane;
  readonly items: readonly DueItem[];
}

/** Pages of one shard that a run reads at most: it ends in time whatever piles up, and what is left is found by the next one. */
const maxPages = 20;
const runEveryMs = 60_000;

/**
 * Finds what is due and sends it to its workers, as much as they have room for. Nothing is changed: what is not dealt with is found again a minute later, so a lost
 * run, a lost message and one sent twice cost nothing but time. When nothing is due, it is one query per shard and nothing else, however much is scheduled.
 *
 * @throws CordonError when the index or a queue failed, after everything else was done
 */
export async function findDue(deps: FindDueDeps): Promise<void> {
  const now = deps.clock();
  const reads = deps.lanes.flatMap((lane) => lane.shards.map((shard) => ({ lane, shard })));
  const found = await Promise.allSettled(
    reads.map(async ({ lane, shard }): Promise<Found> => ({ lane, items: await dueInShard(deps, shard, now) })),
  );
  const due = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const kinds = new Set(due.flatMap(({ items }) => items.map(kindOf)));
  const sent = await Promise.allSettled([...kinds].map((kind) => sendKind(deps, kind, ofKind(due, kind), now)));
  const failed = [...found, ...sent].find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Reads until there is enough to fill the queue, however many items of one tenant lie before those of others. */
async function dueInShard({ index, maxInFlight, maxPerTenant }: FindDueDeps, shard: string, now: number): Promise<DueItem[]> {
  const due: DueItem[] = [];
  const ofTenant = new Map<string, number>();
  let pages = 0;
  for await (const items of index.pages(shard, now)) {
    for (const item of items) {
      // Per kind, or what one worker cannot take now would keep a tenant's other items from theirs.
      const key = `${item.tenantId} ${kindOf(item)}`;
      const taken = ofTenant.get(key) ?? 0;
      if (taken < maxPerTenant) due.push(item);
      ofTenant.set(key, taken + 1);
    }
    pages += 1;
    if (pages === maxPages || due.length >= maxInFlight) break;
  }
  return due;
}

/** By lane, however many shards it has. */
function ofKind(due: readonly Found[], kind: string): readonly Found[] {
  const byLane = new Map<Lane, DueItem[]>();
  for (const { lane, items } of due) {
    const own = items.filter((item) => kindOf(item) === kind);
    if (own.length > 0) byLane.set(lane, [...(byLane.get(lane) ?? []), ...own]);
  }
  return [...byLane].map(([lane, items]) => ({ lane, items }));
}

async function sendKind(
  { queues, log, maxInFlight, maxPerTenant }: FindDueDeps,
  kind: string,
  found: readonly Found[],
  now: number,
): Promise<void> {
  const items = found.flatMap((one) => one.items);
  const queue = Object.hasOwn(queues, kind) ? queues[kind] : undefined;
  if (!queue) {
    const error = new CordonError('ITEM_NOT_UNDERSTOOD', `no worker is named for ${kind}`);
    return log.error('something is due that nobody does', error, { kind, found: items.length });
  }
  const inFlight = await queue.depth();
  const planned = planSends(
    found.map((one) => ({ items: one.items, maxPerRun: one.lane.maxPerRun })),
    { room: Math.max(0, maxInFlight - inFlight), perTenant: maxPerTenant, turn: Math.floor(now / runEveryMs) },
  );
  const taken = planned.length === 0 ? 0 : await queue.send(planned);
  const latestMs = latestOf(items, now);
  log.info('swept', { kind, found: items.length, inFlight, sent: taken, notTaken: planned.length - taken, latestMs });
  const chosenOnes = new Set(planned);
  for (const { lane, items: own } of found) {
    const chosen = own.filter((item) => chosenOnes.has(item)).length;
    // What a lane holds back is how an operator sees that a provider, or everybody, is behind.
    if (chosen < own.length)
      log.info('held back', { kind, lane: lane.name, found: own.length, sent: chosen, latestMs: latestOf(own, now) });
  }
}

/** How long the longest due has waited, in milliseconds. */
function latestOf(items: readonly DueItem[], now: number): number {
  return now - Math.min(...items.map((item) => item.dueAt));
}

/** What is before the `#` of the sort key. */
function kindOf({ sk }: DueItem): string {
  return sk.split('#', 1)[0] ?? '';
}
