import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { inFull } from '../support/fault-points.ts';
import { seedCrowd } from '../support/many-tenants.ts';
import { type CallCounts, costOf, costOfMinute, revocations, totalOf, warmUp } from '../support/revocation-calls.ts';

/** So many tenants are there besides; making more takes longer than asking. */
const [few, many] = [10, inFull ? 10_000 : 1_000];
const afterwards = 'a minute later';

let test: TestCloud;
const costs = new Map<number, ReadonlyMap<string, CallCounts>>();

async function costsNow(): Promise<ReadonlyMap<string, CallCounts>> {
  const found = new Map<string, CallCounts>();
  for (const name of Object.keys(revocations)) found.set(name, await costOf(test, name));
  found.set(afterwards, await costOfMinute(test));
  return found;
}

beforeAll(async () => {
  test = await testCloud();
  await seedCrowd(test.cloud, 0, few);
  await warmUp(test);
  costs.set(few, await costsNow());
  await seedCrowd(test.cloud, few, many);
  costs.set(many, await costsNow());
}, 400_000);

describe('X1 X5 X6 the calls of a revocation, of each scope', () => {
  it.each([...Object.keys(revocations), afterwards])(`%s: are as many among ${many} tenants as among ${few}`, (name) => {
    const [amongFew = {}, amongMany = {}] = [costs.get(few)?.get(name), costs.get(many)?.get(name)];
    expect(totalOf(amongFew)).toBeGreaterThan(3);
    expect(amongMany).toEqual(amongFew);
  });

  it('read nothing across tenants: no scan, and nothing of the crowd', () => {
    const { journal } = test.cloud;
    const ofCrowd = journal
      .since(0)
      .filter(({ tags, principal }) => (tags['TenantId'] ?? '').startsWith('crowd-') && !principal.endsWith(':root'));
    expect(ofCrowd).toEqual([]);
    const names = [...costs.values()].flatMap((all) => [...all.values()]).flatMap((counts) => Object.keys(counts));
    expect(names.filter((name) => name.includes(' Scan'))).toEqual([]);
  });
});
