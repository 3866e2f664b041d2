/** A connection from the request to the verified role, with a fault at one of its calls, compared with one without. */
import { z } from 'zod';
import type { LocalCloud } from '../../local/cloud.ts';
import type { Fault } from '../../local/core/faults.ts';
import type { JournalEntry } from '../../local/core/journal.ts';
import { usesBy } from './attribution-log.ts';
import type { TestCloud } from './cloud.ts';
import { bedrockAccess, type Customer, makeRole, newCustomer, trustOf } from './customer-account.ts';
import { requested, tenantWith } from './customers.ts';
import { awsPoints, type FaultPoint } from './fault-points.ts';
import { asRoot } from './ground-truth.ts';
import { pause } from './settle.ts';
import { registryOf } from './tenant-state.ts';

/** One way through: a tenant that is onboarded and an account that is to be connected to it. */
export interface Course {
  readonly tenantId: string;
  readonly customer: Customer;
}

/** What a connection has come to, as facts that are the same from run to run. */
export interface ConnectionState {
  readonly registry: Readonly<Record<string, object>>;
  /** External ID and role name are still those that were offered when the customer made the role. */
  readonly asOffered: boolean;
  /** True when it is due again, later than now. */
  readonly isScheduled: boolean;
  /** Verifications on record that found the role sound, with signed evidence: there is one at least. */
  readonly isProven: boolean;
  /** Detail types published about the tenant, each once. */
  readonly published: readonly string[];
  /** Messages left in the worker's queue and put aside. */
  readonly left: { readonly queued: number; readonly putAside: number };
}

const attributes = z.object({ Attributes: z.record(z.string(), z.coerce.number()) });
const services = ['bedrock', 'dynamodb'];

export async function prepareCourses(test: TestCloud, count: number): Promise<readonly Course[]> {
  const courses: Course[] = [];
  while (courses.length < count) {
    const some = Array.from({ length: Math.min(10, count - courses.length) }, async () => ({
      tenantId: await tenantWith(test),
      customer: newCustomer(test),
    }));
    courses.push(...(await Promise.all(some)));
  }
  return courses;
}

/** Messages of the worker of connections: visible, hidden or delayed. */
export async function messagesOf(cloud: LocalCloud, which: 'url' | 'dlqUrl'): Promise<number> {
  const answer = await asRoot(cloud, 'sqs', 'GetQueueAttributes', {
    QueueUrl: cloud.queues['byoc']?.[which],
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'],
  });
  return Object.values(attributes.parse(answer).Attributes).reduce((sum, count) => sum + count, 0);
}

/**
 * Asks for the connection, makes the role as soon as it is offered, and lets time pass until it is in use and nothing is left to do.
 * Rejects when that is not so after six hours of the cloud's clock.
 */
export async function play(test: TestCloud, { tenantId, customer }: Course): Promise<ConnectionState> {
  const { cloud } = test;
  const accountId = customer.accountId;
  await test.putEvents(requested({ tenantId, customerAccountId: accountId, services }));
  const until = cloud.clock.now() + 6 * 3_600_000;
  let offered: Record<string, unknown> | undefined;
  for (let seconds = 61; ; seconds = Math.min(seconds * 2, 400)) {
    await pause(cloud);
    const items = await registryOf(cloud, tenantId);
    const found = items.find(({ sk }) => sk === `CONNECTION#${accountId}`);
    const hasMore = found === undefined || found.status === 'pending' || found['announced'] !== true || found['leaseUntil'] !== 0;
    if (offered !== undefined && !hasMore && (await messagesOf(cloud, 'url')) === 0) return stateOf(test, tenantId, accountId, offered);
    if (cloud.clock.now() > until) throw new Error(`After six hours the connection is ${JSON.stringify(found)}.`);
    // The customer is shown the offer once it was told.
    if (offered === undefined && found?.['announced'] === true) {
      offered = found;
      const [roleName, externalId] = [String(found['roleName']), String(found['externalId'])];
      const { Version, Statement } = bedrockAccess(customer, roleName);
      const access = { Version, Statement: [...[Statement].flat(), tableAccess(accountId)] };
      await makeRole(customer, { roleName, trust: trustOf(test, externalId), access });
    }
    cloud.clock.advance(seconds * 1000);
  }
}

/** As the template grants it. */
const tableAccess = (accountId: string) => ({
  Effect: 'Allow' as const,
  Action: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
  Resource: `arn:aws:dynamodb:*:${accountId}:table/cordon-*`,
});

const ofChance = new Set([
  ...['version', 'writeId', 'createdAt', 'updatedAt', 'attempt', 'rulesTime', 'rulesEventIds', 'eventTime', 'eventIds'],
  ...['externalId', 'roleName', 'roleArn', 'roleId', 'requestedUntil', 'probedAt', 'verifiedAt', 'dueAt', 'dueShard'],
]);

async function stateOf(test: TestCloud, tenantId: string, accountId: string, offered: Record<string, unknown>): Promise<ConnectionState> {
  const { cloud } = test;
  const anonymous = <Value>(value: Value): Value =>
    JSON.parse(JSON.stringify(value).replaceAll(tenantId, '{tenant}').replaceAll(accountId, '{account}'));
  const items = await registryOf(cloud, tenantId);
  const found = items.find(({ sk }) => sk === `CONNECTION#${accountId}`) ?? {};
  const member = (item: object, name: string): unknown => Reflect.get(item, name);
  const uses = await usesBy(test, tenantId);
  const published = await test.published(tenantId);
  return {
    registry: Object.fromEntries(
      items.map((item) => [
        anonymous(item.sk),
        anonymous(Object.fromEntries(Object.entries(item).filter(([name]) => !ofChance.has(name)))),
      ]),
    ),
    asOffered: ['externalId', 'roleName'].every((name) => offered[name] !== undefined && offered[name] === member(found, name)),
    isScheduled: Number(member(found, 'dueAt')) > cloud.clock.now() && typeof member(found, 'dueShard') === 'string',
    isProven: uses.some(
      ({ intent, outcome, context, proof }) =>
        intent.operation === 'connection.verify' && outcome.result === 'succeeded' && context['verdict'] === 'sound' && proof !== undefined,
    ),
    published: [...new Set(published.map(({ detailType }) => detailType))].sort(),
    left: { queued: await messagesOf(cloud, 'url'), putAside: await messagesOf(cloud, 'dlqUrl') },
  };
}

/** Takes the connection out of the schedule, so that no later run meets its probes. */
export async function unschedule({ cloud }: TestCloud, { tenantId, customer }: Course): Promise<void> {
  await asRoot(cloud, 'dynamodb', 'UpdateItem', {
    TableName: cloud.outputs['RegistryTable'],
    Key: { pk: { S: `TENANT#${tenantId}#` }, sk: { S: `CONNECTION#${customer.accountId}` } },
    UpdateExpression: 'REMOVE dueAt, dueShard',
  });
}

/** After this every session of a function, of a tenant and of the scheduler is over. */
const forgottenMs = 3_700_000;

/** Fresh workers' sessions, so that what follows counts no `AssumeRole` but the flow's own. */
export async function warmUp(test: TestCloud): Promise<void> {
  test.cloud.clock.advance(forgottenMs);
  const about = { version: 1, tenantId: 'nobody-here', requestedBy: 'test', customerAccountId: 'none' };
  await test.putEvents({ detailType: 'RoleDisconnectionRequested', detail: about });
  await pause(test.cloud);
  await asRoot(test.cloud, 'sqs', 'PurgeQueue', { QueueUrl: test.cloud.queues['byoc']?.dlqUrl });
}

/** The calls that worker, sweep and scheduler have made for a tenant since, themselves, in its sessions and in the customer's account. */
export async function connectionPoints({ cloud }: TestCloud, since: number, { tenantId, customer }: Course): Promise<FaultPoint[]> {
  const credentials = await cloud.functionCredentials();
  const own = ['byoc', 'sweep'].map((name) => cloud.kernel.callerOf(credentials[name]?.accessKeyId ?? '')?.principal.arn);
  const isOfFlow = ({ principal, tags, service, operation }: JournalEntry): boolean =>
    service !== 'logs' &&
    // The test itself reads the record as the auditor.
    !principal.includes('/TenantAuditor/') &&
    (own.includes(principal) ||
      tags['TenantId'] === tenantId ||
      principal.startsWith(`arn:aws:sts::${customer.accountId}:assumed-role/`) ||
      (service === 'lambda' && operation === 'Invoke'));
  return awsPoints(cloud.journal.since(since), isOfFlow);
}

export interface Interruption {
  readonly title: string;
  readonly point: FaultPoint;
  readonly modes: readonly Fault['mode'][];
}

/** Plays a course with faults at one call. `struck`: whether the call was met. */
export async function interrupted(
  test: TestCloud,
  course: Course,
  { point, modes }: Interruption,
): Promise<{ struck: boolean; state: ConnectionState }> {
  const { cloud } = test;
  if (point.service === 'sts') await warmUp(test);
  for (const [more, mode] of modes.entries()) cloud.faults.add({ ...point, nth: point.nth + more, mode });
  try {
    const state = await play(test, course);
    return { struck: cloud.faults.list().length < modes.length, state };
  } finally {
    cloud.faults.clear();
    await unschedule(test, course);
    if ((await messagesOf(cloud, 'dlqUrl')) > 0) await asRoot(cloud, 'sqs', 'PurgeQueue', { QueueUrl: cloud.queues['byoc']?.dlqUrl });
  }
}
