import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../../local/core/service.ts';
import { allow, callerOf, customer } from '../core/cloud.ts';
import { type DataCloud, own, refusal, startDataCloud } from './data-cloud.ts';

const ownKeys = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`TENANT#${own}#*`] }, Null: { 'dynamodb:LeadingKeys': 'false' } };
const denied = { code: 'AccessDeniedException' };

let cloud: DataCloud;
let count = 0;
let TableName = '';
beforeAll(async () => {
  cloud = await startDataCloud();
});
beforeEach(async () => {
  TableName = `registry${++count}`;
  const index = (IndexName: string, ...keys: string[]): object => ({
    IndexName,
    KeySchema: keys.map((AttributeName, at) => ({ AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' })),
    Projection: { ProjectionType: IndexName === 'due' ? 'KEYS_ONLY' : 'ALL' },
  });
  await cloud.dynamodb(cloud.root, 'CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'dueShard', 'userKey']
      .map((AttributeName) => ({ AttributeName, AttributeType: 'S' }))
      .concat({ AttributeName: 'dueAt', AttributeType: 'N' }),
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [index('due', 'dueShard', 'dueAt')],
    LocalSecondaryIndexes: [index('byUser', 'pk', 'userKey')],
  });
});

const key = (tenant: string, sk = 'TENANT'): object => ({ pk: { S: `TENANT#${tenant}#` }, sk: { S: sk } });
const dynamodb = (caller: Caller, operation: string, input: object): Promise<Record<string, unknown>> =>
  cloud.dynamodb(caller, operation, { TableName, ...input });
const put = (caller: Caller, tenant: string, sk = 'TENANT', more: object = {}): Promise<Record<string, unknown>> =>
  dynamodb(caller, 'PutItem', { Item: { ...key(tenant, sk), ...more } });
const read = async (tenant: string, sk = 'TENANT'): Promise<unknown> =>
  (await dynamodb(cloud.root, 'GetItem', { Key: key(tenant, sk) })).Item;

describe('I1 leading keys', () => {
  it('let a tenant reach the items under its own key by every operation that names them', async () => {
    const acme = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    await put(acme, 'acme', 'TENANT', { dueShard: { S: 's1' }, dueAt: { N: '5' } });
    await dynamodb(acme, 'UpdateItem', {
      Key: key('acme'),
      UpdateExpression: 'SET #n = :n',
      ExpressionAttributeNames: { '#n': 'n' },
      ExpressionAttributeValues: { ':n': { N: '1' } },
    });
    expect(await dynamodb(acme, 'GetItem', { Key: key('acme') })).toMatchObject({ Item: { n: { N: '1' } } });
    const values = { ExpressionAttributeValues: { ':t': { S: 'TENANT#acme#' } } };
    expect(await dynamodb(acme, 'Query', { KeyConditionExpression: 'pk = :t', ...values })).toMatchObject({ Count: 1 });
    expect(
      await dynamodb(acme, 'Query', { KeyConditionExpression: ':t = #p', ExpressionAttributeNames: { '#p': 'pk' }, ...values }),
    ).toMatchObject({ Count: 1 });
    const legacy = { KeyConditions: { pk: { ComparisonOperator: 'EQ', AttributeValueList: [{ S: 'TENANT#acme#' }] } } };
    expect(await dynamodb(acme, 'Query', legacy)).toMatchObject({ Count: 1 });
    await cloud.dynamodb(acme, 'BatchWriteItem', { RequestItems: { [TableName]: [{ PutRequest: { Item: key('acme', 'USER#1') } }] } });
    const batch = { RequestItems: { [TableName]: { Keys: [key('acme'), key('acme', 'USER#1')] } } };
    expect((await cloud.dynamodb(acme, 'BatchGetItem', batch)).Responses).toHaveProperty(TableName, expect.objectContaining({ length: 2 }));
    await dynamodb(acme, 'DeleteItem', { Key: key('acme') });
    expect(await read('acme')).toBeUndefined();
  });

  it('refuse the same operations on a neighbour’s items, also on one whose name merely begins alike', async () => {
    const acme = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    for (const neighbour of ['globex', 'acme-2']) {
      await put(cloud.root, neighbour);
      const values = { ExpressionAttributeValues: { ':t': { S: `TENANT#${neighbour}#` } } };
      const tries: [string, object][] = [
        ['GetItem', { TableName, Key: key(neighbour) }],
        ['PutItem', { TableName, Item: key(neighbour) }],
        ['UpdateItem', { TableName, Key: key(neighbour) }],
        ['DeleteItem', { TableName, Key: key(neighbour) }],
        ['Query', { TableName, KeyConditionExpression: 'pk = :t', ...values }],
        ['Query', { TableName, IndexName: 'byUser', KeyConditionExpression: 'pk = :t', ...values }],
        ['BatchGetItem', { RequestItems: { [TableName]: { Keys: [key('acme'), key(neighbour)] } } }],
        [
          'BatchWriteItem',
          { RequestItems: { [TableName]: [{ PutRequest: { Item: key('acme') } }, { DeleteRequest: { Key: key(neighbour) } }] } },
        ],
        ['TransactGetItems', { TransactItems: [{ Get: { TableName, Key: key('acme') } }, { Get: { TableName, Key: key(neighbour) } }] }],
        [
          'TransactWriteItems',
          { TransactItems: [{ Put: { TableName, Item: key('acme') } }, { Delete: { TableName, Key: key(neighbour) } }] },
        ],
        ['ExecuteStatement', { Statement: `INSERT INTO "${TableName}" VALUE {'pk': 'TENANT#${neighbour}#', 'sk': 'x'}` }],
        ['ExecuteStatement', { Statement: `SELECT * FROM "${TableName}" WHERE pk = 'TENANT#${neighbour}#'` }],
        [
          'ExecuteStatement',
          { Statement: `DELETE FROM "${TableName}" WHERE pk = ? AND sk = 'TENANT'`, Parameters: [{ S: `TENANT#${neighbour}#` }] },
        ],
      ];
      for (const [operation, input] of tries)
        expect(await refusal(cloud.dynamodb(acme, operation, input)), operation).toMatchObject(denied);
      expect(await read(neighbour)).toEqual(key(neighbour));
    }
    expect(await read('acme')).toBeUndefined();
  });

  it('are absent for a scan, an export and a statement that pins no key, which ForAllValues alone lets through', async () => {
    await put(cloud.root, 'globex');
    const careless = await cloud.tenant(
      'acme',
      allow('dynamodb:*', '*', { Condition: { 'ForAllValues:StringLike': ownKeys['ForAllValues:StringLike'] } }),
    );
    const careful = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    expect(await dynamodb(careless, 'Scan', {})).toMatchObject({ Count: 1 });
    const noKey: [string, object][] = [
      ['Scan', { TableName }],
      ['ExportTableToPointInTime', { TableArn: `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}`, S3Bucket: 'x' }],
      ['ExecuteStatement', { Statement: `SELECT * FROM "${TableName}"` }],
      ['ExecuteStatement', { Statement: `SELECT * FROM "${TableName}" WHERE sk = 'TENANT'` }],
      ['ExecuteStatement', { Statement: `SELECT * FROM "${TableName}" WHERE pk = 'TENANT#acme#' OR pk = 'TENANT#globex#'` }],
    ];
    for (const [operation, input] of noKey)
      expect(await refusal(cloud.dynamodb(careful, operation, input)), operation).toMatchObject(denied);
    for (const [operation, input] of noKey.slice(1)) {
      expect(await refusal(cloud.dynamodb(careless, operation, input)), operation).toMatchObject({ code: 'NotImplemented' });
    }
  });

  it('of an index are its own partition key, and the index is a resource of its own', async () => {
    await put(cloud.root, 'acme', 'TENANT', { dueShard: { S: 's1' }, dueAt: { N: '5' } });
    const due = {
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :s AND dueAt <= :now',
      ExpressionAttributeValues: { ':s': { S: 's1' }, ':now': { N: '9' } },
    };
    const sweep = await cloud.tenant(
      'sweep',
      allow('dynamodb:Query', '*', {
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['s1'] }, Null: { 'dynamodb:LeadingKeys': 'false' } },
      }),
    );
    expect(await dynamodb(sweep, 'Query', due)).toMatchObject({ Count: 1, Items: [{ dueAt: { N: '5' } }] });
    const tableOnly = await cloud.tenant('sweep', allow('dynamodb:Query', `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}`));
    expect(await refusal(dynamodb(tableOnly, 'Query', due))).toMatchObject({ ...denied, message: expect.stringContaining('/index/due') });
  });

  it('come from equality alone: a range over the key carries none', async () => {
    const acme = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    const AttributeValueList = [{ S: 'TENANT#acme#' }];
    for (const range of [
      { KeyConditionExpression: 'pk >= :t', ExpressionAttributeValues: { ':t': AttributeValueList[0] } },
      { KeyConditionExpression: 'begins_with(pk, :t)', ExpressionAttributeValues: { ':t': AttributeValueList[0] } },
      { KeyConditions: { pk: { ComparisonOperator: 'BEGINS_WITH', AttributeValueList } } },
    ]) {
      expect(await refusal(dynamodb(acme, 'Query', range))).toMatchObject(denied);
    }
  });

  it('are found in PartiQL conditions by equality and IN', async () => {
    const acme = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    for (const where of ["pk = 'TENANT#acme#'", "sk > 'A' AND pk = 'TENANT#acme#'", "pk IN ['TENANT#acme#', 'TENANT#acme#x']"]) {
      const Statement = `SELECT * FROM "${TableName}" WHERE ${where}`;
      expect(await refusal(cloud.dynamodb(acme, 'ExecuteStatement', { Statement })), where).toMatchObject({ code: 'NotImplemented' });
    }
    const Statement = `UPDATE "${TableName}" SET v = 1 WHERE pk IN ['TENANT#acme#', 'TENANT#globex#']`;
    expect(await refusal(cloud.dynamodb(acme, 'ExecuteStatement', { Statement }))).toMatchObject(denied);
  });

  it('keep a request that leaves out a key from passing on the keys of its other items', async () => {
    const acme = await cloud.tenant('acme', allow('dynamodb:*', '*', { Condition: ownKeys }));
    const batch = { RequestItems: { [TableName]: { Keys: [key('acme'), { sk: { S: 'TENANT' } }] } } };
    expect(await refusal(cloud.dynamodb(acme, 'BatchGetItem', batch))).toMatchObject(denied);
  });
});

describe('fine-grained conditions beside the keys', () => {
  it('see which attributes a request names, whatever it calls them', async () => {
    const condition = {
      'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'status'] },
      StringEquals: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
    };
    const reader = await cloud.tenant('acme', allow('dynamodb:GetItem', '*', { Condition: condition }));
    await dynamodb(reader, 'GetItem', { Key: key('acme'), ProjectionExpression: '#s', ExpressionAttributeNames: { '#s': 'status' } });
    await dynamodb(reader, 'GetItem', {
      Key: key('acme'),
      ProjectionExpression: '#s.#i',
      ExpressionAttributeNames: { '#s': 'status', '#i': 'inner' },
    });
    for (const more of [
      {},
      { ProjectionExpression: '#s', ExpressionAttributeNames: { '#s': 'secretNote' } },
      { ProjectionExpression: 'secretNote.inner' },
    ]) {
      expect(await refusal(dynamodb(reader, 'GetItem', { Key: key('acme'), ...more }))).toMatchObject(denied);
    }
  });
});

describe('E2 attribution is append-only by permission', () => {
  it('lets an insert through and refuses to overwrite, by PartiQL or PutItem', async () => {
    const writer = await cloud.tenant('acme', allow('dynamodb:PartiQLInsert', '*', { Condition: ownKeys }));
    const Statement = `INSERT INTO "${TableName}" VALUE {'pk': ?, 'sk': ?, 'kind': 'INTENT', 'n': 3, 'ok': true, 'tags': ['a', {'deep': ?}], 'it''s': null}`;
    const insert = (kind: string): Promise<unknown> =>
      cloud.dynamodb(writer, 'ExecuteStatement', { Statement, Parameters: [{ S: 'TENANT#acme#' }, { S: 'entry' }, { S: kind }] });
    await insert('first');
    expect(await refusal(insert('second'))).toMatchObject({ code: 'DuplicateItemException' });
    expect(await refusal(put(writer, 'acme', 'entry'))).toMatchObject(denied);
    expect(await read('acme', 'entry')).toEqual({
      ...key('acme', 'entry'),
      kind: { S: 'INTENT' },
      n: { N: '3' },
      ok: { BOOL: true },
      tags: { L: [{ S: 'a' }, { M: { deep: { S: 'first' } } }] },
      "it's": { NULL: true },
    });
  });

  it('inserts one of many at the same time', async () => {
    const Statement = `INSERT INTO "${TableName}" VALUE {'pk': 'TENANT#acme#', 'sk': 'entry', 'by': ?}`;
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => cloud.dynamodb(cloud.root, 'ExecuteStatement', { Statement, Parameters: [{ N: `${n}` }] })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('refuses statements that are none', async () => {
    for (const Statement of [
      'DROP TABLE x',
      `INSERT INTO "${TableName}" VALUE {'pk': ?}`,
      `INSERT INTO "${TableName}" VALUE {'pk': 'a'} x`,
      `INSERT INTO "${TableName}" VALUE {'pk': 'a', 'pk': 'b'}`,
      'SELECT',
    ]) {
      expect(await refusal(cloud.dynamodb(cloud.root, 'ExecuteStatement', { Statement })), Statement).toMatchObject({
        code: 'ValidationException',
      });
    }
  });
});

describe('transactions', () => {
  const check = (tenant: string, sk: string, expression = 'attribute_exists(pk)'): object => ({
    ConditionCheck: { TableName, Key: key(tenant, sk), ConditionExpression: expression },
  });
  const transact = (caller: Caller, TransactItems: object[], more: object = {}): Promise<unknown> =>
    cloud.dynamodb(caller, 'TransactWriteItems', { TransactItems, ...more });

  it('write all or nothing, and name the reason of each part', async () => {
    await put(cloud.root, 'acme', 'b', { v: { N: '1' } });
    const items = [
      { Put: { TableName, Item: key('acme', 'a') } },
      { Update: { TableName, Key: key('acme', 'b'), UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': { N: '2' } } } },
      { Delete: { TableName, Key: key('acme', 'c'), ConditionExpression: 'attribute_exists(pk)' } },
    ];
    expect(await refusal(transact(cloud.root, items))).toMatchObject({
      code: 'TransactionCanceledException',
      extra: { CancellationReasons: [{ Code: 'None' }, { Code: 'None' }, { Code: 'ConditionalCheckFailed' }] },
    });
    expect(await read('acme', 'a')).toBeUndefined();
    expect(await read('acme', 'b')).toMatchObject({ v: { N: '1' } });
    await put(cloud.root, 'acme', 'c');
    await transact(cloud.root, items);
    expect(await read('acme', 'a')).toBeDefined();
    expect(await read('acme', 'b')).toMatchObject({ v: { N: '2' } });
    expect(await read('acme', 'c')).toBeUndefined();
  });

  it('leave nothing behind where a condition was only checked', async () => {
    await transact(cloud.root, [check('acme', 'x', 'attribute_not_exists(pk)'), { Put: { TableName, Item: key('acme', 'y') } }]);
    expect(await read('acme', 'x')).toBeUndefined();
    expect(await refusal(transact(cloud.root, [check('acme', 'x'), { Put: { TableName, Item: key('acme', 'z') } }]))).toMatchObject({
      code: 'TransactionCanceledException',
    });
    expect(await read('acme', 'z')).toBeUndefined();
  });

  it('are never seen half done, and lose no update to each other or to plain writes', async () => {
    await Promise.all([put(cloud.root, 'acme', 'one', { v: { N: '0' } }), put(cloud.root, 'acme', 'two', { v: { N: '0' } })]);
    const raise = (sk: string): object => ({
      Update: {
        TableName,
        Key: key('acme', sk),
        UpdateExpression: 'ADD v :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ConditionExpression: 'attribute_exists(pk)',
      },
    });
    const both = { RequestItems: { [TableName]: { Keys: [key('acme', 'one'), key('acme', 'two')] } } };
    const seen: unknown[] = [];
    const plain = { Key: key('acme', 'one'), UpdateExpression: 'ADD p :one', ExpressionAttributeValues: { ':one': { N: '1' } } };
    const work = Array.from({ length: 30 }, async (_, n) => {
      const write = dynamodb(cloud.root, 'UpdateItem', plain);
      if (n % 3 === 0) await refusal(transact(cloud.root, [raise('one'), raise('two'), check('acme', 'missing')]));
      else await transact(cloud.root, [raise('one'), raise('two')]);
      await write;
      const { Responses } = await cloud.dynamodb(cloud.root, 'BatchGetItem', both);
      seen.push(Responses);
    });
    await Promise.all(work);
    for (const Responses of seen) {
      const values = JSON.stringify(Responses).match(/"v":\{"N":"\d+"\}/g) ?? [];
      expect(values).toHaveLength(2);
      expect(values[0]).toBe(values[1]);
    }
    expect(await read('acme', 'one')).toMatchObject({ v: { N: '20' }, p: { N: '30' } });
  });

  it('happen once per token, and the token of another request is refused', async () => {
    const add = (n: string): object[] => [
      { Update: { TableName, Key: key('acme'), UpdateExpression: 'ADD v :n', ExpressionAttributeValues: { ':n': { N: n } } } },
    ];
    const ClientRequestToken = 'token-1';
    await Promise.all([transact(cloud.root, add('1'), { ClientRequestToken }), transact(cloud.root, add('1'), { ClientRequestToken })]);
    expect(await read('acme')).toMatchObject({ v: { N: '1' } });
    expect(await refusal(transact(cloud.root, add('2'), { ClientRequestToken }))).toMatchObject({
      code: 'IdempotentParameterMismatchException',
    });
    cloud.clock.advance(10 * 60_000);
    await transact(cloud.root, add('1'), { ClientRequestToken });
    expect(await read('acme')).toMatchObject({ v: { N: '2' } });
  });

  it('take an item once and at most a hundred of them', async () => {
    const twice = [{ Put: { TableName, Item: key('acme') } }, { Delete: { TableName, Key: key('acme') } }];
    expect(await refusal(transact(cloud.root, twice))).toMatchObject({ code: 'ValidationException' });
    const many = Array.from({ length: 101 }, (_, n) => ({ Put: { TableName, Item: key('acme', `n${n}`) } }));
    expect(await refusal(transact(cloud.root, many))).toMatchObject({ code: 'ValidationException' });
    expect(await read('acme')).toBeUndefined();
  });

  it('ask IAM for each part under its own action', async () => {
    const acme = await cloud.tenant(
      'acme',
      allow('dynamodb:PutItem', '*', { Condition: { StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' } } }),
    );
    await transact(acme, [{ Put: { TableName, Item: key('acme') } }]);
    expect((await refusal(transact(acme, [{ Put: { TableName, Item: key('acme') } }, check('globex', 'TENANT')]))).message).toContain(
      'dynamodb:ConditionCheckItem',
    );
    expect(await refusal(put(acme, 'acme'))).toMatchObject(denied);
  });

  it('read a consistent set', async () => {
    await put(cloud.root, 'acme', 'one');
    const Get = (sk: string): object => ({ Get: { TableName, Key: key('acme', sk) } });
    expect(await cloud.dynamodb(cloud.root, 'TransactGetItems', { TransactItems: [Get('one'), Get('none')] })).toEqual({
      Responses: [{ Item: key('acme', 'one') }, {}],
    });
  });
});

describe('conditional writes', () => {
  it('answer the item that made the condition fail, when asked', async () => {
    await put(cloud.root, 'acme', 'TENANT', { version: { N: '7' } });
    const input = { Item: key('acme'), ConditionExpression: 'attribute_not_exists(pk)' };
    expect((await refusal(dynamodb(cloud.root, 'PutItem', input))).extra).not.toHaveProperty('Item');
    const error = await refusal(dynamodb(cloud.root, 'PutItem', { ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }));
    expect(error).toMatchObject({ code: 'ConditionalCheckFailedException', extra: { Item: { ...key('acme'), version: { N: '7' } } } });
  });
});

describe('tables', () => {
  it('show their own ARN and settings, and cannot be deleted while protected', async () => {
    await dynamodb(cloud.root, 'UpdateTable', {
      DeletionProtectionEnabled: true,
      SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: cloud.keyArn },
    });
    const arn = `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}`;
    expect(await dynamodb(cloud.root, 'DescribeTable', {})).toMatchObject({
      Table: {
        TableArn: arn,
        TableStatus: 'ACTIVE',
        DeletionProtectionEnabled: true,
        SSEDescription: { KMSMasterKeyArn: cloud.keyArn },
        GlobalSecondaryIndexes: [{ IndexArn: `${arn}/index/due`, IndexStatus: 'ACTIVE' }],
        LocalSecondaryIndexes: [{ IndexArn: `${arn}/index/byUser` }],
      },
    });
    expect(await refusal(dynamodb(cloud.root, 'DeleteTable', {}))).toMatchObject({ code: 'ValidationException' });
    await dynamodb(cloud.root, 'UpdateTable', { DeletionProtectionEnabled: false });
    await dynamodb(cloud.root, 'DeleteTable', {});
    expect(await refusal(dynamodb(cloud.root, 'DescribeTable', {}))).toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('record time to live, backups and tags', async () => {
    await dynamodb(cloud.root, 'UpdateTimeToLive', { TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } });
    expect(await dynamodb(cloud.root, 'DescribeTimeToLive', {})).toEqual({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' },
    });
    await dynamodb(cloud.root, 'UpdateContinuousBackups', { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
    expect(await dynamodb(cloud.root, 'DescribeContinuousBackups', {})).toMatchObject({
      ContinuousBackupsDescription: { PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'ENABLED' } },
    });
    const ResourceArn = `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}`;
    await cloud.dynamodb(cloud.root, 'TagResource', { ResourceArn, Tags: [{ Key: 'Team', Value: 'a' }] });
    expect(await cloud.dynamodb(cloud.root, 'ListTagsOfResource', { ResourceArn })).toEqual({ Tags: [{ Key: 'Team', Value: 'a' }] });
  });

  it('are reached by ARN in their own account, and by no other account', async () => {
    await put(cloud.root, 'acme');
    const arn = `arn:aws:dynamodb:us-east-1:111122223333:table/${TableName}`;
    expect(await cloud.dynamodb(cloud.root, 'GetItem', { TableName: arn, Key: key('acme') })).toHaveProperty('Item');
    const stranger = callerOf(cloud.kernel, cloud.kernel.addAccount(customer).accessKeyId);
    expect(await refusal(cloud.dynamodb(stranger, 'GetItem', { TableName: arn, Key: key('acme') }))).toMatchObject(denied);
    expect(await refusal(cloud.dynamodb(stranger, 'GetItem', { TableName, Key: key('acme') }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('answer NotImplemented to a parameter nothing here honours', async () => {
    expect(await refusal(dynamodb(cloud.root, 'GetItem', { Key: key('acme'), Novelty: true }))).toMatchObject({ code: 'NotImplemented' });
    expect(await refusal(dynamodb(cloud.root, 'UpdateTable', { ReplicaUpdates: [] }))).toMatchObject({ code: 'NotImplemented' });
  });
});
