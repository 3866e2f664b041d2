import { describe, expect, it } from 'vitest';
import { attributed } from '../../../functions/attribution/attributed.ts';
import { dayOf } from '../../../functions/attribution/attribution-item.ts';
import { usesOf } from '../../../functions/attribution/read-attribution.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { createFaults } from '../../contracts/fakes/faults.ts';
import { createMemoryAttributionStore } from '../../contracts/fakes/memory-attribution-store.ts';

const acme = tenantId.parse('acme');
const intent = {
  tenantId: acme,
  actor: { function: 'tenants', requestedBy: 'op' },
  operation: 'vault.store-secret',
  context: { eventId: 'e' },
};
const beforeMidnight = Date.parse('2031-05-07T23:59:59.900Z');

function setUp(start = beforeMidnight) {
  let now = start;
  const clock = (): number => now;
  const store = createMemoryAttributionStore();
  const faults = createFaults();
  const deps = { store: faults.through('attribution', store), clock, nextId: createIds(clock) };
  return { deps, store, faults, clock, advance: (ms: number) => (now += ms) };
}

describe('E1 E2 attributed work', () => {
  it('runs between a durable intent and its outcome, which share ID and day also across midnight', async () => {
    const { deps, store, advance } = setUp();
    const value = await attributed(deps, intent, async () => {
      expect(store.all).toMatchObject([{ kind: 'INTENT', at: '2031-05-07T23:59:59.900Z' }]);
      advance(500);
      return { value: 7, credentialVersion: 'v1', context: { keyId: 'k' } };
    });
    expect(value).toBe(7);
    const [first, second] = store.all;
    expect(second).toMatchObject({
      id: first?.id,
      kind: 'OUTCOME',
      at: '2031-05-08T00:00:00.400Z',
      outcome: { result: 'succeeded' },
      credentialVersion: 'v1',
      context: { eventId: 'e', keyId: 'k' },
    });
    expect(await store.entries({ tenantId: acme, day: '2031-05-07' })).toHaveLength(2);
    expect(dayOf(first?.id ?? '')).toBe('2031-05-07');
  });

  it('does not run when the intent cannot be recorded', async () => {
    const { deps, faults, store } = setUp();
    faults.set({ call: 'attribution.record', nth: 1, mode: 'before' });
    let ran = false;
    const work = attributed(deps, intent, async () => {
      ran = true;
      return { value: undefined };
    });
    await expect(work).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(ran).toBe(false);
    expect(store.all).toEqual([]);
  });

  it.each([
    [new CordonError('ACCESS_REFUSED', 'no'), { result: 'refused', code: 'ACCESS_REFUSED' }],
    [new CordonError('PROVIDER_REFUSED', 'no'), { result: 'refused', code: 'PROVIDER_REFUSED' }],
    [new CordonError('PROVIDER_UNAVAILABLE', 'no'), { result: 'failed', code: 'PROVIDER_UNAVAILABLE' }],
    [new Error('sk-canary'), { result: 'failed' }],
  ])('records how work ended that threw %s, and throws it on', async (error, outcome) => {
    const { deps, store } = setUp();
    await expect(attributed(deps, intent, () => Promise.reject(error))).rejects.toBe(error);
    expect(store.all.at(-1)).toMatchObject({ kind: 'OUTCOME', outcome });
    expect(JSON.stringify(store.all)).not.toContain('sk-canary');
  });

  it("throws the work's own error also when its outcome cannot be recorded", async () => {
    const { deps, faults, store } = setUp();
    faults.set({ call: 'attribution.record', nth: 2, mode: 'before' });
    const error = new CordonError('PROVIDER_REFUSED', 'no');
    await expect(attributed(deps, intent, () => Promise.reject(error))).rejects.toBe(error);
    expect(store.all).toHaveLength(1);
  });

  it('fails when the work is done and its outcome cannot be recorded', async () => {
    const { deps, faults } = setUp();
    faults.set({ call: 'attribution.record', nth: 2, mode: 'before' });
    await expect(attributed(deps, intent, async () => ({ value: 1 }))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });
});

describe('E2 an intent without outcome', () => {
  it('is pending at first and unknown once it can no longer be under way', async () => {
    const { deps, store, faults, clock, advance } = setUp();
    faults.set({ call: 'attribution.record', nth: 2, mode: 'before' });
    await attributed(deps, intent, async () => ({ value: 1 })).catch(() => undefined);
    advance(15 * 60_000);
    expect(usesOf(store.all, clock())).toMatchObject([{ outcome: { result: 'pending' } }]);
    advance(60_000);
    expect(usesOf(store.all, clock())).toMatchObject([{ outcome: { result: 'unknown' } }]);
  });

  it('is joined with its outcome when there is one', async () => {
    const { deps, store, clock } = setUp();
    await attributed(deps, intent, async () => ({ value: 1, credentialVersion: 'v' }));
    expect(usesOf(store.all, clock())).toMatchObject([
      { intent: { kind: 'INTENT' }, outcome: { result: 'succeeded' }, credentialVersion: 'v' },
    ]);
  });
});

describe('IDs', () => {
  it('rise within a millisecond', () => {
    const next = createIds(() => beforeMidnight);
    const ids = Array.from({ length: 1000 }, next);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(1000);
  });
});
