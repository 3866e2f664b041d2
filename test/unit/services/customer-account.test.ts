/** A customer's account over HTTP with stock clients: its admin makes things by the API, a session of its role uses them from the platform. */
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { CreateQueueCommand, GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import { createDynamoDb } from '../../../local/services/dynamodb.ts';
import { createSqs } from '../../../local/services/sqs.ts';
import { allow, customer, otherCustomer, platform, policy, startCloud, trust } from '../core/cloud.ts';

type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
const ExternalId = 'cordon-abc234';
const RoleArn = `arn:aws:iam::${customer}:role/cordon.acme.x`;
const tableArn = (name: string, account = customer): string => `arn:aws:dynamodb:us-east-1:${account}:table/${name}`;
const permissions = policy(
  allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'], tableArn('cordon-*')),
  allow(['sqs:SendMessage', 'sqs:GetQueueUrl'], `arn:aws:sqs:us-east-1:${customer}:cordon-*`),
  allow(['iam:GetRole', 'iam:SimulatePrincipalPolicy'], RoleArn),
);

let kernel: LocalKernel;
let server: LocalServer;
let session: Credentials;
const clients = (credentials: Credentials) => {
  const config = { endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  return { dynamodb: new DynamoDBClient(config), sqs: new SQSClient(config), iam: new IAMClient(config), sts: new STSClient(config) };
};
const adminOf = (account: string): Credentials => kernel.addAccount(account);
const makeTable = async (account: string, TableName: string): Promise<void> => {
  const { dynamodb } = clients(adminOf(account));
  const AttributeDefinitions = [{ AttributeName: 'pk', AttributeType: 'S' as const }];
  const KeySchema = [{ AttributeName: 'pk', KeyType: 'HASH' as const }];
  await dynamodb.send(new CreateTableCommand({ TableName, AttributeDefinitions, KeySchema, BillingMode: 'PAY_PER_REQUEST' }));
  await waitUntilTableExists({ client: dynamodb, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { TableName });
  await dynamodb.send(new PutItemCommand({ TableName, Item: { pk: { S: 'order' }, owner: { S: account } } }));
};

beforeAll(async () => {
  ({ kernel } = startCloud());
  kernel.register(createDynamoDb(kernel));
  kernel.register(createSqs(kernel, { endpoint: () => server.endpoint }));
  server = await startServer(kernel, { port: 0 });
  for (const account of [customer, otherCustomer, platform]) await makeTable(account, 'cordon-orders');
  await makeTable(customer, 'payroll');
  const { iam, sqs } = clients(adminOf(customer));
  for (const QueueName of ['cordon-jobs', 'jobs']) await sqs.send(new CreateQueueCommand({ QueueName }));
  const AssumeRolePolicyDocument = trust({ AWS: platform }, { Condition: { StringEquals: { 'sts:ExternalId': ExternalId } } });
  await iam.send(new CreateRoleCommand({ RoleName: 'cordon.acme.x', AssumeRolePolicyDocument }));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'cordon.acme.x', PolicyName: 'Own', PolicyDocument: permissions }));
  const { sts } = clients(adminOf(platform));
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'acme', ExternalId, DurationSeconds: 900 }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  session = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
});
afterAll(() => server.close());

describe('a session of a customer’s role', () => {
  it('reads the customer’s own table, and no other', async () => {
    const { dynamodb } = clients(session);
    const Key = { pk: { S: 'order' } };
    const read = (TableName: string) => dynamodb.send(new GetItemCommand({ TableName, Key }));
    expect((await read('cordon-orders')).Item).toEqual({ pk: { S: 'order' }, owner: { S: customer } });
    const query = { TableName: 'cordon-orders', KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'order' } } };
    expect((await dynamodb.send(new QueryCommand(query))).Count).toBe(1);
    for (const name of ['payroll', tableArn('cordon-orders', otherCustomer), tableArn('cordon-orders', platform)])
      await expect(read(name), name).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const write = new PutItemCommand({ TableName: 'cordon-orders', Item: Key });
    await expect(dynamodb.send(write)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('sends to the customer’s own queue, and neither reads it nor reaches another', async () => {
    const { sqs } = clients(session);
    const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'cordon-jobs' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'work' }));
    const { Messages } = await clients(adminOf(customer)).sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages).toMatchObject([{ Body: 'work' }]);
    for (const attempt of [
      sqs.send(new ReceiveMessageCommand({ QueueUrl })),
      sqs.send(new GetQueueUrlCommand({ QueueName: 'jobs' })),
      sqs.send(new SendMessageCommand({ QueueUrl: QueueUrl.replace('cordon-jobs', 'jobs'), MessageBody: 'x' })),
      sqs.send(new SendMessageCommand({ QueueUrl: QueueUrl.replace(customer, platform), MessageBody: 'x' })),
    ])
      await expect(attempt).rejects.toMatchObject({ name: expect.stringMatching(/^AccessDenied/) });
  });

  it('is told by its own policies what it may do', async () => {
    const asked = {
      PolicySourceArn: RoleArn,
      ActionNames: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      ResourceArns: [tableArn('cordon-orders')],
    };
    const { iam } = clients(session);
    const { EvaluationResults } = await iam.send(new SimulatePrincipalPolicyCommand({ ...asked, ContextEntries: [] }));
    expect(EvaluationResults?.map(({ EvalActionName, EvalDecision }) => [EvalActionName, EvalDecision])).toEqual([
      ['dynamodb:GetItem', 'allowed'],
      ['dynamodb:PutItem', 'implicitDeny'],
    ]);
    expect(EvaluationResults?.[0]?.MatchedStatements).toEqual([
      { SourcePolicyId: 'role_cordon.acme.x_Own', SourcePolicyType: 'IAM Policy' },
    ]);
  });

  it('leaves the platform’s own credentials outside: they reach nothing of the customer’s', async () => {
    const { dynamodb, sqs } = clients(adminOf(platform));
    const read = new GetItemCommand({ TableName: tableArn('cordon-orders'), Key: { pk: { S: 'order' } } });
    await expect(dynamodb.send(read)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const send = new SendMessageCommand({ QueueUrl: `${server.endpoint}/${customer}/cordon-jobs`, MessageBody: 'x' });
    await expect(sqs.send(send)).rejects.toMatchObject({ name: expect.stringMatching(/^AccessDenied/) });
  });
});
