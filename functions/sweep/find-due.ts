import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { DueIndex, DueItem, DueQueue } from './due-item.ts';
import { dueShards } from './due-shard.ts';
import { planSends } from './plan-sends.ts';

export interface FindDueDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly index: DueIndex;
  /** By what is before the `#` of a sort key, e.g. `CONNECTION`. */
  readonly queues: Readonly<Record<string, DueQueue>>;
  /** Messages in a queue and in work beyond which nothing is added. */
  readonly maxInFlight: number;
  /** Messages for one tenant per run. */
  readonly maxPerTenant: number;
}

/** Pages of one shard that a run reads at most: it ends in time whatever piles up, and what is left is found by the next one. */
const maxPages = 20;

/**
 * Finds what is due and sends it to its workers, as much as they have room for. Nothing is changed: what is not dealt with is found again a minute later, so a lost
 * run, a lost message and one sent twice cost nothing but time.
 *
 * @throws CordonError when the index or a queue failed, after everything else was done
 */
export async function findDue(deps: FindDueDeps): Promise<void> {
  const now = deps.clock();
  const found = await Promise.allSettled(Array.from({ length: dueShards }, (_, shard) => dueInShard(deps, String(shard), now)));
  const due = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const byKind = new Map<string, DueItem[]>();
  for (const item of due) {
    const kind = kindOf(item);
    byKind.set(kind, [...(byKind.get(kind) ?? []), item]);
  }
  const sent = await Promise.allSettled([...byKind].map(([kind, items]) => sendKind(deps, kind, items, now)));
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

async function sendKind(
  { queues, log, maxInFlight, maxPerTenant }: FindDueDeps,
  kind: string,
  items: readonly DueItem[],
  now: number,
): Promise<void> {
  const queue = Object.hasOwn(queues, kind) ? queues[kind] : undefined;
  if (!queue) {
    const error = new CordonError('ITEM_NOT_UNDERSTOOD', `no worker is named for ${kind}`);
    return log.error('something is due that nobody does', error, { kind, found: items.length });
  }
  const inFlight = await queue.depth();
  const planned = planSends(items, { room: Math.max(0, maxInFlight - inFlight), perTenant: maxPerTenant });
  const taken = planned.length === 0 ? 0 : await queue.send(planned);
  const latestMs = now - Math.min(...items.map((item) => item.dueAt));
  log.info('swept', { kind, found: items.length, inFlight, sent: taken, notTaken: planned.length - taken, latestMs });
}

/** What is before the `#` of the sort key. */
function kindOf({ sk }: DueItem): string {
  return sk.split('#', 1)[0] ?? '';
}
