/** Runs of one event with a fault at one of its AWS calls, compared with a run without. */
import { expect, it } from 'vitest';
import type { LocalCloud } from '../../local/cloud.ts';
import type { Fault } from '../../local/core/faults.ts';
import type { JournalEntry } from '../../local/core/journal.ts';
import type { TestCloud } from './cloud.ts';
import { awsPoints, type FaultPoint, inFull, pointName } from './fault-points.ts';
import { suspendSchedules } from './schedules.ts';
import { queued, settle } from './settle.ts';
import { type TenantState, tenantState } from './tenant-state.ts';

interface PlatformEvent {
  readonly detailType: string;
  readonly detail: object;
}

/** An event about a tenant, and what has to be there before it comes. */
export interface Flow {
  /** Applied one after the other. */
  readonly before: (tenantId: string) => readonly PlatformEvent[];
  readonly event: (tenantId: string) => PlatformEvent;
  /** Subjects, at the local issuer, of users who own credentials, by user ID. */
  readonly subjects?: Readonly<Record<string, string>>;
}

/**
 * What happens to a call and to the ones after it, which are the SDK's repetitions: it asks three or four times, so that of a failure that lasts this long the code
 * gets to know.
 */
const ofAWorker = [
  { how: 'fails until the SDK gives up', modes: ['before', 'before', 'before', 'before'], reachesTheCode: true },
  { how: 'is done and its answer is lost', modes: ['after'], reachesTheCode: false },
  { how: 'is done, its answer is lost and asking again fails', modes: ['after', 'before', 'before', 'before'], reachesTheCode: true },
  { how: 'is done and the worker dies', modes: ['crash'], reachesTheCode: true },
] as const;
/** The event source mapping asks again by itself, and no worker dies of its calls. */
const ofTheMapping = [
  { how: 'fails', modes: ['before'], reachesTheCode: false },
  { how: 'is done and its answer is lost', modes: ['after'], reachesTheCode: false },
] as const;
/** A call without an effect: that it was done and nobody knows is nothing new to the code, only the lost connection is. */
const effectless = /^(AssumeRole|Decrypt|Describe|GenerateDataKey|Get|Query)/;
/** At-least-once delivery, on each leg of an event's way. */
const deliveries = ['events PutEvents', 'sqs SendMessage', 'sqs ReceiveMessage'];

interface InterruptedCase {
  readonly title: string;
  readonly point: FaultPoint;
  readonly modes: readonly Fault['mode'][];
  /** True when the event has to be received again. */
  readonly reachesTheCode: boolean;
}

export interface RecordedFlow {
  readonly flow: Flow;
  readonly points: readonly FaultPoint[];
  readonly clean: TenantState;
  readonly cases: readonly InterruptedCase[];
}

/** After this nothing that the function keeps of earlier runs is used any more: tenant sessions, the admin key. */
const forgottenMs = 901_000;
const adminKeyForgottenMs = 301_000;
/** Of these the n-th call depends on whether the admin key is read anew, as it was when the flow was recorded. */
const readsTheAdminKey = new Set(['kms', 'secretsmanager']);

/**
 * Plays the flow once and answers every AWS call that `tenants` made for it.
 *
 * @param sampled a quarter of the troubles, and of calls without an effect every twelfth: they go the same way through the code as those of the first flow, which meets
 *   half of them. `npm run faults` meets all of every flow
 */
export async function recordFlow(test: TestCloud, flow: Flow, sampled = false): Promise<RecordedFlow> {
  const { cloud } = test;
  await suspendSchedules(cloud);
  const [tenantId = ''] = await prepareTenants(test, flow, 1);
  await warmUp(test);
  const since = cloud.journal.lastSeq;
  await test.putEvents(flow.event(tenantId));
  await settle(cloud);
  const points = await pointsOf(cloud, since, tenantId);
  const clean = await tenantState(test, tenantId, flow.subjects);
  const all = points.flatMap(interruptionsOf);
  const isKept = ({ point, reachesTheCode }: InterruptedCase, index: number): boolean =>
    inFull ||
    index % 12 === 0 ||
    (reachesTheCode && !effectless.test(point.action) ? index % (sampled ? 4 : 2) === 0 : !sampled && index % 2 === 0);
  return { flow, points, clean, cases: [...all.filter(isKept), ...deliveries.map(doubled)] };
}

function interruptionsOf(point: FaultPoint): InterruptedCase[] {
  const isOfTheMapping = point.service === 'sqs' && (point.action === 'ReceiveMessage' || point.action === 'DeleteMessageBatch');
  const all = isOfTheMapping ? ofTheMapping : ofAWorker;
  return all
    .filter(({ modes }) => !(effectless.test(point.action) && modes[0] === 'after' && modes.length > 1))
    .map(({ how, ...rest }) => ({ title: `${pointName(point)} ${how}`, point, ...rest }));
}

function doubled(leg: string): InterruptedCase {
  const [service = '', action = ''] = leg.split(' ');
  return { title: `${leg} delivers twice`, point: { service, action, nth: 1 }, modes: ['duplicate'], reachesTheCode: false };
}

/** The AWS calls that `tenants` has made for a tenant since `since`, itself or in a session of the tenant. What Lambda writes to the function's log is not its own. */
export async function pointsOf(cloud: LocalCloud, since: number, tenantId: string): Promise<FaultPoint[]> {
  const entries = cloud.journal.since(since);
  const { tenants } = await cloud.functionCredentials();
  const own = tenants && cloud.kernel.callerOf(tenants.accessKeyId)?.principal.arn;
  const isOfFunction = ({ principal, tags, service }: JournalEntry): boolean =>
    service !== 'logs' && (principal === own || tags['TenantId'] === tenantId);
  return awsPoints(entries, isOfFunction);
}

/** Makes that many tenants ready for the flow's event, all at once, and lets the function forget them. */
async function prepareTenants(test: TestCloud, flow: Flow, count: number): Promise<string[]> {
  const tenants = Array.from({ length: count }, () => test.freshTenantId());
  const steps = tenants.map((tenantId) => flow.before(tenantId));
  for (let step = 0; steps.some((events) => events.length > step); step += 1) {
    const events = steps.flatMap((all) => all.slice(step, step + 1));
    // PutEvents takes ten.
    for (let from = 0; from < events.length; from += 10) await test.putEvents(...events.slice(from, from + 10));
    await settle(test.cloud);
  }
  test.cloud.clock.advance(forgottenMs);
  return tenants;
}

/** A worker and a mapping with fresh sessions, so that no `AssumeRole` but the function's own is counted in what follows. */
async function warmUp(test: TestCloud): Promise<void> {
  test.cloud.clock.advance(adminKeyForgottenMs);
  await test.putEvents({ detailType: 'TenantOnboarded', detail: { tenantId: 'nobody' } });
  await settle(test.cloud);
  await test.deadLetter('nobody');
}

/** Plays the flow's event with faults at one call, until nothing is left in the queue. */
async function interrupt(
  test: TestCloud,
  flow: Flow,
  tenantId: string,
  { point, modes }: InterruptedCase,
): Promise<{ struck: boolean; received: number; deadLetters: number; state: TenantState }> {
  const { cloud } = test;
  if (point.service === 'sts') await warmUp(test);
  else if (readsTheAdminKey.has(point.service)) cloud.clock.advance(adminKeyForgottenMs);
  const since = cloud.journal.lastSeq;
  for (const [more, mode] of modes.entries()) cloud.faults.add({ ...point, nth: point.nth + more, mode });
  await test.putEvents(flow.event(tenantId));
  await settle(cloud);
  const struck = cloud.faults.list().length < modes.length;
  cloud.faults.clear();
  const received = cloud.journal.since(since).filter(({ operation }) => operation === 'ReceiveMessage').length;
  const deadLetters = await queued(cloud, 'dlqUrl');
  // The next case is not to suffer for this one.
  if (deadLetters > 0) await test.deadLetter(tenantId);
  return { struck, received, deadLetters, state: await tenantState(test, tenantId, flow.subjects) };
}

/** One test for each call of the recorded run and each thing that can happen to it. */
export async function itEndsTheSame(test: TestCloud, { flow, clean, cases }: RecordedFlow): Promise<void> {
  const tenants = await prepareTenants(test, flow, cases.length);
  for (const [index, one] of cases.entries()) {
    it(`ends the same when ${one.title}`, async () => {
      const { struck, received, deadLetters, state } = await interrupt(test, flow, tenants[index] ?? '', one);
      expect(struck, 'the fault struck').toBe(true);
      if (one.reachesTheCode) expect(received, 'the event was received again').toBeGreaterThan(1);
      expect(state).toEqual(clean);
      expect(deadLetters).toBe(0);
    });
  }
}
