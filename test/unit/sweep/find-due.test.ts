import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { Log } from '../../../functions/shared/log.ts';
import type { DueItem, DueQueue } from '../../../functions/sweep/due-item.ts';
import { dueShardOf, dueShards } from '../../../functions/sweep/due-shard.ts';
import { sweepEnv } from '../../../functions/sweep/env.ts';
import { findDue } from '../../../functions/sweep/find-due.ts';
import { planSends } from '../../../functions/sweep/plan-sends.ts';

const now = 1_000_000;
const item = (tenant: string, account: number, dueAt = now, kind = 'CONNECTION'): DueItem => ({
  tenantId: tenantId.parse(tenant),
  sk: `${kind}#${account}`,
  dueAt,
});
const many = (tenant: string, count: number, dueAt = now): DueItem[] => Array.from({ length: count }, (_, n) => item(tenant, n, dueAt + n));

describe('what is sent of what is due', () => {
  it('is the longest due first', () => {
    expect(planSends([item('b', 1, 3), item('a', 1, 2), item('c', 1, 1)], { room: 2, perTenant: 10 }).map((one) => one.dueAt)).toEqual([
      1, 2,
    ]);
  });

  it('goes by turns, so that a tenant with a thousand leaves room for one with two', () => {
    const sent = planSends([...many('big', 1000, 0), ...many('small', 2, 5000)], { room: 6, perTenant: 10 });
    expect(sent.map((one) => `${one.tenantId}${one.sk.slice(11)}`)).toEqual(['big0', 'small0', 'big1', 'small1', 'big2', 'big3']);
  });

  it('is never more than there is room for, nor more than a tenant may have, nor anything twice', () => {
    const anItem = fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), account: fc.nat(40), dueAt: fc.nat(50) });
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 80 }), fc.nat(30), fc.integer({ min: 1, max: 8 }), (items, room, perTenant) => {
        const due = [...new Map(items.map((one) => [`${one.tenant}#${one.account}`, item(one.tenant, one.account, one.dueAt)])).values()];
        const sent = planSends(due, { room, perTenant });
        const perEach = ['a', 'b', 'c'].map((tenant) => [sent, due].map((list) => list.filter((one) => one.tenantId === tenant).length));
        for (const [of = 0] of perEach) expect(of).toBeLessThanOrEqual(perTenant);
        expect(new Set(sent).size).toBe(sent.length);
        // Room is left only when nothing that may be sent is left.
        const sendable = perEach.reduce((sum, [, had = 0]) => sum + Math.min(had, perTenant), 0);
        expect(sent.length).toBe(Math.min(room, sendable));
      }),
    );
  });
});

describe('the shard of a tenant', () => {
  it('is one of sixteen, always the same, and no shard is empty or crowded', () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 1600; n += 1) counts.set(dueShardOf(`tenant-${n}`), (counts.get(dueShardOf(`tenant-${n}`)) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(Array.from({ length: dueShards }, (_, n) => String(n)).sort());
    expect(Math.max(...counts.values())).toBeLessThan(160);
    // What is scheduled lies where this says: another answer would lose it.
    expect(['acme', 'initech'].map(dueShardOf)).toEqual(['13', '2']);
  });
});

/** An index in pages of three, and queues that remember. */
function world(due: readonly DueItem[], options: { depth?: number; failing?: string; kinds?: string[]; maxInFlight?: number } = {}) {
  const sent: DueItem[] = [];
  const lines: string[] = [];
  const pagesRead: string[] = [];
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  const log: Log = { info: line, warn: line, error: (message, _error, fields) => line(message, fields), with: () => log };
  const queue: DueQueue = {
    depth: async () => options.depth ?? 0,
    send: async (items) => {
      sent.push(...items);
      return items.length;
    },
  };
  const run = () =>
    findDue({
      clock: () => now,
      log,
      maxInFlight: options.maxInFlight ?? 20,
      maxPerTenant: 5,
      queues: Object.fromEntries((options.kinds ?? ['CONNECTION']).map((kind) => [kind, queue])),
      index: {
        async *pages(shard, at) {
          expect(at).toBe(now);
          const all = due.filter((one) => dueShardOf(one.tenantId) === shard).sort((a, b) => a.dueAt - b.dueAt);
          for (let from = 0; from < all.length; from += 3) {
            pagesRead.push(shard);
            if (shard === options.failing) throw new CordonError('AWS_UNAVAILABLE', 'not now', { retryable: true });
            yield all.slice(from, from + 3);
          }
        },
      },
    });
  return { run, sent, lines, pagesRead };
}

describe('the sweep', () => {
  it('sends what is due in every shard', async () => {
    const tenants = Array.from({ length: 20 }, (_, n) => `tenant-${n}`);
    const { run, sent } = world(tenants.map((tenant, n) => item(tenant, n)));
    await run();
    expect(sent.map((one) => one.tenantId).sort()).toEqual([...tenants].sort());
  });

  it('finds a tenant behind a thousand items of another one in the same shard', async () => {
    const [first = 'x', second = 'y'] = Array.from({ length: 100 }, (_, n) => `t-${n}`).filter((tenant) => dueShardOf(tenant) === '3');
    const { run, sent } = world([...many(first, 40, 0), item(second, 1, 999)]);
    await run();
    expect(sent.filter((one) => one.tenantId === first)).toHaveLength(5);
    expect(sent.filter((one) => one.tenantId === second)).toHaveLength(1);
  });

  it('reads twenty pages of a shard and no more', async () => {
    const { run, sent, pagesRead } = world(many('acme', 200, 0));
    await run();
    expect(pagesRead).toHaveLength(20);
    expect(sent).toHaveLength(5);
  });

  it.each([
    [18, 2],
    [20, 0],
    [500, 0],
  ])('adds to %i messages in flight %i more', async (depth, count) => {
    const { run, sent } = world(many('acme', 4), { depth });
    await run();
    expect(sent).toHaveLength(count);
  });

  it('says loudly what no worker is named for, and sends the rest', async () => {
    const { run, sent, lines } = world([item('acme', 1), item('acme', 2, now, 'CREDENTIAL'), item('acme', 3, now, 'constructor')]);
    await run();
    expect(sent).toEqual([item('acme', 1)]);
    expect(lines.filter((line) => line.includes('something is due that nobody does'))).toHaveLength(2);
  });

  it('sends what it found when a shard could not be read, and fails all the same', async () => {
    const { run, sent } = world([item('acme', 1), item('initech', 1)], { failing: dueShardOf('initech') });
    await expect(run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(sent).toEqual([item('acme', 1)]);
  });

  it('says how long the longest due has waited', async () => {
    const { run, lines } = world([item('acme', 1, now - 90_000)]);
    await run();
    expect(lines).toEqual([expect.stringContaining('"latestMs":90000')]);
  });
});

describe('the configuration of the sweep', () => {
  it('has bounds of its own', () => {
    const env = sweepEnv.parse({ REGISTRY_TABLE: 't', DUE_QUEUES: '{"CONNECTION":"https://sqs.us-east-1.amazonaws.com/1/byoc"}' });
    expect(env).toMatchObject({ MAX_IN_FLIGHT: 200, MAX_PER_TENANT: 10 });
  });
});
