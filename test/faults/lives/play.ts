/** One life, from its seed, with what goes wrong in it. */
import { createHash } from 'node:crypto';
import type { FaultPoint } from '../../support/fault-points.ts';
import { asRoot } from '../../support/ground-truth.ts';
import type { Trouble } from '../../support/troubled-line.ts';
import { itemsOf, type Life } from './course.ts';
import { type AtRest, violationsOf } from './invariants.ts';
import type { DeliveryTrouble } from './mail.ts';
import type { LifeWorld } from './world.ts';

/** Something that goes wrong. */
export type Wrong = Pick<Trouble, 'point' | 'effect'> | DeliveryTrouble;

export const isDelivery = (wrong: Wrong): wrong is DeliveryTrouble => wrong.point.service === 'delivery';

export interface Lived {
  /** What is not as it should be; nothing, when all is well. */
  readonly violations: readonly string[];
  /** Every call and every delivery, in their order. */
  readonly calls: readonly FaultPoint[];
  readonly deliveries: readonly FaultPoint[];
  /** What was to go wrong and did not come up. */
  readonly spared: readonly Wrong[];
  /** Messages that were put aside, by their reason. */
  readonly putAside: readonly string[];
  /** The same for the same life. */
  readonly digest: string;
  /** What the workers have logged. */
  readonly lines: readonly string[];
}

export interface Script {
  readonly seed: number;
  readonly troubles: readonly Wrong[];
  /** Deliveries come in an order that the seed decides. */
  readonly shuffled?: boolean;
  live(life: Life): Promise<void>;
}

/** Longer than any session of AWS lasts, and any cut-off of one. */
const forgottenMs = 70 * 60_000;

export async function play(world: LifeWorld, { seed, troubles, shuffled = false, live }: Script): Promise<Lived> {
  const { test, line, mail, staff, witness, chance } = world;
  const { cloud } = test;
  cloud.clock.advance(forgottenMs);
  chance.restart(seed);
  staff.dismiss();
  witness.forget();
  const secretsBefore = {
    keys: cloud.world.plantedSecrets().length,
    sessions: cloud.kernel.identities.sessions.size,
    tokens: test.tokens.size,
  };
  const since = cloud.clock.now();
  mail.restart(troubles.filter(isDelivery), { shuffled });
  line.restart(troubles.flatMap((wrong) => (isDelivery(wrong) ? [] : [wrong])));
  const life: Life = { world, tenants: [], complaints: new Set() };
  await live(life);
  const calls = [...line.calls];
  const deliveries = [...mail.deliveries];
  const spared: Wrong[] = [...line.waiting, ...mail.waiting];
  line.restart();
  mail.restart([]);
  const letters = await mail.putAside();
  const atRest: AtRest = { life, since, letters, secretsBefore };
  const violations = await violationsOf(atRest);
  const lines = [...staff.lines()];
  // Whoever lives next is not to meet what this life left in the calendar.
  await unschedule(life);
  const digest = createHash('sha256')
    .update(JSON.stringify({ calls, deliveries, ended: cloud.clock.now() - since }))
    .digest('hex');
  return { violations, calls, deliveries, spared, putAside: letters.map(({ reason = 'no reason' }) => reason), digest, lines };
}

/** Takes whatever is scheduled out of the schedule. */
async function unschedule(life: Life): Promise<void> {
  const { cloud } = life.world.test;
  for (const { sk, dueAt, tenantId } of await itemsOf(life)) {
    if (dueAt === undefined) continue;
    await asRoot(cloud, 'dynamodb', 'UpdateItem', {
      TableName: cloud.outputs['RegistryTable'],
      Key: { pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } },
      UpdateExpression: 'REMOVE dueAt, dueShard',
    });
  }
}
