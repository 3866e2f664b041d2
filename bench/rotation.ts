/** Rotating 100,000 credentials every 90 days: calls, quotas and cost, and an emergency, at assumed latencies on a simulated clock. */
import type { IntentEntry } from '../functions/attribution/attribution-entry.ts';
import type { TenantId } from '../functions/shared/identifiers.ts';
import { atMost, type Bench, exactly, type Figure } from './figures.ts';
import { latencyMs, onTheWay, prices, quotas, secretsManagerWrites } from './rotation-assumptions.ts';
import { createCaller } from './rotation-caller.ts';
import { costOf, costOfRuns } from './rotation-cost.ts';
import { drain, scheduled, sweep } from './rotation-sweep.ts';
import { backup, main, type RotationWorld, startRotationWorld } from './rotation-world.ts';
import { type Calls, countOf, sumOf } from './simulated-time.ts';

const credentials = 100_000;
const everyDays = 90;
const rotationsAYear = 365 / everyDays;
const runsAYear = 365 * 24 * 60;
/** Of the workers and the sweep: `infra/constructs/service-function.ts`. */
const memoryGb = 0.5;
const assumed = Object.entries(latencyMs)
  .map(([service, ms]) => `${service} ${ms}`)
  .join(', ');
/** For each message: sent by the sweep, received and deleted by Lambda's poller, each by itself, although ten may share a request. */
const queueCalls: Calls = new Map([['sqs message', 3]]);

interface Rotated {
  readonly calls: Calls;
  readonly runs: number;
  readonly seconds: number;
}

/** Has the credential come due, and the worker run each time it is, until the old key is dead and its version dropped. */
async function rotate({ time, run, item }: RotationWorld, of: TenantId): Promise<Rotated> {
  const before = (await item(of)).secretVersionId;
  const all: Calls[] = [];
  let tookMs = 0;
  for (;;) {
    const { dueAt = 0, rotating, secretVersionId } = await item(of);
    if (secretVersionId !== before && rotating === undefined) return { calls: sumOf(all), runs: all.length, seconds: tookMs / 1_000 };
    if (all.length === 10) throw new Error('a rotation did not end');
    time.pass(Math.max(0, dueAt - time.now()));
    const ran = await time.during(() => run(of));
    all.push(ran.calls);
    tookMs += ran.tookMs;
  }
}

/** Without those that Secrets Manager makes to KMS. */
const awsCalls = (calls: Calls): number => countOf(calls) - countOf(calls, 'provider') - countOf(calls, 'kms');

async function perRotation(world: RotationWorld): Promise<{ readonly figures: Figure[]; readonly rotated: Rotated }> {
  const lone = await world.onboard('lone');
  // The old key was in use until just before.
  await createCaller(world, lone)();
  const rotated = await rotate(world, lone);
  const { calls, runs } = rotated;
  const again = async (what: string, of: TenantId): Promise<Figure> =>
    exactly(`AWS calls of a rotation, ${what}`, awsCalls((await rotate(world, of)).calls), 'calls', awsCalls(calls));
  const figures: Figure[] = [
    { what: 'AWS calls of a rotation, the only credential there is', value: awsCalls(calls), unit: 'calls' },
    { what: '  that write a secret', value: countOf(calls, 'secretsmanager', secretsManagerWrites), unit: 'calls' },
    { what: '  to DynamoDB', value: countOf(calls, 'dynamodb'), unit: 'calls' },
    { what: '  for a session', value: countOf(calls, 'sts'), unit: 'calls' },
    { what: 'requests to the provider', value: countOf(calls, 'provider'), unit: 'requests' },
    { what: 'runs of the worker', value: runs, unit: 'runs' },
    await again('the second one of the same credential', lone),
    await again('the third', lone),
  ];
  const large = await world.onboard('large', { others: 20 });
  for (let n = 0; n < 50; n += 1) await world.onboard(`neighbour-${n}`);
  return { figures: [...figures, await again('beside 20 of its tenant and 50 of others', large)], rotated };
}

async function sweeps(): Promise<{ readonly figures: Figure[]; readonly queries: number }> {
  const { queries } = await sweep(new Map(), 0);
  const figures: Figure[] = [{ what: 'queries of a sweep, nothing scheduled', value: queries, unit: 'queries' }];
  for (const count of [1_000, credentials]) {
    const empty = await sweep(
      scheduled(count, () => 1),
      0,
    );
    figures.push(exactly(`queries of a sweep, ${count} credentials scheduled, none due`, empty.queries, 'queries', queries));
  }
  return { figures, queries };
}

/** Calls per second against what AWS allows: spread over the period, and with everything due at once. */
async function rates({ calls, runs, seconds }: Rotated): Promise<Figure[]> {
  const writes = countOf(calls, 'secretsmanager', secretsManagerWrites);
  const sessions = countOf(calls, 'sts');
  const { secretsManagerWritesPerSecond, stsCallsPerSecond } = quotas;
  const spread = credentials / (everyDays * 86_400);
  const backlog = 6_000;
  const { perMinute, longestWait } = await drain(backlog, runs);
  const atOnce = perMinute / runs / 60;
  return [
    atMost('writes of secrets, all spread over the period', spread * writes, '1/s', secretsManagerWritesPerSecond),
    atMost('sessions, all spread over the period', spread * sessions, '1/s', stsCallsPerSecond),
    { what: 'runs a minute that the sweep starts when all of a provider are due at once', value: perMinute, unit: 'runs' },
    atMost('  writes of secrets then', atOnce * writes, '1/s', secretsManagerWritesPerSecond),
    atMost('  sessions then', atOnce * sessions, '1/s', stsCallsPerSecond),
    { what: `  until ${credentials} are rotated`, value: credentials / atOnce / 86_400, unit: 'days' },
    { what: `  longest wait of an old key after its grace, of ${backlog} due at once`, value: longestWait, unit: 'min' },
    {
      what: 'workers at once that stay below the quota of writes',
      value: Math.floor(secretsManagerWritesPerSecond / (writes / seconds)),
      unit: 'workers',
    },
  ];
}

function costs({ calls, runs, seconds }: Rotated, queries: number): Figure[] {
  const messages = new Map([...queueCalls].map(([name, times]) => [name, times * runs]));
  const rotation = costOf(sumOf([calls, messages])) + costOfRuns({ count: runs, seconds, memoryGb });
  const sweeping = runsAYear * (costOf(new Map([['dynamodb Query', queries]])) + costOfRuns({ count: 1, seconds: 1, memoryGb }));
  return [
    { what: 'a credential and year: its secret', value: 100 * 12 * prices.secretMonth, unit: 'cents' },
    atMost(
      'a credential and year: its rotation, its share of the sweep',
      100 * (rotationsAYear * rotation + sweeping / credentials),
      'cents',
      1,
    ),
    { what: `all ${credentials} in a year: rotations`, value: credentials * rotationsAYear * rotation, unit: '$' },
    { what: `all ${credentials} in a year: the sweep, every minute`, value: sweeping, unit: '$' },
  ];
}

/** From the event on: calls go through the backup, then through the new key; then the old one is dead. */
async function emergency(world: RotationWorld): Promise<Figure[]> {
  const { time } = world;
  const leaked = await world.onboard('leaked', { backup: true });
  const bystander = await world.onboard('bystander');
  const call = createCaller(world, leaked);
  await call();
  const oldVersion = (await world.item(leaked)).secretVersionId;
  const versionBefore = (await world.item(bystander)).version;
  const eventAt = time.now();
  time.pass(onTheWay.eventToQueue + onTheWay.queueToFunction + onTheWay.coldStart);
  /** Seconds from the event until a call that comes now leaves for the provider with the credential that is expected. */
  const useNow = async (what: string, isExpected: (intent: IntentEntry) => boolean): Promise<number> => {
    const { value, tookMs } = await time.meanwhile(call);
    if (!isExpected(value.intent)) throw new Error(`a call did not go through ${what}`);
    return (time.now() - eventAt + onTheWay.toBroker + tookMs) / 1_000;
  };
  let throughBackup: number | undefined;
  let throughNewKey: number | undefined;
  await world.run(leaked, { emergency: true }, async ({ diverted, secretVersionId }) => {
    if (diverted)
      throughBackup ??= await useNow('the backup', ({ credentialId, context }) => credentialId === backup && context['backupFor'] === main);
    else if (secretVersionId !== oldVersion)
      throughNewKey ??= await useNow(
        'the new key',
        ({ credentialId, credentialVersion }) => credentialId === main && credentialVersion === secretVersionId,
      );
  });
  const dead = (time.now() - eventAt) / 1_000;
  const liveKeys = world.provider.openai.liveKeys(`${leaked}.${main}.`).length;
  return [
    { what: 'emergency: from the event to the first use of the backup', value: throughBackup ?? Number.NaN, unit: 's' },
    atMost('emergency: from the event to the first use of the new key', throughNewKey ?? Number.NaN, 's', 10),
    { what: 'emergency: until the provider was shown to refuse the old key', value: dead, unit: 's' },
    exactly('emergency: live keys of the credential at the provider afterwards', liveKeys, 'keys', 1),
    exactly("emergency: changes to another tenant's credential", (await world.item(bystander)).version - versionBefore, 'writes', 0),
  ];
}

export const rotation: Bench = {
  name: `Rotation of ${credentials} credentials every ${everyDays} days, simulated; assumed milliseconds per call: ${assumed}`,
  async run() {
    const world = await startRotationWorld();
    try {
      const { figures, rotated } = await perRotation(world);
      const empty = await sweeps();
      return [...figures, ...empty.figures, ...(await rates(rotated)), ...costs(rotated, empty.queries), ...(await emergency(world))];
    } finally {
      await world.close();
    }
  },
};
