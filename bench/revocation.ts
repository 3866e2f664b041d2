/** From a revocation's event to the first use that is refused, under the traffic of a hundred tenants; and what a revocation costs in calls, among few tenants and many. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestCloud, testCloud } from '../test/support/cloud.ts';
import { seedCrowd } from '../test/support/many-tenants.ts';
import {
  type CallCounts,
  costOf,
  costOfMinute,
  costOfOffboarding,
  revocations,
  tenantOfTwo,
  totalOf,
  warmUp,
} from '../test/support/revocation-calls.ts';
import { put, revocationOf } from '../test/support/revocations.ts';
import { atMost, type Bench, exactly, type Figure } from './figures.ts';
import { startCallers } from './revocation-callers.ts';
import { onTheWay } from './rotation-assumptions.ts';

const tenants = 100;
/** Between two calls of a tenant's agent: some 25 calls a second of all of them. */
const everyMs = 4_000;
const [few, many] = [10, 10_000];
/** What is refused at the next use; a revoked version is replaced, and use goes on with another key. */
const refusing = Object.keys(revocations).filter((name) => name !== 'version revoked');

/** Nearest rank: of a hundred, the 99th is the last but one. */
const at = (sorted: readonly number[], share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;

async function latencies(test: TestCloud): Promise<Figure[]> {
  const ids: string[] = [];
  for (let n = 0; n < tenants; n += 1) ids.push(await tenantOfTwo(test));
  const callers = await startCallers(test, ids, everyMs);
  const times: number[] = [];
  const written: number[] = [];
  for (const [index, tenantId] of ids.entries()) {
    const asked = await revocations[refusing[index % refusing.length] ?? '']?.(test, tenantId);
    if (asked === undefined) throw new Error('nothing is known to revoke');
    const refused = callers.untilRefused(tenantId);
    const id = await put(test, asked.detailType, { tenantId, ...asked.detail });
    const [accepted, acceptedAt] = [performance.now(), test.cloud.clock.now()];
    times.push(Math.max(0, (await refused) - accepted));
    // One after the other: the local cloud runs two of a function at a time, and a run waits for the cut-off.
    while ((await revocationOf(test, tenantId, id)).status === 'open') await sleep(20);
    written.push(Math.max(0, (await revocationOf(test, tenantId, id)).inForceAt - acceptedAt));
  }
  await callers.stop();
  const uses = [...callers.times].sort((a, b) => a - b);
  times.sort((a, b) => a - b);
  written.sort((a, b) => a - b);
  const ms = 'ms';
  for (const failure of callers.failures.slice(0, 3)) process.stderr.write(`${failure}\n`);
  return [
    { what: `event accepted until the first use is refused, ${tenants} tenants with traffic: p50`, value: at(times, 0.5), unit: ms },
    atMost('  p99', at(times, 0.99), ms, 500),
    { what: '  the longest', value: times.at(-1) ?? Number.NaN, unit: ms },
    { what: 'event accepted until its write: p50', value: at(written, 0.5), unit: ms },
    { what: '  p99', value: at(written, 0.99), unit: ms },
    {
      what: 'assumed to come on top in AWS: bus to queue, queue to function (no cold start)',
      value: onTheWay.eventToQueue + onTheWay.queueToFunction,
      unit: ms,
    },
    { what: 'a use through the broker at the same time: p50', value: at(uses, 0.5), unit: ms },
    { what: '  p99', value: at(uses, 0.99), unit: ms },
    { what: 'until the first refused use : a use, p50', value: at(times, 0.5) / at(uses, 0.5), unit: 'ratio' },
    { what: 'successful uses of all tenants meanwhile', value: uses.length, unit: 'calls' },
    exactly('  that failed although nothing of the tenant was revoked', callers.failures.length, 'calls', 0),
  ];
}

async function costs(test: TestCloud): Promise<ReadonlyMap<string, CallCounts>> {
  const found = new Map<string, CallCounts>();
  for (const name of Object.keys(revocations)) found.set(name, await costOf(test, name));
  found.set('a minute of the sweep and of the writer of the cut-off', await costOfMinute(test));
  return found;
}

async function amongManyTenants(test: TestCloud): Promise<Figure[]> {
  await warmUp(test);
  await seedCrowd(test.cloud, 0, few);
  const before = await costs(test);
  await seedCrowd(test.cloud, few, many);
  const after = await costs(test);
  return [...before].flatMap(([name, counts]) => [
    { what: `AWS calls, ${name}, among ${few} tenants`, value: totalOf(counts), unit: 'calls' },
    exactly(`  among ${many}`, totalOf(after.get(name) ?? {}), 'calls', totalOf(counts)),
  ]);
}

/** What one credential more costs a tenant that is offboarded. */
async function perCredential(test: TestCloud): Promise<Figure[]> {
  const [some, more] = [5, 25];
  const [first, second] = [totalOf(await costOfOffboarding(test, some)), totalOf(await costOfOffboarding(test, more))];
  return [{ what: 'AWS calls of offboarding, for each credential', value: (second - first) / (more - some), unit: 'calls' }];
}

export const revocation: Bench = {
  name: 'Revocation on the local cloud: one machine, no network; a tenant has a credential of its own and one of a user',
  async run() {
    const test = await testCloud({ tenantEnvironments: tenants + 10 });
    try {
      // On a fresh cloud: cut-offs of the last hour are in the policy that is compared.
      const costs = [...(await amongManyTenants(test)), ...(await perCredential(test))];
      return [...(await latencies(test)), ...costs];
    } finally {
      await test.cloud.close();
    }
  },
};
