/** The sweep as it is, over an index of the size that is asked for. */

import { tenantId } from '../functions/shared/identifier-fields.ts';
import type { DueItem } from '../functions/sweep/due-item.ts';
import { credentialDueShard } from '../functions/sweep/due-shard.ts';
import { sweepEnv } from '../functions/sweep/env.ts';
import { findDue } from '../functions/sweep/find-due.ts';
import { allLanes } from '../functions/sweep/lanes.ts';
import { log } from './rotation-world.ts';

/** What a page of the index holds: see `due-index.dynamodb.ts`. */
const pageSize = 1_000;
const perTenant = 10;

/** Credentials of ten to a tenant, the longest due first; `dueAt` tells of each when. */
export function scheduled(count: number, dueAt: (index: number) => number): Map<string, DueItem[]> {
  const shards = new Map<string, DueItem[]>();
  for (let index = 0; index < count; index += 1) {
    const of = tenantId.parse(`tenant-${Math.floor(index / perTenant)}`);
    const shard = credentialDueShard('openai', of);
    const items = shards.get(shard) ?? [];
    shards.set(shard, items);
    items.push({ tenantId: of, sk: `CREDENTIAL#c${index % perTenant}`, dueAt: dueAt(index) });
  }
  for (const items of shards.values()) items.sort((a, b) => a.dueAt - b.dueAt);
  return shards;
}

export interface Swept {
  /** Pages read: one query each. */
  readonly queries: number;
  readonly sent: readonly DueItem[];
}

/** One run at `now`, with the defaults that it is deployed with and a queue that its workers have emptied. */
export async function sweep(shards: ReadonlyMap<string, readonly DueItem[]>, now: number): Promise<Swept> {
  const { MAX_IN_FLIGHT, MAX_PER_TENANT, PROVIDER_PER_MINUTE } = sweepEnv.parse({ REGISTRY_TABLE: 'registry', DUE_QUEUES: '{}' });
  let queries = 0;
  const sent: DueItem[] = [];
  await findDue({
    clock: () => now,
    log,
    lanes: allLanes(PROVIDER_PER_MINUTE),
    maxInFlight: MAX_IN_FLIGHT,
    maxPerTenant: MAX_PER_TENANT,
    index: {
      async *pages(shard, until) {
        const items = shards.get(shard) ?? [];
        for (let from = 0; ; from += pageSize) {
          queries += 1;
          const page = items.slice(from, from + pageSize).filter(({ dueAt }) => dueAt <= until);
          yield page;
          if (page.length < pageSize) return;
        }
      },
    },
    queues: {
      CREDENTIAL: {
        depth: async () => 0,
        async send(items) {
          sent.push(...items);
          return items.length;
        },
      },
    },
  });
  return { queries, sent };
}

/**
 * Has so many credentials of one provider fall due at once, and each come due again 16 minutes after each run but the last, as while an old key is in its grace.
 *
 * @param runs of the worker that one rotation takes
 * @returns how many runs the sweep started in a minute at most, and how long what came due again had to wait at most, in minutes
 */
export async function drain(count: number, runs: number): Promise<{ readonly perMinute: number; readonly longestWait: number }> {
  const minuteMs = 60_000;
  const graceMs = 16 * minuteMs;
  const shards = scheduled(count, () => 0);
  const left = new Map<string, number>();
  let [perMinute, longest, open] = [0, 0, count];
  for (let now = 0; open > 0; now += minuteMs) {
    const { sent } = await sweep(shards, now);
    perMinute = Math.max(perMinute, sent.length);
    for (const { tenantId: of, sk, dueAt } of sent) {
      const name = `${of} ${sk}`;
      const still = (left.get(name) ?? runs) - 1;
      left.set(name, still);
      if (still < runs - 1) longest = Math.max(longest, now - dueAt);
      const shard = shards.get(credentialDueShard('openai', of)) ?? [];
      shard.splice(
        shard.findIndex((item) => item.tenantId === of && item.sk === sk),
        1,
      );
      if (still === 0) open -= 1;
      else shard.push({ tenantId: of, sk, dueAt: now + graceMs });
    }
    for (const items of shards.values()) items.sort((a, b) => a.dueAt - b.dueAt);
  }
  return { perMinute, longestWait: longest / minuteMs };
}
