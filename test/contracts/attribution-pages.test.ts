import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttributionEntry, attributionEntry } from '../../functions/attribution/attribution-entry.ts';
import { dayOf } from '../../functions/attribution/attribution-item.ts';
import { createAttributionPages } from '../../functions/attribution/attribution-pages.dynamodb.ts';
import type { AttributionPageQuery, AttributionPages } from '../../functions/attribution/attribution-pages.ts';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import { boundAt } from '../../functions/attribution/list-entries.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { createMemoryAttributionPages } from './fakes/memory-attribution-pages.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const day = '2026-11-21';
const acme = tenantId.parse('acme');
const ann = userIdOf('i', 'ann');
const nextId = createIds(() => start);

function entriesOf(over: object, actor: object = {}): AttributionEntry[] {
  const id = nextId();
  const intent = { id, at: new Date(start).toISOString(), tenantId: 'acme', operation: 'o', context: {}, ...over };
  const of = { ...intent, actor: { function: 'broker', ...actor } };
  return [
    attributionEntry.parse({ ...of, kind: 'INTENT' }),
    attributionEntry.parse({ ...of, kind: 'OUTCOME', outcome: { result: 'succeeded' } }),
  ];
}

const plain = [entriesOf({}), entriesOf({}), entriesOf({})];
const anns = [entriesOf({ credentialId: 'main' }, { userId: ann }), entriesOf({ credentialId: 'main-2' }, { userId: ann })];
const [first, second] = [entriesOf({}, { sessionId: 's-1' }), entriesOf({}, { sessionId: 's-1' })];
// A session whose name makes its keys lie between those of another.
const between = entriesOf({}, { sessionId: `s-1#${first[0]?.id}` });
const theirs = entriesOf({ tenantId: 'acme-2' });
const all = [...plain, ...anns, first, second, between, theirs].flat();
const own = all.filter((entry) => entry.tenantId === 'acme').sort((a, b) => (`${a.id}${a.kind}` < `${b.id}${b.kind}` ? -1 : 1));

let aws: LocalAws;
let stored: AttributionPages;
beforeAll(async () => {
  aws = await startLocalAws();
  const store = createAttributionStore(aws.admin.dynamodb, aws.attributionTable);
  for (const entry of all) await store.record(entry);
  stored = createAttributionPages(aws.admin.dynamodb, aws.attributionTable);
});
afterAll(() => aws.close());

describe.each([
  ['DynamoDB', (): AttributionPages => stored],
  [
    'memory',
    (): AttributionPages => {
      const pages = createMemoryAttributionPages();
      for (const entry of all) pages.add(entry);
      return pages;
    },
  ],
])('attribution pages (%s)', (_name, open) => {
  const stretch = { tenantId: acme, day, after: boundAt(start), before: boundAt(start + 1), limit: 100 };

  it('hold the entries of one tenant and day in the order of their IDs', async () => {
    expect(await open().page(stretch)).toEqual({ entries: own, more: false });
    expect(await open().page({ ...stretch, day: '2026-11-20' })).toEqual({ entries: [], more: false });
    expect(dayOf(own[0]?.id ?? '')).toBe(day);
  });

  it('begin after one ID and end before another', async () => {
    const [after, before] = [plain[0]?.[0]?.id ?? '', plain[2]?.[0]?.id ?? ''];
    expect((await open().page({ ...stretch, after })).entries).toEqual(own.slice(2));
    expect((await open().page({ ...stretch, after, before })).entries).toEqual(plain[1]);
  });

  it('say when there is more', async () => {
    expect(await open().page({ ...stretch, limit: 3 })).toEqual({ entries: own.slice(0, 3), more: true });
  });

  it('are of one credential, user or session, exactly, and begin and end within it too', async () => {
    const of = async (what: AttributionPageQuery['of'], over: Partial<AttributionPageQuery> = {}) =>
      (await open().page({ ...stretch, ...(what && { of: what }), ...over })).entries;
    expect(await of({ credentialId: credentialId.parse('main') })).toEqual(anns[0]);
    expect(await of({ userId: ann })).toEqual(anns.flat());
    expect(await of({ userId: ann }, { after: anns[0]?.[0]?.id })).toEqual(anns[1]);
    expect(await of({ sessionId: 's-1' })).toEqual([...first, ...second]);
    expect(await of({ sessionId: 's-1' }, { after: first[0]?.id })).toEqual(second);
    expect(await of({ sessionId: 's-1' }, { before: second[0]?.id })).toEqual(first);
  });
});
