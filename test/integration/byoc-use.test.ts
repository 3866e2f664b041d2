import { type AttributeValue, CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endedUses, refusalOf } from '../support/broker-calls.ts';
import { canariesOf, sightings } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Customer, makeRole, newCustomer, trustOf } from '../support/customer-account.ts';
import { askAws, askBedrock, askObject, bedrockRequestsOf, doneBy, requestsAnywhere } from '../support/customer-calls.ts';
import { type Connected, connect, connectionThatIs, offerOf, tenantWith, tokenOf } from '../support/customers.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
let connected: Connected;
let token: string;
let queueUrl: string;
let bucket: string;
/** All that callers were answered in this file. */
const answered: string[] = [];

const bucketOf = (accountId: string): string => `cordon-files-${accountId}`;
const key: Record<string, AttributeValue> = { id: { S: 'order-1' } };
const getOrder = { service: 'dynamodb', target: 'DynamoDB_20120810.GetItem', body: { TableName: 'cordon-orders', Key: key } };

beforeAll(async () => {
  test = await testCloud();
  connected = await connect(test, { tenantId: await tenantWith(test), services: ['bedrock', 'dynamodb', 's3', 'sqs'] });
  token = await tokenOf(test, connected.tenantId, 'member');
  bucket = bucketOf(connected.customer.accountId);
  queueUrl = await furnish(connected.customer);
});

/** A table, a queue and a bucket that an agent may reach, and a table that it may not. */
async function furnish({ accountId, clients, credentials }: Customer): Promise<string> {
  for (const TableName of ['cordon-orders', 'payroll']) {
    await clients.dynamodb.send(
      new CreateTableCommand({
        TableName,
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    );
    await clients.dynamodb.send(new PutItemCommand({ TableName, Item: { ...key, of: { S: TableName } } }));
  }
  const s3 = new S3Client({ endpoint: test.cloud.endpoint, region: test.cloud.region, credentials, forcePathStyle: true, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket: bucketOf(accountId) }));
  await s3.send(new PutObjectCommand({ Bucket: bucketOf(accountId), Key: 'notes/one two.txt', Body: 'from the customer' }));
  s3.destroy();
  return (await clients.sqs.send(new CreateQueueCommand({ QueueName: 'cordon-jobs' }))).QueueUrl ?? '';
}

async function textOf(answer: Response): Promise<string> {
  const text = await answer.text();
  answered.push(text, JSON.stringify([...answer.headers]));
  return text;
}

async function roleIdOf({ customer, offer }: Connected): Promise<string> {
  return (await customer.clients.iam.send(new GetRoleCommand({ RoleName: offer.roleName }))).Role?.RoleId ?? '';
}

const succeeded = async (tenantId: string) => (await endedUses(test, tenantId, 1)).filter(({ outcome }) => outcome.result === 'succeeded');

describe('B5 B7 the customer’s own Bedrock', () => {
  it.each(['converse', 'converse-stream', 'invoke', 'invoke-with-response-stream'] as const)(
    'answers %s in a session of the customer’s role, and the record names that very role',
    async (operation) => {
      const { tenantId, customer, offer } = connected;
      const before = bedrockRequestsOf(test, customer.accountId).length;
      const since = test.cloud.journal.lastSeq;
      const answer = await askBedrock(test, token, { operation });
      const text = await textOf(answer);
      expect(answer.status).toBe(200);
      expect(text).toContain(operation.endsWith('stream') ? (operation === 'converse-stream' ? 'messageStop' : 'chunk') : 'The simulator');
      const principalArn = `arn:aws:sts::${customer.accountId}:assumed-role/${offer.roleName}/${tenantId}`;
      expect(bedrockRequestsOf(test, customer.accountId).slice(before)).toMatchObject([
        { status: 200, principalArn, keyFingerprint: undefined },
      ]);
      const action = `bedrock:InvokeModel${operation.endsWith('stream') ? 'WithResponseStream' : ''}`;
      expect(doneBy(test, customer.accountId, since)).toMatchObject([{ action, decision: 'allow', principal: principalArn }]);
      expect((await succeeded(tenantId)).at(-1)).toMatchObject({
        credentialVersion: await roleIdOf(connected),
        intent: { credentialId: `aws-${customer.accountId}-bedrock-us-east-1`, provider: 'bedrock' },
        outcome: { statusCode: 200, usage: { outputTokens: expect.any(Number) } },
      });
    },
  );
});

describe('B5 B7 other services of the customer’s account', () => {
  it('DynamoDB gives an item', async () => {
    const { tenantId, customer } = connected;
    const answer = await askAws(test, token, getOrder);
    expect({ status: answer.status, body: JSON.parse(await textOf(answer)) }).toEqual({
      status: 200,
      body: { Item: { ...key, of: { S: 'cordon-orders' } } },
    });
    expect((await succeeded(tenantId)).at(-1)).toMatchObject({
      credentialVersion: await roleIdOf(connected),
      intent: { credentialId: `aws-${customer.accountId}`, provider: 'aws' },
    });
  });

  it('SQS takes a message', async () => {
    const { customer } = connected;
    const body = { QueueUrl: queueUrl, MessageBody: 'from an agent' };
    const answer = await askAws(test, token, { service: 'sqs', target: 'AmazonSQS.SendMessage', body });
    expect(answer.status).toBe(200);
    await textOf(answer);
    const { Messages = [] } = await customer.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }));
    expect(Messages.map(({ Body }) => Body)).toEqual(['from an agent']);
  });

  it('S3 gives an object', async () => {
    const since = test.cloud.journal.lastSeq;
    const answer = await askObject(test, token, `${bucket}/notes/one%20two.txt`);
    expect({ status: answer.status, text: await textOf(answer) }).toEqual({ status: 200, text: 'from the customer' });
    expect(doneBy(test, connected.customer.accountId, since)).toMatchObject([{ action: 's3:GetObject', decision: 'allow' }]);
  });

  it.each<[string, () => Promise<Response>]>([
    ['a region that was not asked for', () => askAws(test, token, { ...getOrder, region: 'eu-central-1' })],
    ['a service that is not offered', () => askAws(test, token, { ...getOrder, service: 'iam', target: 'GetUser' })],
    ['an operation that writes', () => askAws(test, token, { ...getOrder, target: 'DynamoDB_20120810.DeleteItem' })],
    ['a bucket that is not named for agents', () => askObject(test, token, 'payroll/one.txt')],
  ])('are not asked for %s', async (_, ask) => {
    const since = test.cloud.journal.lastSeq;
    expect((await refusalOf(await ask())).code).toBe('PATH_NOT_ALLOWED');
    expect(doneBy(test, connected.customer.accountId, since)).toEqual([]);
  });

  it('are not asked for a service that the connection was not made for', async () => {
    const { tenantId, customer } = await connect(test, { tenantId: await tenantWith(test), services: ['sqs'] });
    const other = await tokenOf(test, tenantId);
    expect((await refusalOf(await askAws(test, other, getOrder))).code).toBe('PATH_NOT_ALLOWED');
    expect((await refusalOf(await askBedrock(test, other))).code).toBe('NO_CREDENTIAL');
    expect(doneBy(test, customer.accountId).filter(({ action }) => /^(bedrock|dynamodb):/.test(action))).toEqual([]);
  });

  it('refuse, with their own words, what the customer has not named for agents: also through an administrator’s role', async () => {
    const tenantId = await tenantWith(test);
    const customer = newCustomer(test);
    const wish = { tenantId, customerAccountId: customer.accountId, services: ['dynamodb'] };
    const { roleName, externalId } = await offerOf(test, wish);
    await makeRole(customer, {
      roleName,
      trust: trustOf(test, externalId),
      access: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
    });
    await connectionThatIs(test, wish, ['active']);
    const since = test.cloud.journal.lastSeq;
    const answer = await askAws(test, await tokenOf(test, tenantId), { ...getOrder, body: { TableName: 'payroll', Key: key } });
    expect(answer.status).toBe(400);
    expect(await textOf(answer)).toContain('AccessDeniedException');
    expect(doneBy(test, customer.accountId, since)).toMatchObject([{ action: 'dynamodb:GetItem', decision: 'deny' }]);
  });
});

describe('B5 what a warm use costs', () => {
  it.each<[string, () => Promise<Response>]>([
    ['Bedrock', () => askBedrock(test, token)],
    ['a stream of Bedrock', () => askBedrock(test, token, { operation: 'converse-stream' })],
    ['DynamoDB', () => askAws(test, token, getOrder)],
    ['S3', () => askObject(test, token, `${bucket}/notes/one%20two.txt`)],
  ])('is one reading, two inserts and the customer’s own call for %s; STS is not asked', async (_, ask) => {
    const { accountId } = connected.customer;
    await textOf(await ask());
    await test.settled();
    const mark = test.cloud.journal.lastSeq;
    await textOf(await ask());
    await test.settled();
    const calls = new Map(test.cloud.journal.since(mark).map((entry) => [entry.requestId, entry]));
    const made = [...calls.values()].filter(({ service, principal }) => service !== 'logs' && !principal.endsWith('.amazonaws.com'));
    const ofCustomer = made.filter(({ principal }) => principal.split(':')[4] === accountId);
    expect(ofCustomer).toHaveLength(1);
    expect(
      made
        .filter((entry) => !ofCustomer.includes(entry))
        .map(({ operation }) => operation)
        .sort(),
    ).toEqual(['BatchGetItem', 'ExecuteStatement', 'ExecuteStatement']);
  });

  it('has its session narrowed to one service, and a session for each', async () => {
    const principals = new Set(bedrockRequestsOf(test, connected.customer.accountId).map(({ accessKeyId }) => accessKeyId));
    expect(principals.size).toBe(1);
    const since = test.cloud.journal.lastSeq;
    test.cloud.clock.advance(14 * 60_000);
    await pause(test.cloud);
    token = await tokenOf(test, connected.tenantId, 'member');
    expect((await askBedrock(test, token)).status).toBe(200);
    expect((await askAws(test, token, getOrder)).status).toBe(200);
    const taken = test.cloud.journal
      .since(since)
      .filter(
        ({ operation, principal, resource }) =>
          operation === 'AssumeRole' && resource.includes(connected.offer.roleName) && principal.includes('/ByocConnector/'),
      );
    // Of the worker that verifies, too: those are named alike, but ask for a description only.
    expect(new Set(taken.map(({ requestId }) => requestId)).size).toBeGreaterThanOrEqual(2);
    expect(new Set(bedrockRequestsOf(test, connected.customer.accountId).map(({ accessKeyId }) => accessKeyId)).size).toBe(2);
  });
});

describe('B5 I4 a dedicated tenant', () => {
  it('uses its customer’s role in a session of its own, opened by its own role', async () => {
    const dedicated = await connect(test, { tenantId: await tenantWith(test, { tier: 'dedicated' }), services: ['bedrock', 'dynamodb'] });
    const { tenantId, customer } = dedicated;
    await furnish(customer);
    const own = await tokenOf(test, tenantId);
    const since = test.cloud.journal.lastSeq;
    expect((await askBedrock(test, own)).status).toBe(200);
    expect((await askAws(test, own, getOrder)).status).toBe(200);
    expect((await succeeded(tenantId)).map(({ credentialVersion }) => credentialVersion)).toEqual(Array(2).fill(await roleIdOf(dedicated)));
    const connectors = test.cloud.journal
      .since(since)
      .filter(
        ({ operation, resource, tags }) =>
          operation === 'AssumeRole' && resource.endsWith('/ByocConnector') && tags['TenantId'] === tenantId,
      );
    expect(new Set(connectors.map(({ principal }) => principal.split('/')[1]))).toEqual(new Set([`TenantAgent-${tenantId}`]));
  });
});

describe('B5 B7 a customer’s policy that refuses', () => {
  it('is passed on as the customer’s own 403, and nothing else is tried', async () => {
    const { tenantId, customer, offer } = await connect(test, { tenantId: await tenantWith(test) });
    const own = await tokenOf(test, tenantId);
    expect((await askBedrock(test, own)).status).toBe(200);
    const Deny = { Statement: [{ Sid: 'NotToday', Effect: 'Deny', Action: 'bedrock:InvokeModel', Resource: '*' }] };
    const narrow = { RoleName: offer.roleName, PolicyName: 'narrow', PolicyDocument: JSON.stringify({ Version: '2012-10-17', ...Deny }) };
    await customer.clients.iam.send(new PutRolePolicyCommand(narrow));
    const before = requestsAnywhere(test).length;
    const answer = await askBedrock(test, own);
    expect(answer.status).toBe(403);
    const { message } = JSON.parse(await textOf(answer));
    expect(message).toContain(`assumed-role/${offer.roleName}/${tenantId} is not authorized to perform: bedrock:InvokeModel`);
    expect(requestsAnywhere(test)).toHaveLength(before + 1);
    expect(bedrockRequestsOf(test, customer.accountId).at(-1)).toMatchObject({ status: 403 });
    expect((await endedUses(test, tenantId, 2)).at(-1)?.outcome).toMatchObject({ result: 'refused', statusCode: 403 });
  });
});

afterAll(() => {
  // A session is for the broker alone: no answer holds anything of one.
  const found = sightings(
    answered.map((text, index) => ({ where: `answer ${index}`, text })),
    canariesOf(test),
  );
  if (found.length > 0) throw new Error(`A secret was answered: ${JSON.stringify(found)}`);
});
