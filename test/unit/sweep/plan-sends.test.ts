import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DueItem } from '../../../functions/sweep/due-item.ts';
import { planSends } from '../../../functions/sweep/plan-sends.ts';
import { dueItem, dueItems } from './due-items.ts';

const unbounded = Number.POSITIVE_INFINITY;
const lane = (items: readonly DueItem[], maxPerRun = unbounded) => ({ items, maxPerRun });
const names = (sent: readonly DueItem[]) => sent.map((one) => `${one.tenantId}${one.sk.split('#')[1]}`);

describe('what is sent of what is due', () => {
  it('is the longest due first', () => {
    const due = [dueItem('b', 1, 3), dueItem('a', 1, 2), dueItem('c', 1, 1)];
    expect(planSends([lane(due)], { room: 2, perTenant: 10, turn: 0 }).map((one) => one.dueAt)).toEqual([1, 2]);
  });

  it('goes by turns, so that a tenant with a thousand leaves room for one with two', () => {
    const due = [...dueItems('big', 1000, 0), ...dueItems('small', 2, 5000)];
    expect(names(planSends([lane(due)], { room: 6, perTenant: 10, turn: 0 }))).toEqual([
      'big0',
      'small0',
      'big1',
      'small1',
      'big2',
      'big3',
    ]);
  });

  it('goes by turns between lanes too: a lane with a thousand long due leaves room for one with two', () => {
    const lanes = [lane([...dueItems('a', 500, 0), ...dueItems('b', 500, 0)]), lane(dueItems('c', 2, 5000))];
    expect(names(planSends(lanes, { room: 6, perTenant: 10, turn: 0 }))).toEqual(['a0', 'c0', 'b0', 'c1', 'a1', 'b1']);
  });

  it('is no more of a lane than it may send in a run, and what it leaves goes to the others', () => {
    const lanes = [lane(dueItems('a', 50), 2), lane(dueItems('b', 50), 3), lane(dueItems('c', 5))];
    const sent = planSends(lanes, { room: 9, perTenant: 100, turn: 0 });
    expect(['a', 'b', 'c'].map((tenant) => sent.filter((one) => one.tenantId === tenant).length)).toEqual([2, 3, 4]);
  });

  it('is no more of a tenant than it may have, in all lanes together, and a lane that passes it over sends others instead', () => {
    const lanes = [lane(dueItems('a', 5, 0), 2), lane([...dueItems('a', 5, 0), ...dueItems('b', 5, 100)], 2)];
    const sent = planSends(lanes, { room: 20, perTenant: 3, turn: 0 });
    expect(sent.filter((one) => one.tenantId === 'a')).toHaveLength(3);
    expect(sent.filter((one) => one.tenantId === 'b')).toHaveLength(1);
    expect(names(planSends(lanes, { room: 20, perTenant: 1, turn: 0 }))).toEqual(['a0', 'b0']);
  });

  it('begins with another lane each time, so that room for one is every lane’s in turn', () => {
    const lanes = ['a', 'b', 'c'].map((tenant, n) => lane(dueItems(tenant, 9, n)));
    const turns = [0, 1, 2, 3].map((turn) => names(planSends([lane([]), ...lanes], { room: 1, perTenant: 9, turn })));
    expect(turns).toEqual([['a0'], ['b0'], ['c0'], ['a0']]);
  });

  it('is nothing where nothing is due', () => {
    expect(planSends([], { room: 9, perTenant: 9, turn: 7 })).toEqual([]);
    expect(planSends([lane([])], { room: 9, perTenant: 9, turn: 7 })).toEqual([]);
  });

  it('is never more than there is room for, nor more than a tenant or a lane may have, nor anything twice', () => {
    const anItem = fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), account: fc.nat(40), dueAt: fc.nat(50), lane: fc.nat(3) });
    const bounds = fc.record({ room: fc.nat(30), perTenant: fc.integer({ min: 1, max: 8 }), turn: fc.nat(9) });
    fc.assert(
      fc.property(
        fc.array(anItem, { maxLength: 80 }),
        bounds,
        fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }),
        (items, bound, most) => {
          const due = [...new Map(items.map((one) => [`${one.tenant}#${one.account}`, one])).values()];
          const lanes = most.map((maxPerRun, index) =>
            lane(
              due.filter((one) => one.lane === index).map((one) => dueItem(one.tenant, one.account, one.dueAt)),
              maxPerRun,
            ),
          );
          const sent = new Set(planSends(lanes, bound));
          const left = lanes.flatMap(({ items: own }) => own).filter((item) => !sent.has(item));
          const ofTenant = (item: DueItem) => [...sent].filter((one) => one.tenantId === item.tenantId).length;
          const ofLane = (of: readonly DueItem[]) => of.filter((item) => sent.has(item)).length;
          expect(planSends(lanes, bound)).toHaveLength(sent.size);
          expect(sent.size).toBeLessThanOrEqual(bound.room);
          for (const item of sent) expect(ofTenant(item)).toBeLessThanOrEqual(bound.perTenant);
          for (const { items: own, maxPerRun } of lanes) expect(ofLane(own)).toBeLessThanOrEqual(maxPerRun);
          // What is left is left for a reason: there is no room, or its tenant or its lane has had its share.
          for (const item of left) {
            const own = lanes.find(({ items: all }) => all.includes(item)) ?? lane([]);
            const full = sent.size === bound.room || ofTenant(item) === bound.perTenant || ofLane(own.items) === own.maxPerRun;
            expect(full).toBe(true);
          }
        },
      ),
    );
  });
});
