import { describe, expect, it } from 'vitest';
import { type ProviderName, providerName } from '../../../functions/providers/provider-name.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { Log } from '../../../functions/shared/log.ts';
import type { DueItem, DueQueue } from '../../../functions/sweep/due-item.ts';
import { credentialDueShard, dueShardOf } from '../../../functions/sweep/due-shard.ts';
import { findDue } from '../../../functions/sweep/find-due.ts';
import { allLanes } from '../../../functions/sweep/lanes.ts';
import { dueItem, dueItems, now } from './due-items.ts';

interface Scheduled {
  readonly shard: string;
  readonly item: DueItem;
}
const connections = (items: readonly DueItem[]): Scheduled[] => items.map((item) => ({ shard: dueShardOf(item.tenantId), item }));
const credentials = (provider: ProviderName, items: readonly DueItem[]): Scheduled[] =>
  items.map((item) => ({ shard: credentialDueShard(provider, item.tenantId), item }));
/** A tenant's due credentials at a provider, whose IDs name it. */
const keysOf = (provider: ProviderName, tenant: string, count: number, dueAt = now): Scheduled[] =>
  credentials(
    provider,
    Array.from({ length: count }, (_, n) => dueItem(tenant, `${provider}-${n}`, dueAt + n, 'CREDENTIAL')),
  );

interface Options {
  readonly depths?: Record<string, number>;
  readonly failing?: string;
  readonly kinds?: readonly string[];
  readonly maxInFlight?: number;
  readonly perMinute?: Partial<Record<ProviderName, number>>;
  readonly at?: number;
}

/** An index in pages of three, and queues that remember. */
function world(due: readonly Scheduled[], options: Options = {}) {
  const sent: DueItem[] = [];
  const lines: string[] = [];
  const pagesRead: string[] = [];
  const asked: string[] = [];
  const at = options.at ?? now;
  const line = (message: string, fields?: object): void => void lines.push(JSON.stringify({ message, ...fields }));
  const log: Log = { info: line, warn: line, error: (message, _error, fields) => line(message, fields), with: () => log };
  const queueOf = (kind: string): DueQueue => ({
    async depth() {
      asked.push(kind);
      return options.depths?.[kind] ?? 0;
    },
    async send(items) {
      sent.push(...items);
      return items.length;
    },
  });
  const run = () =>
    findDue({
      clock: () => at,
      log,
      lanes: allLanes(options.perMinute ?? {}),
      maxInFlight: options.maxInFlight ?? 20,
      maxPerTenant: 5,
      queues: Object.fromEntries((options.kinds ?? ['CONNECTION', 'CREDENTIAL']).map((kind) => [kind, queueOf(kind)])),
      index: {
        async *pages(shard, until) {
          expect(until).toBe(at);
          const all = due.filter((one) => one.shard === shard).sort((a, b) => a.item.dueAt - b.item.dueAt);
          for (let from = 0; from < Math.max(1, all.length); from += 3) {
            pagesRead.push(shard);
            if (shard === options.failing) throw new CordonError('AWS_UNAVAILABLE', 'not now', { retryable: true });
            yield all.slice(from, from + 3).map((one) => one.item);
          }
        },
      },
    });
  return { run, sent, lines, pagesRead, asked };
}

const inShard = (shard: string) => Array.from({ length: 100 }, (_, n) => `t-${n}`).filter((tenant) => dueShardOf(tenant) === shard);

describe('the sweep', () => {
  it('sends what is due in every shard', async () => {
    const tenants = Array.from({ length: 20 }, (_, n) => `tenant-${n}`);
    const { run, sent } = world(connections(tenants.map((tenant, n) => dueItem(tenant, n))));
    await run();
    expect(sent.map((one) => one.tenantId).sort()).toEqual([...tenants].sort());
  });

  it('finds a tenant behind a thousand items of another one in the same shard', async () => {
    const [first = 'x', second = 'y'] = inShard('3');
    const { run, sent } = world(connections([...dueItems(first, 40, 0), dueItem(second, 1, 999)]));
    await run();
    expect(sent.filter((one) => one.tenantId === first)).toHaveLength(5);
    expect(sent.filter((one) => one.tenantId === second)).toHaveLength(1);
  });

  it('reads twenty pages of a shard and no more', async () => {
    const { run, sent, pagesRead } = world(connections(dueItems('acme', 200, 0)));
    await run();
    expect(pagesRead.filter((shard) => shard === dueShardOf('acme'))).toHaveLength(20);
    expect(sent).toHaveLength(5);
  });

  it('is one query per shard when nothing is due, and nothing else', async () => {
    const { run, pagesRead, asked, lines } = world([]);
    await run();
    expect(pagesRead).toHaveLength(4 + 16 + 4 + 4 * providerName.options.length);
    expect([asked, lines]).toEqual([[], []]);
  });

  it.each([
    [18, 2],
    [20, 0],
    [500, 0],
  ])('adds to %i messages in flight %i more', async (depth, count) => {
    const { run, sent } = world(connections(dueItems('acme', 4)), { depths: { CONNECTION: depth } });
    await run();
    expect(sent).toHaveLength(count);
  });

  it('says loudly what no worker is named for, wherever it lies, and sends the rest', async () => {
    const due = [...connections([dueItem('acme', 1), dueItem('acme', 3, now, 'constructor')]), ...keysOf('openai', 'acme', 1)];
    const { run, sent, lines } = world(due, { kinds: ['CONNECTION'] });
    await run();
    expect(sent).toEqual([dueItem('acme', 1)]);
    expect(lines.filter((line) => line.includes('something is due that nobody does'))).toHaveLength(2);
  });

  it('sends what it found when a shard could not be read, and fails all the same', async () => {
    const { run, sent } = world(connections([dueItem('acme', 1), dueItem('initech', 1)]), { failing: dueShardOf('initech') });
    await expect(run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(sent).toEqual([dueItem('acme', 1)]);
  });

  it('says how long the longest due has waited', async () => {
    const { run, lines } = world(connections([dueItem('acme', 1, now - 90_000)]));
    await run();
    expect(lines).toEqual([expect.stringContaining('"latestMs":90000')]);
  });
});

describe('R1 the sweep of credentials', () => {
  const counts = (sent: readonly DueItem[], provider: string) => sent.filter((one) => one.sk.startsWith(`CREDENTIAL#${provider}-`)).length;

  it('starts no more at a provider in one run than its bound, and the others go on', async () => {
    const tenants = Array.from({ length: 12 }, (_, n) => `tenant-${n}`);
    const due = tenants.flatMap((tenant) => [...keysOf('openai', tenant, 3, 0), ...keysOf('mistral', tenant, 1, 500)]);
    const { run, sent, lines } = world(due, { maxInFlight: 100, perMinute: { openai: 7 } });
    await run();
    expect([counts(sent, 'openai'), counts(sent, 'mistral')]).toEqual([7, 12]);
    expect(new Set(sent.filter((one) => one.sk.includes('openai')).map((one) => one.tenantId)).size).toBe(7);
    const heldBack = lines.filter((line) => line.includes('held back'));
    expect(heldBack).toEqual([expect.stringMatching(/"lane":"credentials openai","found":36,"sent":7,"latestMs":1000000/)]);
  });

  it('leaves room for every provider, whatever has piled up at one', async () => {
    const piled = Array.from({ length: 40 }, (_, n) => `tenant-${n}`).flatMap((tenant) => keysOf('openai', tenant, 5, 0));
    const { run, sent } = world([...piled, ...keysOf('gemini', 'acme', 1), ...keysOf('mistral', 'acme', 1)]);
    await run();
    expect(sent).toHaveLength(20);
    expect([counts(sent, 'gemini'), counts(sent, 'mistral')]).toEqual([1, 1]);
  });

  it('gives every provider its turn when there is room for one message a minute', async () => {
    const due = (['openai', 'gemini', 'mistral'] as const).flatMap((provider, n) => keysOf(provider, 'acme', 3, n));
    const started = new Set<string>();
    for (let minute = 0; minute < 3; minute += 1) {
      const { run, sent } = world(due, { depths: { CREDENTIAL: 19 }, at: now + minute * 60_000 });
      await run();
      expect(sent).toHaveLength(1);
      started.add(sent[0]?.sk ?? '');
    }
    expect([...started].sort()).toEqual(['CREDENTIAL#gemini-0', 'CREDENTIAL#mistral-0', 'CREDENTIAL#openai-0']);
  });

  it('sends no more of a tenant than its share, however many providers it uses', async () => {
    const due = providerName.options.flatMap((provider) => keysOf(provider, 'acme', 3, 0));
    const { run, sent } = world([...due, ...keysOf('openai', 'initech', 1)]);
    await run();
    expect(sent.filter((one) => one.tenantId === 'acme')).toHaveLength(5);
    expect(sent.filter((one) => one.tenantId === 'initech')).toHaveLength(1);
  });

  it('is not held up by connections, nor they by credentials: each has a queue and a share of its own', async () => {
    const due = [...connections(dueItems('acme', 9, 0)), ...keysOf('openai', 'acme', 9, 0)];
    const both = world(due);
    await both.run();
    expect(both.sent).toHaveLength(10);
    const full = world(due, { depths: { CONNECTION: 20 } });
    await full.run();
    expect(full.sent.every((one) => one.sk.startsWith('CREDENTIAL#'))).toBe(true);
    expect(full.sent).toHaveLength(5);
  });

  it('sends what it found when a provider’s shard could not be read', async () => {
    const due = [...keysOf('openai', 'acme', 1), ...keysOf('mistral', 'acme', 1), ...connections([dueItem('acme', 1)])];
    const { run, sent } = world(due, { failing: credentialDueShard('openai', 'acme') });
    await expect(run()).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(sent.map((one) => one.sk).sort()).toEqual(['CONNECTION#1', 'CREDENTIAL#mistral-0']);
  });
});
