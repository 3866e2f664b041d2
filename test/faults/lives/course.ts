/** How a life goes on: time passes until something is to be done, and it is done; until the world is at rest. */
import { z } from 'zod';
import { itemsOfTenant } from '../../support/revocation-facts.ts';
import { cutOffTrade } from '../../support/revocation-worker.ts';
import { simulatorOf } from '../../support/rotations.ts';
import { eventBody } from '../../support/worker-queue.ts';
import type { LivingTenant } from './cast.ts';
import type { LifeWorld } from './world.ts';

export interface Life {
  readonly world: LifeWorld;
  readonly tenants: LivingTenant[];
  /** What should not have been, told by those who asked for something. */
  readonly complaints: Set<string>;
}

export const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** What is due later is no work that is left: a rotation by the calendar, the next look at a connection. */
const soonMs = 6 * hourMs;
const patienceMs = 72 * hourMs;
/** The next run of the sweep and of the writer of the cut-off. */
const everyMs = minuteMs;

/** Which queue takes an event of the platform: as the rules of the stack have it, which other tests are about. */
const takers: Readonly<Record<string, string>> = {
  TenantOnboarded: 'tenants',
  UserOnboarded: 'tenants',
  CredentialRequested: 'tenants',
  RoutingRulesChanged: 'tenants',
  RoleConnectionRequested: 'byoc',
  RoleDisconnectionRequested: 'byoc',
  RotationRequested: 'rotation',
};

/** The platform tells Cordon something. Answers the event's ID. */
export async function tell({ world }: Life, detailType: string, detail: object): Promise<string> {
  const id = world.chance.uuid();
  const body = eventBody(world.test.cloud, { detailType, detail: { version: 1, requestedBy: 'ops@example.com', ...detail }, id });
  await world.mail.send(takers[detailType] ?? 'revocation', body);
  return id;
}

type Item = Awaited<ReturnType<typeof itemsOfTenant>>[number];

export async function itemsOf({ world, tenants }: Life): Promise<readonly Item[]> {
  const all = await Promise.all(tenants.map(({ tenantId }) => itemsOfTenant(world.test, tenantId)));
  return all.flat();
}

const dueIn = (items: readonly Item[]): number =>
  items.reduce((first, { dueAt }) => (typeof dueAt === 'number' ? Math.min(first, dueAt) : first), Number.POSITIVE_INFINITY);

/** Orders whose cut-off IAM does not have yet. */
const awaitsCutOff = ({ cutOff }: Item): boolean => typeof cutOff === 'object' && cutOff !== null && !('appliedAt' in cutOff);

/** In the provider's console the customer deletes what was replaced, and what Cordon says that it could not confirm the end of. */
function asCustomers({ world, tenants }: Life, items: readonly Item[]): void {
  for (const { credentials, status, tenantId } of tenants) {
    const own = items.filter((item) => item['tenantId'] === tenantId);
    const isAsked = own.some(isOpen);
    for (const { credentialId, ownKeys, provider, isRevoked } of credentials) {
      const isRetiring = own.some(({ sk, rotating }) => sk === `CREDENTIAL#${credentialId}` && phase.safeParse(rotating).success);
      const ended = isAsked && (isRevoked || status === 'offboarded') ? ownKeys : isRetiring ? ownKeys.slice(0, -1) : [];
      for (const key of ended) simulatorOf(world.test, provider).revokeKey(key);
    }
  }
}
const phase = z.looseObject({ phase: z.literal('retiring') });

/** Lets the time pass until something is to be done, and has it done. False when that is later than `latest`. */
async function goOn(life: Life, latest: number): Promise<boolean> {
  const { world } = life;
  const { clock } = world.test.cloud;
  const items = await itemsOf(life);
  asCustomers(life, items);
  const [now, due] = [clock.now(), dueIn(items)];
  // The sweep comes by once a minute, also for what a worker has left alone.
  const swept = due <= now ? now + everyMs : due + 1;
  const next = Math.ceil(Math.min(swept, Math.max(world.mail.nextVisible() ?? Number.POSITIVE_INFINITY, now + 1)));
  if (next > latest) return false;
  clock.advance(next - now);
  await world.line.release();
  if (swept <= next) await world.mail.set(world.sweep);
  if (items.some(awaitsCutOff)) await world.mail.set(cutOffTrade);
  await world.mail.deliver();
  return true;
}

/** Until no message is left and nothing is due for long. Adds a complaint when that is not so after three days. */
export async function rest(life: Life): Promise<void> {
  const { world } = life;
  const { clock } = world.test.cloud;
  const latest = clock.now() + patienceMs;
  await world.mail.deliver();
  for (;;) {
    const items = await itemsOf(life);
    const isOver = (await world.mail.left()) === 0 && dueIn(items) > clock.now() + soonMs && !items.some(isOpen);
    if (isOver) break;
    if (await goOn(life, latest)) continue;
    const stuck = items.filter((item) => isOpen(item) || Number(item['dueAt']) <= clock.now() + soonMs).map(({ sk }) => sk);
    life.complaints.add(
      `5 stuck: after three days there are ${await world.mail.left()} messages, and work is left on ${stuck.join(', ') || 'nothing'}`,
    );
    break;
  }
  await world.line.release();
}

/** The customer's part of it is yet to come. */
const isOpen = ({ sk, status }: Item): boolean => sk.startsWith('REVOCATION#') && status === 'unconfirmed';

/** Lets so much time pass, in which whatever is due is done. */
export async function pass(life: Life, ms: number): Promise<void> {
  const { clock } = life.world.test.cloud;
  const latest = clock.now() + ms;
  await life.world.mail.deliver();
  while (await goOn(life, latest));
  clock.advance(Math.max(0, latest - clock.now()));
}
