import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnectionStore } from '../../functions/byoc/connection-store.dynamodb.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { Log } from '../../functions/shared/log.ts';
import { createDueIndex } from '../../functions/sweep/due-index.dynamodb.ts';
import type { DueItem } from '../../functions/sweep/due-item.ts';
import { createDueQueue } from '../../functions/sweep/due-queue.sqs.ts';
import { acme, connectionStoreContract, newConnection } from './connection-store.suite.ts';
import { createMemoryConnectionStore } from './fakes/memory-connection-store.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const clock = (): number => Date.now();
const nextId = createIds(clock);

connectionStoreContract('memory', async () => createMemoryConnectionStore({ clock, nextId }));

describe('on the local cloud', () => {
  let aws: LocalAws;
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const log: Log = { info: line, warn: line, error: line, with: () => log };
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.close());

  /** Each test its own table: tenants have the same names in all of them. */
  const makeTable = async (): Promise<string> => {
    const TableName = await aws.makeTable({
      AttributeDefinitions: [
        { AttributeName: 'dueShard', AttributeType: 'S' },
        { AttributeName: 'dueAt', AttributeType: 'N' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
    for (const id of ['acme', 'acme-2', 'globex']) {
      const Item = { pk: { S: `TENANT#${id}#` }, sk: { S: 'TENANT' }, status: { S: 'active' } };
      await aws.admin.dynamodb.send(new PutItemCommand({ TableName, Item }));
    }
    return TableName;
  };
  const storeOn = (table: string) => createConnectionStore({ client: aws.admin.dynamodb, table, clock, nextId });
  const dueIn = async (table: string, shard: string, now: number): Promise<DueItem[]> => {
    const found: DueItem[] = [];
    for await (const page of createDueIndex(aws.admin.dynamodb, table, log).pages(shard, now)) found.push(...page);
    return found;
  };

  connectionStoreContract('DynamoDB', async () => storeOn(await makeTable()));

  it.each(['suspended', 'offboarded'])('adds none to a tenant that is %s', async (status) => {
    const table = await makeTable();
    const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: 'TENANT' }, status: { S: status } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    const store = storeOn(table);
    await expect(store.addConnection(newConnection())).rejects.toMatchObject({ code: 'TENANT_NOT_ACTIVE', retryable: true });
    expect(await store.connections(acme)).toEqual([]);
  });

  it('takes a repetition of its own write for the success it was', async () => {
    const store = storeOn(await makeTable());
    aws.kernel.faults.add({ service: 'dynamodb', action: 'PutItem', nth: 1, mode: 'duplicate' });
    const added = await store.addConnection(newConnection());
    aws.kernel.faults.add({ service: 'dynamodb', action: 'UpdateItem', nth: 1, mode: 'duplicate' });
    expect(await store.changeConnection(added, { status: 'active' })).toMatchObject({ version: 2, status: 'active' });
  });

  it('says so when an item is of a form it does not know', async () => {
    const table = await makeTable();
    const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: 'CONNECTION#444455556666' }, status: { S: 'dormant' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    await expect(storeOn(table).connection(acme, '444455556666')).rejects.toMatchObject({ code: 'ITEM_NOT_UNDERSTOOD', retryable: true });
  });

  it('shows the sweep what is due in a shard, the longest due first, and not what is on no schedule', async () => {
    const table = await makeTable();
    const store = storeOn(table);
    const [a, b, c] = ['111100001111', '222200002222', '333300003333'];
    await store.addConnection({ ...newConnection('acme', a), dueAt: 20 });
    await store.addConnection({ ...newConnection('globex', b), dueAt: 10 });
    await store.addConnection({ ...newConnection('acme', c), dueAt: 31 });
    await store.addConnection({ ...newConnection('acme', '444400004444'), dueShard: '4', dueAt: 5 });
    const ended = await store.addConnection({ ...newConnection('acme', '555500005555'), dueAt: 1 });
    await store.changeConnection(ended, { dueShard: undefined, dueAt: undefined });
    expect(await dueIn(table, '3', 30)).toEqual([
      { tenantId: 'globex', sk: `CONNECTION#${b}`, dueAt: 10 },
      { tenantId: 'acme', sk: `CONNECTION#${a}`, dueAt: 20 },
    ]);
    expect(await dueIn(table, '3', 31)).toHaveLength(3);
  });

  it('lets the sweep pass over keys that are none of Cordon, and says so', async () => {
    const table = await makeTable();
    const Item = { pk: { S: 'OTHER#acme#' }, sk: { S: 'x' }, dueShard: { S: '3' }, dueAt: { N: '1' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    expect(await dueIn(table, '3', 30)).toEqual([]);
    expect(lines).toEqual(['what is due is not understood']);
  });

  it('carries what is due to a queue, in batches, each message in the group of its tenant', async () => {
    const { QueueUrl = '' } = await aws.admin.sqs.send(new CreateQueueCommand({ QueueName: 'due' }));
    const queue = createDueQueue(aws.admin.sqs, QueueUrl);
    expect(await queue.depth()).toBe(0);
    const items = Array.from({ length: 23 }, (_, n) => ({ tenantId: tenantId.parse(`t-${n % 3}`), sk: `CONNECTION#${n}`, dueAt: n }));
    expect(await queue.send(items)).toBe(23);
    expect(await queue.depth()).toBe(23);
    const { Messages = [] } = await aws.admin.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['MessageGroupId'] }),
    );
    expect(Messages.length).toBeGreaterThan(0);
    for (const { Body = '', Attributes } of Messages) {
      const message: unknown = JSON.parse(Body);
      expect(message).toEqual({
        version: 1,
        kind: 'due',
        tenantId: Attributes?.MessageGroupId,
        sk: expect.any(String),
        dueAt: expect.any(Number),
      });
    }
    // In work counts as well as waiting.
    expect(await queue.depth()).toBe(23);
  });
});
