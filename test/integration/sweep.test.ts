import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toItem } from '../../functions/shared/attribute-values.ts';
import { dueShardOf } from '../../functions/sweep/due-shard.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { messagesOf } from '../support/connection-flow.ts';
import { tenantWith } from '../support/customers.ts';
import { lettersAbout } from '../support/dead-letters.ts';
import { asRoot, itemsOf } from '../support/ground-truth.ts';
import { pause } from '../support/settle.ts';
import { registryItem } from '../support/supply.ts';

/** What the sweep is deployed with (`functions/sweep/env.ts`). */
const [maxInFlight, maxPerTenant] = [200, 10];

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
/** Lambda tries a run that died once more, two minutes later at the latest. */
afterAll(async () => {
  test.cloud.faults.clear();
  test.cloud.clock.advance(180_000);
  await pause(test.cloud);
});

/** Nothing of another test is due or on its way. */
beforeEach(async () => {
  for (const { pk, sk, dueAt } of await itemsOf(test.cloud, 'RegistryTable')) {
    if (dueAt === undefined) continue;
    const Key = { pk, sk };
    await asRoot(test.cloud, 'dynamodb', 'UpdateItem', { TableName: table(), Key, UpdateExpression: 'REMOVE dueAt, dueShard' });
  }
  const { url, dlqUrl } = test.cloud.queues['byoc'] ?? {};
  for (const QueueUrl of [url, dlqUrl]) await asRoot(test.cloud, 'sqs', 'PurgeQueue', { QueueUrl });
  await justAfterARun();
});

/** Runs of the sweep that the scheduler has asked for. */
const runs = (): number =>
  test.cloud.journal.since().filter(({ operation, resource }) => operation === 'Invoke' && resource === test.cloud.functionArns['sweep'])
    .length;

/** Real time passes too: from here the next run is most of a minute away. */
async function justAfterARun(): Promise<void> {
  const before = runs();
  for (let seconds = 0; seconds <= 60 && runs() === before; seconds += 5) {
    test.cloud.clock.advance(5000);
    await pause(test.cloud);
  }
  expect(runs()).toBe(before + 1);
}

/** A minute later, when the sweep has run once more and what it set going is through. */
async function sweep(): Promise<void> {
  test.cloud.clock.advance(60_000);
  await pause(test.cloud);
}

const table = (): string => test.cloud.outputs['RegistryTable'] ?? '';
const accountOf = (n: number): string => String(300_000_000_000 + n);
const skOf = (n: number): string => `CONNECTION#${accountOf(n)}`;

/** A connection that waits for a role nobody has made, due since so many seconds. */
async function plant(tenantId: string, n: number, dueForSeconds: number, over: Readonly<Record<string, string>> = {}): Promise<number> {
  const now = test.cloud.clock.now();
  const dueAt = now - dueForSeconds * 1000;
  const at = new Date(now).toISOString();
  const item = {
    ...{ pk: `TENANT#${tenantId}#`, sk: skOf(n), kind: 'CONNECTION', tenantId, customerAccountId: accountOf(n) },
    ...{ services: ['bedrock'], regions: ['us-east-1'], environment: 'production', requestedBy: 'test' },
    ...{ roleName: `cordon.${tenantId}.abcdefgh`, externalId: `cordon-${'a'.repeat(32)}`, policyVersion: '0123456789abcdef' },
    ...{ status: 'pending', announced: true, findings: [], requestedUntil: now + 86_400_000, setbacks: 0, epoch: 0, attempt: 1 },
    ...{ leaseUntil: 0, eventTime: at, eventIds: [], version: 1, writeId: 'planted', createdAt: at, updatedAt: at },
    ...{ dueShard: dueShardOf(tenantId), dueAt },
    ...over,
  };
  await asRoot(test.cloud, 'dynamodb', 'PutItem', { TableName: table(), Item: toItem(item) });
  return dueAt;
}

/** Which of the tenant's planted connections were looked at. */
async function probed(tenantId: string): Promise<number[]> {
  const items = await itemsOf(test.cloud, 'RegistryTable');
  return items
    .filter(({ pk, sk, probedAt }) => pk.S === `TENANT#${tenantId}#` && sk.S.startsWith('CONNECTION#3') && probedAt !== undefined)
    .map(({ sk }) => Number(sk.S.slice(-6)));
}

/** Messages that nobody may have yet: they take room in the queue. */
async function fillQueue(count: number): Promise<void> {
  for (let from = 0; from < count; from += 10) {
    const Entries = Array.from({ length: Math.min(10, count - from) }, (_, index) => ({
      Id: String(index),
      MessageBody: '{}',
      DelaySeconds: 900,
    }));
    await asRoot(test.cloud, 'sqs', 'SendMessageBatch', { QueueUrl: test.cloud.queues['byoc']?.url, Entries });
  }
  expect(await messagesOf(test.cloud, 'url')).toBe(count);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('B3 what is due, of several tenants', () => {
  it('is handed out as far as there is room, by turns, and the rest when there is room again', async () => {
    const [greedy, modest, small] = [await tenantWith(test), await tenantWith(test), await tenantWith(test)];
    // The greedy tenant's have waited the longest.
    for (const n of upTo(12)) await plant(greedy, n, 1000 - n);
    for (const tenantId of [modest, small]) for (const n of upTo(2)) await plant(tenantId, n, 100 - n);
    await fillQueue(maxInFlight - 4);

    await sweep();
    // Four had room: one of each, and then the longest due again.
    expect([await probed(greedy), await probed(modest), await probed(small)]).toEqual([[1, 2], [1], [1]]);

    await asRoot(test.cloud, 'sqs', 'PurgeQueue', { QueueUrl: test.cloud.queues['byoc']?.url });
    await sweep();
    const [some, ...others] = [await probed(greedy), await probed(modest), await probed(small)];
    expect(others).toEqual([upTo(2), upTo(2)]);
    expect(some).toHaveLength(maxPerTenant + 2);
  });

  it('is no more than so much per tenant and run, however much there is room', async () => {
    const [greedy, modest] = [await tenantWith(test), await tenantWith(test)];
    for (const n of upTo(25)) await plant(greedy, n, 1000 - n);
    await plant(modest, 1, 1);
    await sweep();
    expect([await probed(greedy), await probed(modest)]).toEqual([upTo(maxPerTenant), [1]]);
    // What was looked at is due again a minute later, but what still waits comes first.
    await sweep();
    expect(await probed(greedy)).toEqual(upTo(2 * maxPerTenant));
    await sweep();
    expect(await probed(greedy)).toEqual(upTo(25));
  });

  it('waits, all of it, while the queue is full', async () => {
    const tenantId = await tenantWith(test);
    for (const n of upTo(3)) await plant(tenantId, n, 10);
    await fillQueue(maxInFlight);
    await sweep();
    expect(await probed(tenantId)).toEqual([]);
    expect(await messagesOf(test.cloud, 'url')).toBe(maxInFlight);
    await asRoot(test.cloud, 'sqs', 'PurgeQueue', { QueueUrl: test.cloud.queues['byoc']?.url });
    await sweep();
    expect(await probed(tenantId)).toEqual(upTo(3));
  });
});

describe('B3 the item counts, not the message', () => {
  it('a message about what is due no more, or not yet, changes nothing', async () => {
    const tenantId = await tenantWith(test);
    const dueAt = await plant(tenantId, 1, -7200);
    const before = await registryItem(test, tenantId, skOf(1));
    // What belongs to the onboarding is over.
    await pause(test.cloud);
    const since = test.cloud.journal.lastSeq;
    for (const moved of [dueAt - 3_600_000, dueAt]) {
      const MessageBody = JSON.stringify({ version: 1, kind: 'due', tenantId, sk: skOf(1), dueAt: moved });
      await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl: test.cloud.queues['byoc']?.url, MessageBody });
    }
    await sweep();
    expect(await registryItem(test, tenantId, skOf(1))).toEqual(before);
    expect([await messagesOf(test.cloud, 'url'), await messagesOf(test.cloud, 'dlqUrl')]).toEqual([0, 0]);
    const reads = test.cloud.journal.since(since).filter(({ tags }) => tags['TenantId'] === tenantId);
    // Both messages were read, and nothing but the item was asked for.
    expect(reads.map(({ operation }) => operation)).toEqual(['GetItem', 'GetItem']);
  });

  it('a message from before the time was changed is left to the next run, also when the new time has come', async () => {
    const tenantId = await tenantWith(test);
    const dueAt = await plant(tenantId, 1, 10);
    const MessageBody = JSON.stringify({ version: 1, kind: 'due', tenantId, sk: skOf(1), dueAt: dueAt - 1 });
    await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl: test.cloud.queues['byoc']?.url, MessageBody });
    await pause(test.cloud);
    expect([await messagesOf(test.cloud, 'url'), await probed(tenantId)]).toEqual([0, []]);
    await sweep();
    expect(await probed(tenantId)).toEqual([1]);
  });

  it('a message that comes twice is one probe', async () => {
    const tenantId = await tenantWith(test);
    await plant(tenantId, 1, 10);
    const since = test.cloud.journal.lastSeq;
    test.cloud.faults.add({ service: 'sqs', action: 'SendMessageBatch', nth: 1, mode: 'duplicate' });
    await sweep();
    expect(test.cloud.faults.list()).toEqual([]);
    expect(await probed(tenantId)).toEqual([1]);
    const entries = test.cloud.journal.since(since).filter(({ tags }) => tags['TenantId'] === tenantId);
    expect(entries.filter(({ operation }) => operation === 'GetItem').length).toBeGreaterThan(1);
    // Intent and outcome.
    expect(entries.filter(({ operation }) => operation === 'ExecuteStatement')).toHaveLength(2);
  });
});

describe('B3 what cannot be understood', () => {
  it('is put aside with its reason, stands in nobody’s way, and is left alone for an hour', async () => {
    const [broken, healthy] = [await tenantWith(test), await tenantWith(test)];
    const dueAt = await plant(broken, 1, 5000, { status: 'a status of tomorrow' });
    await plant(broken, 2, 10);
    await plant(healthy, 1, 10);
    await sweep();
    expect([await probed(broken), await probed(healthy)]).toEqual([[2], [1]]);
    for (let minutes = 0; minutes < 120 && (await lettersAbout(test, skOf(1), 'byoc')).length === 0; minutes += 1) await sweep();
    expect((await lettersAbout(test, skOf(1), 'byoc'))[0]).toMatchObject({
      reasonCode: 'ITEM_NOT_UNDERSTOOD',
      reasonMessage: expect.stringContaining('status'),
    });
    const left = await registryItem(test, broken, skOf(1));
    expect(Number(left['dueAt'])).toBeGreaterThan(dueAt + 3_600_000);
    expect((await test.published(broken)).map(({ detailType }) => detailType)).toContain('RoleConnectionFailed');
  });

  it('is put aside when not even its name says what it is', async () => {
    const [broken, healthy] = [await tenantWith(test), await tenantWith(test)];
    await plant(broken, 1, 5000, { sk: 'CONNECTION#of-somebody' });
    await plant(healthy, 1, 10);
    await sweep();
    expect(await probed(healthy)).toEqual([1]);
    expect(await lettersAbout(test, 'CONNECTION#of-somebody', 'byoc')).toMatchObject([{ reasonCode: 'EVENT_INVALID' }]);
  });

  it('of a kind that nobody works on is left where it is', async () => {
    const [odd, healthy] = [await tenantWith(test), await tenantWith(test)];
    await plant(odd, 1, 5000, { sk: 'UNHEARDOF#1' });
    await plant(healthy, 1, 10);
    await sweep();
    expect(await probed(healthy)).toEqual([1]);
    expect([await messagesOf(test.cloud, 'url'), await messagesOf(test.cloud, 'dlqUrl')]).toEqual([0, 0]);
  });
});

describe('B3 a run of the sweep that fails', () => {
  it.each([
    ['was not begun', { service: 'lambda', action: 'Invoke', mode: 'before' }],
    ['could not hand over', { service: 'sqs', action: 'SendMessageBatch', mode: 'before' }],
    ['died before it handed over', { service: 'sqs', action: 'GetQueueAttributes', mode: 'crash' }],
  ] as const)('%s: the next one makes up for it', async (_what, fault) => {
    const tenantId = await tenantWith(test);
    await plant(tenantId, 1, 10);
    const times = fault.action === 'SendMessageBatch' ? 4 : 1;
    for (const nth of upTo(times)) test.cloud.faults.add({ ...fault, nth });
    await sweep();
    expect(await probed(tenantId)).toEqual([]);
    test.cloud.faults.clear();
    await sweep();
    expect(await probed(tenantId)).toEqual([1]);
  });
});
