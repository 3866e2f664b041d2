import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTellings } from '../../functions/isolation/limits/tellings.dynamodb.ts';
import { createThrottlings } from '../../functions/isolation/limits/throttlings.dynamodb.ts';
import type { Pair, Tellings, Throttling, Throttlings } from '../../functions/isolation/limits/throttlings.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { createMemoryTellings, createMemoryThrottlings } from './fakes/memory-throttlings.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const start = Date.parse('2026-11-22T10:59:58Z');
const [acme, acme2, globex] = ['acme', 'acme-2', 'globex'].map((id) => tenantId.parse(id)) as [Pair[0], Pair[0], Pair[0]];
const main = credentialId.parse('main');
const throttled = (tenant: Pair[0], afterMs: number, over: Partial<Throttling> = {}): Throttling => ({
  ...{ tenantId: tenant, provider: 'openai', credentialId: main, at: start + afterMs },
  ...over,
});
const within = (fromMs: number, toMs: number) => ({ from: start + fromMs, to: start + toMs });

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.close());

const stores: readonly (readonly [string, () => Promise<Throttlings>])[] = [
  ['memory', async () => createMemoryThrottlings()],
  ['DynamoDB', async () => createThrottlings({ client: aws.admin.dynamodb, table: await aws.makeTable() })],
];

describe.each(stores)('T4 throttlings in %s', (_name, open) => {
  let store: Throttlings;
  beforeEach(async () => {
    store = await open();
  });

  it('are read back by tenant, oldest first, both ends of the period included', async () => {
    for (const afterMs of [20_000, 0, 10_000, 30_000]) await store.keep(throttled(acme, afterMs));
    const found = await store.of(acme, 'openai', within(0, 20_000));
    expect(found).toEqual([throttled(acme, 0), throttled(acme, 10_000), throttled(acme, 20_000)]);
    expect(await store.of(acme, 'openai', within(1, 19_999))).toEqual([throttled(acme, 10_000)]);
  });

  it('are of that tenant and provider only, also where one’s ID begins another’s', async () => {
    await store.keep(throttled(acme2, 0));
    await store.keep(throttled(acme, 0, { provider: 'anthropic' }));
    expect(await store.of(acme, 'openai', within(-5000, 5000))).toEqual([]);
    expect(await store.ofAll('openai', within(-5000, 5000))).toEqual([throttled(acme2, 0)]);
  });

  it('are read of all tenants, also across minutes and hours', async () => {
    const all = [throttled(acme, -4000), throttled(acme2, 0), throttled(globex, 1999), throttled(acme, 2000), throttled(acme2, 5000)];
    for (const one of all) await store.keep(one);
    expect(await store.ofAll('openai', within(-5000, 5000))).toEqual(all);
    expect(await store.ofAll('openai', within(-3999, 4999))).toEqual(all.slice(1, 4));
  });

  it('are one in a window of five seconds, the first that was heard of, however often it comes', async () => {
    for (const afterMs of [3000, 3000, 2000, 6999, 7000]) await store.keep(throttled(acme, afterMs));
    expect(await store.of(acme, 'openai', within(0, 10_000))).toEqual([throttled(acme, 3000), throttled(acme, 7000)]);
    expect(await store.ofAll('openai', within(0, 10_000))).toEqual([throttled(acme, 3000), throttled(acme, 7000)]);
  });
});

const tellings: readonly (readonly [string, (clock: () => number) => Promise<Tellings>])[] = [
  ['memory', async (clock) => createMemoryTellings(clock)],
  ['DynamoDB', async (clock) => createTellings({ client: aws.admin.dynamodb, table: await aws.makeTable(), clock })],
];

describe.each(tellings)('T4 what is told, in %s', (_name, open) => {
  const pair: Pair = [acme, globex];
  const day = '2026-11-22';
  let store: Tellings;
  let now = start;
  beforeEach(async () => {
    now = start;
    store = await open(() => now);
  });
  const take = (eventId: string, of: Pair = pair, on = day) => store.take(of, 'openai', on, eventId);

  it('is told by one event, which may try again until it is told', async () => {
    expect([await take('one'), await take('two'), await take('one')]).toEqual([true, false, true]);
    await store.told(pair, 'openai', day);
    expect([await take('one'), await take('two')]).toEqual([false, false]);
  });

  it('is told by another when the one has failed for ten minutes, and never again once told', async () => {
    expect(await take('one')).toBe(true);
    now += 600_000;
    expect(await take('two')).toBe(false);
    now += 1;
    expect([await take('two'), await take('one')]).toEqual([true, false]);
    await store.told(pair, 'openai', day);
    now += 86_400_000;
    expect(await take('three')).toBe(false);
  });

  it('is told again on another day, and for another pair', async () => {
    expect(await take('one')).toBe(true);
    await store.told(pair, 'openai', day);
    expect([await take('two', pair, '2026-11-23'), await take('two', [acme2, globex])]).toEqual([true, true]);
  });
});

describe('T4 what the table keeps', () => {
  it('is who, where and when, and no longer than some hours', async () => {
    const table = await aws.makeTable();
    await createThrottlings({ client: aws.admin.dynamodb, table }).keep(throttled(acme, 0));
    const { Items = [] } = await aws.admin.dynamodb.send(new ScanCommand({ TableName: table }));
    expect(Items.map((item) => Object.keys(item).sort())).toEqual(
      Array.from({ length: 2 }, () => ['at', 'credentialId', 'pk', 'provider', 'sk', 'tenantId', 'ttl']),
    );
    for (const { ttl } of Items) expect(Number(ttl?.N) - start / 1000).toBe(6 * 3600);
  });
});
