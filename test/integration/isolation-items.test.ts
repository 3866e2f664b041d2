import * as dynamodb from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

type Client = dynamodb.DynamoDBClient;

let test: TestCloud;
let on: Neighbours;
let registry: string;
let attribution: string;
let today: string;
let before: unknown;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
  registry = test.cloud.outputs['RegistryTable'] ?? '';
  attribution = test.cloud.outputs['AttributionTable'] ?? '';
  today = new Date(test.cloud.clock.now()).toISOString().slice(0, 10);
  before = await stateOfB();
});

const partition = (tenantId: string): { S: string } => ({ S: `TENANT#${tenantId}#` });
const day = (tenantId: string): { S: string } => ({ S: `TENANT#${tenantId}#${today}` });
const item = (tenantId: string, sk = 'TENANT') => ({ pk: partition(tenantId), sk: { S: sk } });
const itemArn = (name: string): string => `arn:aws:dynamodb:${test.cloud.region}:${test.cloud.accountId}:table/${name}`;
const ofPartition = (value: { S: string }) => ({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': value } });
const execute = (c: Client, Statement: string, ...Parameters: dynamodb.AttributeValue[]) =>
  c.send(new dynamodb.ExecuteStatementCommand({ Statement, ...(Parameters.length > 0 && { Parameters }) }));

/** Everything that lies in the neighbour's partitions, as an administrator reads it. */
async function stateOfB(): Promise<unknown> {
  const { dynamodb: c } = test.clients(on.administrator);
  const [items, entries] = await Promise.all([
    c.send(new dynamodb.QueryCommand({ TableName: registry, ...ofPartition(partition(on.b)) })),
    c.send(new dynamodb.QueryCommand({ TableName: attribution, ...ofPartition(day(on.b)) })),
  ]);
  return { items: items.Items, entries: entries.Items };
}

type Row = readonly [title: string, call: (c: Client) => Promise<unknown>];
const named = (rows: readonly Row[]): [string, Call][] => rows.map(([title, call]) => [title, ({ dynamodb: c }) => call(c)]);

const reads: readonly Row[] = [
  ['an item', (c) => c.send(new dynamodb.GetItemCommand({ TableName: registry, Key: item(on.b) }))],
  ['an item by the table’s ARN', (c) => c.send(new dynamodb.GetItemCommand({ TableName: itemArn(registry), Key: item(on.b) }))],
  ['one attribute', (c) => c.send(new dynamodb.GetItemCommand({ TableName: registry, Key: item(on.b), ProjectionExpression: 'tier' }))],
  ['its partition', (c) => c.send(new dynamodb.QueryCommand({ TableName: registry, ...ofPartition(partition(on.b)) }))],
  [
    'how many items it has',
    (c) => c.send(new dynamodb.QueryCommand({ TableName: registry, Select: 'COUNT', ...ofPartition(partition(on.b)) })),
  ],
  [
    'its partition by the old parameters',
    (c) =>
      c.send(
        new dynamodb.QueryCommand({
          TableName: registry,
          KeyConditions: { pk: { ComparisonOperator: 'EQ', AttributeValueList: [partition(on.b)] } },
        }),
      ),
  ],
  [
    'a batch with its own item',
    (c) => c.send(new dynamodb.BatchGetItemCommand({ RequestItems: { [registry]: { Keys: [item(on.a), item(on.b)] } } })),
  ],
  [
    'a transaction with its own item',
    (c) =>
      c.send(
        new dynamodb.TransactGetItemsCommand({
          TransactItems: [on.a, on.b].map((tenantId) => ({ Get: { TableName: registry, Key: item(tenantId) } })),
        }),
      ),
  ],
  [
    'a partition that only begins like its own',
    (c) => c.send(new dynamodb.QueryCommand({ TableName: registry, ...ofPartition({ S: `TENANT#${on.a}` }) })),
  ],
  ['its day of attribution', (c) => c.send(new dynamodb.QueryCommand({ TableName: attribution, ...ofPartition(day(on.b)) }))],
  ...['byCredential', 'byUser', 'bySession'].map(
    (IndexName): Row => [
      `its attribution ${IndexName}`,
      (c) => c.send(new dynamodb.QueryCommand({ TableName: attribution, IndexName, ...ofPartition(day(on.b)) })),
    ],
  ),
  [
    'what is due in all tenants',
    (c) =>
      c.send(
        new dynamodb.QueryCommand({
          TableName: registry,
          IndexName: 'due',
          KeyConditionExpression: 'dueShard = :shard',
          ExpressionAttributeValues: { ':shard': { S: '0' } },
        }),
      ),
  ],
  ['an item by PartiQL', (c) => execute(c, `SELECT * FROM "${registry}" WHERE pk = ? AND sk = 'TENANT'`, partition(on.b))],
  ['both partitions by PartiQL', (c) => execute(c, `SELECT * FROM "${registry}" WHERE pk IN [?, ?]`, partition(on.a), partition(on.b))],
  ['the index by PartiQL', (c) => execute(c, `SELECT * FROM "${attribution}"."byUser" WHERE pk = ?`, day(on.b))],
];

const unpinned: readonly Row[] = [
  ['a scan', (c) => c.send(new dynamodb.ScanCommand({ TableName: registry }))],
  [
    'a scan filtered for its own',
    (c) =>
      c.send(
        new dynamodb.ScanCommand({
          TableName: registry,
          FilterExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': partition(on.a) },
        }),
      ),
  ],
  ['a part of a parallel scan', (c) => c.send(new dynamodb.ScanCommand({ TableName: registry, Segment: 0, TotalSegments: 4 }))],
  ['a scan of what is due', (c) => c.send(new dynamodb.ScanCommand({ TableName: registry, IndexName: 'due' }))],
  ['a scan of attribution', (c) => c.send(new dynamodb.ScanCommand({ TableName: attribution, IndexName: 'byUser' }))],
  ['PartiQL without a key', (c) => execute(c, `SELECT * FROM "${registry}"`)],
  ['PartiQL by another attribute', (c) => execute(c, `SELECT * FROM "${registry}" WHERE tenantId = ?`, { S: on.b })],
  ['PartiQL by the beginning of the key', (c) => execute(c, `SELECT * FROM "${registry}" WHERE begins_with(pk, 'TENANT#')`)],
  ['PartiQL with a way around the key', (c) => execute(c, `SELECT * FROM "${registry}" WHERE pk = ? OR tier = 'pool'`, partition(on.a))],
  ['an export', (c) => c.send(new dynamodb.ExportTableToPointInTimeCommand({ TableArn: itemArn(registry), S3Bucket: 'elsewhere' }))],
  ['a backup', (c) => c.send(new dynamodb.CreateBackupCommand({ TableName: registry, BackupName: 'mine' }))],
  ['the table’s own policy', (c) => c.send(new dynamodb.PutResourcePolicyCommand({ ResourceArn: itemArn(registry), Policy: '{}' }))],
  ['a look at the table', (c) => c.send(new dynamodb.DescribeTableCommand({ TableName: registry }))],
  ['deleting the table', (c) => c.send(new dynamodb.DeleteTableCommand({ TableName: registry }))],
];

const planted = (tenantId: string) => ({ ...item(tenantId, 'CREDENTIAL#planted'), tenantId: { S: tenantId } });
const entry = (tenantId: string, sk = 'planted#INTENT') => ({ pk: day(tenantId), sk: { S: sk } });
const writes: readonly Row[] = [
  ['a put', (c) => c.send(new dynamodb.PutItemCommand({ TableName: registry, Item: planted(on.b) }))],
  [
    'an update',
    (c) =>
      c.send(
        new dynamodb.UpdateItemCommand({
          TableName: registry,
          Key: item(on.b),
          UpdateExpression: 'SET tier = :tier',
          ExpressionAttributeValues: { ':tier': { S: 'dedicated' } },
        }),
      ),
  ],
  ['a delete', (c) => c.send(new dynamodb.DeleteItemCommand({ TableName: registry, Key: item(on.b) }))],
  [
    'a batch with its own item',
    (c) =>
      c.send(
        new dynamodb.BatchWriteItemCommand({
          RequestItems: { [registry]: [on.a, on.b].map((tenantId) => ({ PutRequest: { Item: planted(tenantId) } })) },
        }),
      ),
  ],
  [
    'a transaction with its own item',
    (c) =>
      c.send(
        new dynamodb.TransactWriteItemsCommand({
          TransactItems: [on.a, on.b].map((tenantId) => ({ Put: { TableName: registry, Item: planted(tenantId) } })),
        }),
      ),
  ],
  [
    'a transaction that only asks about the neighbour’s',
    (c) =>
      c.send(
        new dynamodb.TransactWriteItemsCommand({
          TransactItems: [
            { Put: { TableName: registry, Item: planted(on.a) } },
            { ConditionCheck: { TableName: registry, Key: item(on.b), ConditionExpression: 'attribute_exists(pk)' } },
          ],
        }),
      ),
  ],
  ['an entry in its attribution', (c) => execute(c, `INSERT INTO "${attribution}" VALUE {'pk': ?, 'sk': 'planted#INTENT'}`, day(on.b))],
  ['a put over its attribution', (c) => c.send(new dynamodb.PutItemCommand({ TableName: attribution, Item: entry(on.b) }))],
  ['an insert by PartiQL', (c) => execute(c, `INSERT INTO "${registry}" VALUE {'pk': ?, 'sk': 'CREDENTIAL#planted'}`, partition(on.b))],
  [
    'an update by PartiQL',
    (c) => execute(c, `UPDATE "${registry}" SET tier = 'dedicated' WHERE pk = ? AND sk = 'TENANT'`, partition(on.b)),
  ],
  ['a delete by PartiQL', (c) => execute(c, `DELETE FROM "${registry}" WHERE pk = ? AND sk = 'TENANT'`, partition(on.b))],
];

describe('I3 the neighbour’s items', () => {
  it.each(named(reads))('cannot be read: %s', async (_, call) => {
    for (const who of ['reader', 'ana', 'writer'] as const) {
      await expectDenied(test, on.sessions[who], call, isolation('DenyItemsOfOtherTenants'));
    }
  });

  it.each(named(unpinned))('cannot be reached without a key: %s', async (_, call) => {
    for (const who of ['reader', 'ana', 'writer'] as const) {
      await expectDenied(test, on.sessions[who], call, isolation('DenyItemsWithoutLeadingKey'));
    }
  });

  it.each(named(writes))('cannot be written: %s', async (_, call) => {
    await expectDenied(test, on.sessions.writer, call, isolation('DenyItemsOfOtherTenants'));
    // The others may write no registry item at all: a transaction fails them at its first part already.
    for (const who of ['reader', 'ana'] as const) expect((await test.attempt(on.sessions[who], call)).outcome).toBe('denied');
  });

  it('cannot be written together with own ones: several statements in one call', async () => {
    const insert = (tenantId: string, sk: string) => ({
      Statement: `INSERT INTO "${attribution}" VALUE {'pk': ?, 'sk': ?}`,
      Parameters: [day(tenantId), { S: sk }],
    });
    const both = [insert(on.a, 'first#INTENT'), insert(on.b, 'second#INTENT')];
    for (const call of [
      ({ dynamodb: c }) => c.send(new dynamodb.BatchExecuteStatementCommand({ Statements: both })),
      ({ dynamodb: c }) => c.send(new dynamodb.ExecuteTransactionCommand({ TransactStatements: both })),
    ] satisfies Call[]) {
      await expectDenied(test, on.sessions.writer, call, isolation('DenyItemsOfOtherTenants'));
    }
  });

  it('are not to be found through an index whose key a tenant chooses itself', async () => {
    const query = new dynamodb.QueryCommand({
      TableName: registry,
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :shard',
      ExpressionAttributeValues: { ':shard': partition(on.a) },
    });
    for (const who of ['reader', 'writer'] as const)
      await expectDenied(test, on.sessions[who], ({ dynamodb: c }) => c.send(query), notGranted);
  });

  it('are refused to the second of two tenants whose names begin alike, too', async () => {
    const session = await test.tenantSession(on.b);
    const read = (tenantId: string): Call => {
      return ({ dynamodb: c }) => c.send(new dynamodb.GetItemCommand({ TableName: registry, Key: item(tenantId) }));
    };
    await expectAllowed(test, session, read(on.b));
    await expectDenied(test, session, read(on.a), isolation('DenyItemsOfOtherTenants'));
  });

  it('have not been changed by any of this, nor was half of a request done', async () => {
    expect(await stateOfB()).toEqual(before);
    const { dynamodb: c } = test.clients(on.administrator);
    expect(
      (await c.send(new dynamodb.GetItemCommand({ TableName: registry, Key: item(on.a, 'CREDENTIAL#planted') }))).Item,
    ).toBeUndefined();
    expect((await c.send(new dynamodb.GetItemCommand({ TableName: attribution, Key: entry(on.a, 'first#INTENT') }))).Item).toBeUndefined();
  });
});

describe('I3 a tenant’s own items', () => {
  it.each(
    named([
      ['an item', (c) => c.send(new dynamodb.GetItemCommand({ TableName: registry, Key: item(on.a) }))],
      ['its partition', (c) => c.send(new dynamodb.QueryCommand({ TableName: registry, ...ofPartition(partition(on.a)) }))],
      [
        'a batch',
        (c) =>
          c.send(
            new dynamodb.BatchGetItemCommand({
              RequestItems: { [registry]: { Keys: [item(on.a), item(on.a, 'CREDENTIAL#openai-main')] } },
            }),
          ),
      ],
      [
        'a transaction',
        (c) => c.send(new dynamodb.TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: registry, Key: item(on.a) } }] })),
      ],
      ['its attribution', (c) => c.send(new dynamodb.QueryCommand({ TableName: attribution, ...ofPartition(day(on.a)) }))],
      [
        'its attribution by an index',
        (c) => c.send(new dynamodb.QueryCommand({ TableName: attribution, IndexName: 'byCredential', ...ofPartition(day(on.a)) })),
      ],
    ]),
  )('its session reads %s', async (_, call) => {
    await expectAllowed(test, on.sessions.reader, call);
    await expectAllowed(test, on.sessions.ana, call);
  });

  it('its writer writes them, alone and in a transaction, and adds to its attribution', async () => {
    const Item = { ...planted(on.a), sk: { S: 'CREDENTIAL#by-transaction' } };
    for (const call of [
      ({ dynamodb: c }) => c.send(new dynamodb.PutItemCommand({ TableName: registry, Item: planted(on.a) })),
      ({ dynamodb: c }) => c.send(new dynamodb.TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: registry, Item } }] })),
      ({ dynamodb: c }) => execute(c, `INSERT INTO "${attribution}" VALUE {'pk': ?, 'sk': 'own#INTENT'}`, day(on.a)),
    ] satisfies Call[]) {
      await expectAllowed(test, on.sessions.writer, call);
    }
  });
});
