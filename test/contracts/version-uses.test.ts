import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import { createVersionUses } from '../../functions/attribution/version-uses.dynamodb.ts';
import { drainMs, isDrained } from '../../functions/attribution/version-uses.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { attributedUse } from './fakes/attributed-use.ts';
import { createMemoryAttributionStore } from './fakes/memory-attribution-store.ts';
import { createMemoryVersionUses } from './fakes/memory-version-uses.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { versionUsesContract } from './version-uses.suite.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const [acme, main] = [tenantId.parse('acme'), credentialId.parse('main')];
const useOf = (agoMs: number, over?: Parameters<typeof attributedUse>[2], outcome?: object | 'none') =>
  attributedUse(now, agoMs, over, outcome);

versionUsesContract('memory', async (clock) => {
  const store = createMemoryAttributionStore();
  return { store, uses: createMemoryVersionUses(store, clock) };
});

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeEach(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.close());

  const open = (maxPages?: number) => ({
    store: createAttributionStore(aws.admin.dynamodb, aws.attributionTable),
    uses: createVersionUses({ client: aws.admin.dynamodb, table: aws.attributionTable, clock: () => now, ...(maxPages && { maxPages }) }),
  });
  versionUsesContract('DynamoDB', async (clock) => ({
    ...open(),
    uses: createVersionUses({ client: aws.admin.dynamodb, table: aws.attributionTable, clock }),
  }));

  const minute = 60_000;
  /** Three entries make a page of a megabyte. */
  const large = { about: 'x'.repeat(350_000) };
  const record = async (...uses: ReturnType<typeof useOf>[]) => {
    const { store } = open();
    for (const entry of uses.flat()) await store.record(entry);
  };
  const look = async (maxPages?: number, since = now - 60 * minute) => {
    const before = aws.kernel.journal.lastSeq;
    const use = await open(maxPages).uses.usesOf(acme, main, 'old', since);
    return { use, queries: aws.kernel.journal.since(before).filter(({ action }) => action === 'dynamodb:Query').length };
  };

  it('R4 asks once for each of the days in question, however much else was done', async () => {
    await record(...Array.from({ length: 20 }, (_, n) => useOf(n * minute, { credentialVersion: 'new' })));
    expect(await look()).toEqual({ use: { open: false, complete: true }, queries: 1 });
    expect((await look(undefined, now - 13 * 60 * minute)).queries).toBe(2);
  });

  it('R4 asks for what has been written this very moment: the table answers as it is, not as it was', async () => {
    const inputs: object[] = [];
    aws.admin.dynamodb.middlewareStack.add(
      (next) => (args) => {
        inputs.push(args.input);
        return next(args);
      },
      { step: 'initialize' },
    );
    await look();
    expect(inputs).toEqual([expect.objectContaining({ ConsistentRead: true })]);
  });

  it('R4 reads on behind pages that are full of other versions', async () => {
    await record(...Array.from({ length: 4 }, (_, n) => useOf(n, { credentialVersion: 'new', context: large })), useOf(minute, {}, 'none'));
    expect((await look()).use).toEqual({ lastAt: now - minute, open: true, complete: true });
  });

  it('R4 does not hold a use to be under way whose outcome is on the next page', async () => {
    await record(...Array.from({ length: 5 }, (_, n) => useOf(n, { context: large })));
    expect((await look()).use).toEqual({ lastAt: now, open: false, complete: true });
  });

  it.each([
    ['stops at a use that is under way', useOf(minute, {}, 'none'), { lastAt: now - minute, open: true, complete: true }],
    ['stops where no call can last longer, once it has found a use', useOf(minute), { lastAt: now - minute, open: false, complete: true }],
  ])('R4 %s', async (_what, use, expected) => {
    await record(...Array.from({ length: 4 }, (_, n) => useOf(30 * minute + n, { context: large })), use);
    expect(await look()).toEqual({ use: expected, queries: 1 });
  });

  it('R4 says that it does not know when there is more than one look goes through', async () => {
    await record(...Array.from({ length: 4 }, (_, n) => useOf(n, { credentialVersion: 'new', context: large })), useOf(minute, {}, 'none'));
    expect(await look(2)).toEqual({ use: { open: false, complete: false }, queries: 2 });
  });

  it('R4 leaves out no entry that it cannot read', async () => {
    const [intent] = useOf(minute);
    if (intent) await open().store.record({ ...intent, id: `${intent.id.slice(0, 25)}I` });
    await expect(look()).rejects.toMatchObject({ code: 'ITEM_NOT_UNDERSTOOD', retryable: true });
  });
});

describe('R4 a version', () => {
  it.each([
    ['was never used', { open: false, complete: true }, true],
    ['was last used as long ago as a call can last', { lastAt: now - drainMs, open: false, complete: true }, true],
    ['was used since then', { lastAt: now - drainMs + 1, open: false, complete: true }, false],
    ['is in use', { lastAt: now - drainMs, open: true, complete: true }, false],
    ['has more entries than were looked through', { open: false, complete: false }, false],
  ])('that %s: drained is %o, %s', (_what, use, drained) => {
    expect(isDrained(use, now)).toBe(drained);
  });
});
