import {
  DeleteLogGroupCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import * as dynamodb from '@aws-sdk/client-dynamodb';
import { PutEventsCommand, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { BatchGetSecretValueCommand, CreateSecretCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import * as sqs from '@aws-sdk/client-sqs';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted, notTrusted } from '../support/decisions.ts';
import { operate, secretOperations } from '../support/secret-operations.ts';
import { settle } from '../support/settle.ts';

let test: TestCloud;
let operator: AwsCredentials;
let tenantId: string;
let other: string;
let secretArn: string;

beforeAll(async () => {
  test = await testCloud();
  operator = test.cloud.operator;
  const [one, two] = await Promise.all([test.onboard(), test.onboard()]);
  tenantId = one.tenantId;
  other = two.tenantId;
  secretArn = (await test.secretsOf(tenantId))[0]?.arn ?? '';
});

const output = (name: string): string => test.cloud.outputs[name] ?? '';
const queues = () => test.cloud.queues['tenants'] ?? { url: '', dlqUrl: '' };
const today = (): string => new Date(test.cloud.clock.now()).toISOString().slice(0, 10);
const item = (of: string) => ({ pk: { S: `TENANT#${of}#` }, sk: { S: 'TENANT' } });
const ofPartition = (pk: string) => ({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } });
const attributionOf = (of: string): Call => {
  return ({ dynamodb: c }) =>
    c.send(new dynamodb.QueryCommand({ TableName: output('AttributionTable'), ...ofPartition(`TENANT#${of}#${today()}`) }));
};
const publish = (Source: string, DetailType = 'UserOnboarded'): Call => {
  return ({ events: c }) =>
    c.send(
      new PutEventsCommand({
        Entries: [{ EventBusName: output('EventBusName'), Source, DetailType, Detail: JSON.stringify({ marker: tenantId }) }],
      }),
    );
};
const arnOfQueue = async (QueueUrl: string): Promise<string> => {
  const { Attributes } = await test.operator.sqs.send(new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return Attributes?.['QueueArn'] ?? '';
};
const audit = (of: string, more: Readonly<Record<string, string>> = {}): Call => {
  const Tags = Object.entries({ TenantId: of, ...more }).map(([Key, Value]) => ({ Key, Value }));
  return ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn: output('TenantAuditorRoleArn'), RoleSessionName: 'audit', Tags }));
};

/** What lies in the dead-letter queue and stays there. */
async function deadLetters(): Promise<readonly string[]> {
  const look = new sqs.ReceiveMessageCommand({ QueueUrl: queues().dlqUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 });
  return ((await test.operator.sqs.send(look)).Messages ?? []).map(({ Body = '' }) => Body);
}

describe('I3 an operator', () => {
  it('puts the platform’s events on the bus', async () => {
    await expectAllowed(test, operator, publish('cordon.platform'));
    expect((await test.deadLetter(tenantId)).body).toContain('UserOnboarded');
  });

  it('reads what Cordon publishes and what its functions log', async () => {
    const [stream] =
      (await test.operator.logs.send(new DescribeLogStreamsCommand({ logGroupName: output('EventLogGroup') }))).logStreams ?? [];
    await expectAllowed(test, operator, ({ logs: c }) => c.send(new FilterLogEventsCommand({ logGroupName: output('EventLogGroup') })));
    await expectAllowed(test, operator, ({ logs: c }) =>
      c.send(new GetLogEventsCommand({ logGroupName: output('EventLogGroup'), logStreamName: stream?.logStreamName })),
    );
    const groups = Object.entries(test.cloud.resources).filter(
      ([id, { type }]) => type === 'AWS::Logs::LogGroup' && /FunctionLogs/.test(id),
    );
    expect(groups.length).toBeGreaterThanOrEqual(Object.keys(test.cloud.functionArns).length);
    for (const [, { physicalId: logGroupName }] of groups) {
      await expectAllowed(test, operator, ({ logs: c }) => c.send(new FilterLogEventsCommand({ logGroupName })));
    }
  });

  it('reads the registry, of one tenant and of all', async () => {
    const TableName = output('RegistryTable');
    await expectAllowed(test, operator, ({ dynamodb: c }) => c.send(new dynamodb.GetItemCommand({ TableName, Key: item(tenantId) })));
    await expectAllowed(test, operator, ({ dynamodb: c }) =>
      c.send(new dynamodb.QueryCommand({ TableName, ...ofPartition(`TENANT#${tenantId}#`) })),
    );
    await expectAllowed(test, operator, ({ dynamodb: c }) => c.send(new dynamodb.ScanCommand({ TableName })));
  });

  it('redrives a dead letter once its cause is gone, and the event is applied then', async () => {
    const later = test.freshTenantId();
    const detail = { version: 1, tenantId: later, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
    await test.putEvents({ detailType: 'UserOnboarded', detail });
    await settle(test.cloud);
    expect(await deadLetters()).toEqual([expect.stringContaining(later)]);
    await test.onboard({ tenantId: later });
    const [SourceArn, DestinationArn] = await Promise.all([arnOfQueue(queues().dlqUrl), arnOfQueue(queues().url)]);
    await expectAllowed(test, operator, ({ sqs: c }) => c.send(new sqs.StartMessageMoveTaskCommand({ SourceArn, DestinationArn })));
    const { Results } = await test.operator.sqs.send(new sqs.ListMessageMoveTasksCommand({ SourceArn }));
    expect(Results?.[0]).toMatchObject({ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 });
    expect(await test.outcome(['UserProvisioned'], later)).toMatchObject({ detail: { tenantId: later } });
  });

  it('sees what is in the queues', async () => {
    for (const QueueUrl of Object.values(queues())) {
      await expectAllowed(test, operator, ({ sqs: c }) => c.send(new sqs.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })));
    }
    await expectAllowed(test, operator, ({ sqs: c }) =>
      c.send(new sqs.ReceiveMessageCommand({ QueueUrl: queues().dlqUrl, VisibilityTimeout: 0 })),
    );
  });

  it('audits one tenant at a time: its attribution and registry, nobody else’s, and no secret', async () => {
    const auditor = await test.auditor(tenantId);
    await expectAllowed(test, auditor, attributionOf(tenantId));
    await expectAllowed(test, auditor, ({ dynamodb: c }) =>
      c.send(new dynamodb.GetItemCommand({ TableName: output('RegistryTable'), Key: item(tenantId) })),
    );
    await expectDenied(test, auditor, attributionOf(other), isolation('DenyItemsOfOtherTenants'));
    await expectDenied(
      test,
      auditor,
      ({ dynamodb: c }) => c.send(new dynamodb.ScanCommand({ TableName: output('AttributionTable') })),
      isolation('DenyItemsWithoutLeadingKey'),
    );
    await expectDenied(
      test,
      auditor,
      operate('GetSecretValue', () => secretArn),
      notGranted,
    );
    await expectDenied(
      test,
      auditor,
      operate('DescribeSecret', () => secretArn),
      notGranted,
    );
    await expectDenied(test, auditor, audit(other), isolation('DenyRolesOfOthers'));
    await expectDenied(
      test,
      auditor,
      ({ dynamodb: c }) =>
        c.send(
          new dynamodb.ExecuteStatementCommand({
            Statement: `INSERT INTO "${output('AttributionTable')}" VALUE {'pk': 'TENANT#${tenantId}#${today()}', 'sk': 'x'}`,
          }),
        ),
      notGranted,
    );
  });
});

describe('I3 what an operator may not', () => {
  it.each(secretOperations)('%s on a tenant’s secret, or on the provider’s admin key', async (name) => {
    for (const id of [secretArn, output('OpenAiAdminSecretArn')]) {
      await expectDenied(
        test,
        operator,
        operate(name, () => id),
        'OperatorAccess/DenySecretsAndKeys',
      );
    }
  });

  it.each<[string, Call, string | RegExp]>([
    ['list secrets', ({ secretsmanager: c }) => c.send(new ListSecretsCommand({})), 'OperatorAccess/DenySecretsAndKeys'],
    [
      'read secrets in a batch',
      ({ secretsmanager: c }) => c.send(new BatchGetSecretValueCommand({ SecretIdList: [secretArn] })),
      'OperatorAccess/DenySecretsAndKeys',
    ],
    [
      'create a secret',
      ({ secretsmanager: c }) => c.send(new CreateSecretCommand({ Name: `cordon/${tenantId}/mine`, KmsKeyId: output('TenantKeyArn') })),
      'OperatorAccess/DenySecretsAndKeys',
    ],
    [
      'use a key',
      ({ kms: c }) =>
        c.send(
          new kms.GenerateDataKeyCommand({ KeyId: output('TenantKeyArn'), KeySpec: 'AES_256', EncryptionContext: { TenantId: tenantId } }),
        ),
      'OperatorAccess/DenySecretsAndKeys',
    ],
    [
      'change a key',
      ({ kms: c }) => c.send(new kms.ScheduleKeyDeletionCommand({ KeyId: output('TenantKeyArn') })),
      'OperatorAccess/DenySecretsAndKeys',
    ],
    ['speak as Cordon', publish('cordon', 'TenantProvisioned'), notGranted],
    ['speak as somebody else', publish('com.example'), notGranted],
    [
      'change a rule of the bus',
      ({ events: c }) =>
        c.send(new PutRuleCommand({ Name: 'mine', EventBusName: output('EventBusName'), EventPattern: '{"source":["cordon"]}' })),
      notGranted,
    ],
    ['read attribution directly', attributionOf('any'), notGranted],
    ['scan the attribution', ({ dynamodb: c }) => c.send(new dynamodb.ScanCommand({ TableName: output('AttributionTable') })), notGranted],
    [
      'write the registry',
      ({ dynamodb: c }) => c.send(new dynamodb.PutItemCommand({ TableName: output('RegistryTable'), Item: item(tenantId) })),
      notGranted,
    ],
    [
      'delete from the registry',
      ({ dynamodb: c }) => c.send(new dynamodb.DeleteItemCommand({ TableName: output('RegistryTable'), Key: item(tenantId) })),
      notGranted,
    ],
    [
      'add to the attribution',
      ({ dynamodb: c }) =>
        c.send(
          new dynamodb.ExecuteStatementCommand({
            Statement: `INSERT INTO "${output('AttributionTable')}" VALUE {'pk': 'TENANT#x#', 'sk': 'x'}`,
          }),
        ),
      notGranted,
    ],
    ['call a function', ({ lambda: c }) => c.send(new InvokeCommand({ FunctionName: test.cloud.functionArns['sessions'] })), notGranted],
    [
      'write into a log',
      ({ logs: c }) =>
        c.send(
          new PutLogEventsCommand({
            logGroupName: output('EventLogGroup'),
            logStreamName: 'mine',
            logEvents: [{ timestamp: 0, message: 'mine' }],
          }),
        ),
      notGranted,
    ],
    ['delete a log', ({ logs: c }) => c.send(new DeleteLogGroupCommand({ logGroupName: output('EventLogGroup') })), notGranted],
    ['empty a queue', ({ sqs: c }) => c.send(new sqs.PurgeQueueCommand({ QueueUrl: queues().dlqUrl })), notGranted],
    [
      'open a queue',
      ({ sqs: c }) => c.send(new sqs.SetQueueAttributesCommand({ QueueUrl: queues().url, Attributes: { VisibilityTimeout: '1' } })),
      notGranted,
    ],
    [
      'make itself an access key',
      ({ iam: c }) => c.send(new iam.CreateAccessKeyCommand({ UserName: 'operator' })),
      'OperatorAccess/DenyIdentityChanges',
    ],
    [
      'give itself more',
      ({ iam: c }) =>
        c.send(new iam.AttachUserPolicyCommand({ UserName: 'operator', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' })),
      'OperatorAccess/DenyIdentityChanges',
    ],
    [
      'audit without a tenant',
      ({ sts: c }) => c.send(new AssumeRoleCommand({ RoleArn: output('TenantAuditorRoleArn'), RoleSessionName: 'audit' })),
      notTrusted,
    ],
    ['audit with an empty tenant', audit(''), notTrusted],
    ['audit as a user', audit('any', { UserId: 'a'.repeat(26) }), notTrusted],
  ])('%s', async (_, call, decidedBy) => {
    await expectDenied(test, operator, call, decidedBy);
  });

  it.each(['TenantReader', 'TenantWriter', 'TenantProvisioner', 'ByocConnector', 'TenantAgent-acme', 'TenantAgent-acme.writer'])(
    'become %s',
    async (name) => {
      const RoleArn = `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
      const Tags = [{ Key: 'TenantId', Value: tenantId }];
      await expectDenied(
        test,
        operator,
        ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session', Tags })),
        'OperatorAccess/DenyOtherRoles',
      );
    },
  );

  it('become a function', async () => {
    const roles = Object.entries(test.cloud.resources).filter(([id, { type }]) => type === 'AWS::IAM::Role' && /FunctionRole/.test(id));
    expect(roles.length).toBeGreaterThanOrEqual(Object.keys(test.cloud.functionArns).length);
    for (const [, { attributes }] of roles) {
      const RoleArn = attributes['Arn'];
      await expectDenied(
        test,
        operator,
        ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' })),
        'OperatorAccess/DenyOtherRoles',
      );
    }
  });
});
