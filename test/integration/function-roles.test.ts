import * as dynamodb from '@aws-sdk/client-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import * as secrets from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, notGranted, notTrusted } from '../support/decisions.ts';
import { administratorOf, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';
import { operate, resourcePolicyFor, secretOperations } from '../support/secret-operations.ts';

let test: TestCloud;
let on: Neighbours;
let functions: Readonly<Record<string, AwsCredentials>>;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
  functions = await test.cloud.functionCredentials();
});

const boundary = (sid: string): string => `FunctionBoundary/${sid}`;
const output = (name: string): string => test.cloud.outputs[name] ?? '';
const registryItem = () => ({ TableName: output('RegistryTable'), Key: { pk: { S: `TENANT#${on.a}#` }, sk: { S: 'TENANT' } } });
const execute = (Statement: string): Call => {
  return ({ dynamodb: c }) =>
    c.send(new dynamodb.ExecuteStatementCommand({ Statement: Statement.replace('TABLE', output('RegistryTable')) }));
};

/** The function that reads policies has a boundary of its own, which denies everything but that. */
const ofAuditor = /^(AuditBoundary\/Deny(EverythingElse|TenantSecrets)$|no identity policy allows it: events:PutEvents)/;

/** Each of the functions that the stack has, also those of later, is refused. */
async function noFunctionMay(call: Call, decidedBy: string | RegExp): Promise<void> {
  for (const [name, credentials] of Object.entries(functions))
    await expectDenied(test, credentials, call, name === 'policyAudit' ? ofAuditor : decidedBy);
}

describe('I3 zero standing access: the functions’ own credentials', () => {
  it('are those of every function of the stack', () => {
    expect(Object.keys(functions).sort()).toEqual(Object.keys(test.cloud.functionArns).sort());
    expect(Object.keys(functions)).toEqual(expect.arrayContaining(['sessions', 'tenants']));
  });

  it.each(secretOperations)('may not %s on any tenant’s secret', async (name) => {
    for (const { arn } of Object.values(on.secrets))
      await noFunctionMay(
        operate(name, () => arn),
        boundary('DenyTenantSecrets'),
      );
  });

  it.each<[string, Call, string | RegExp]>([
    ['list secrets', ({ secretsmanager: c }) => c.send(new secrets.ListSecretsCommand({})), notGranted],
    [
      'read secrets in a batch',
      ({ secretsmanager: c }) => c.send(new secrets.BatchGetSecretValueCommand({ SecretIdList: [on.secrets.ofA.arn] })),
      notGranted,
    ],
    [
      'create a secret for a tenant',
      ({ secretsmanager: c }) =>
        c.send(
          new secrets.CreateSecretCommand({
            Name: `cordon/${on.a}/mine`,
            KmsKeyId: output('TenantKeyArn'),
            Tags: [{ Key: 'TenantId', Value: on.a }],
          }),
        ),
      boundary('DenyTenantSecrets'),
    ],
    ['find resources by tag', ({ tagging: c }) => c.send(new GetResourcesCommand({})), notGranted],
    ['read an item', ({ dynamodb: c }) => c.send(new dynamodb.GetItemCommand(registryItem())), boundary('DenyTenantItems')],
    [
      'read items in a batch',
      ({ dynamodb: c }) =>
        c.send(new dynamodb.BatchGetItemCommand({ RequestItems: { [output('RegistryTable')]: { Keys: [registryItem().Key] } } })),
      boundary('DenyTenantItems'),
    ],
    [
      'query a tenant’s items',
      ({ dynamodb: c }) =>
        c.send(
          new dynamodb.QueryCommand({
            TableName: output('RegistryTable'),
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: `TENANT#${on.a}#` } },
          }),
        ),
      boundary('DenyTenantItems'),
    ],
    [
      'scan the registry',
      ({ dynamodb: c }) => c.send(new dynamodb.ScanCommand({ TableName: output('RegistryTable') })),
      boundary('DenyTenantItems'),
    ],
    [
      'scan the attribution',
      ({ dynamodb: c }) => c.send(new dynamodb.ScanCommand({ TableName: output('AttributionTable') })),
      boundary('DenyTenantItems'),
    ],
    [
      'write an item',
      ({ dynamodb: c }) => c.send(new dynamodb.PutItemCommand({ TableName: output('RegistryTable'), Item: registryItem().Key })),
      boundary('DenyTenantItems'),
    ],
    ['delete an item', ({ dynamodb: c }) => c.send(new dynamodb.DeleteItemCommand(registryItem())), boundary('DenyTenantItems')],
    [
      'write in a transaction',
      ({ dynamodb: c }) => c.send(new dynamodb.TransactWriteItemsCommand({ TransactItems: [{ Delete: registryItem() }] })),
      boundary('DenyTenantItems'),
    ],
    ['read by PartiQL', execute(`SELECT * FROM "TABLE"`), boundary('DenyTenantItems')],
    ['insert by PartiQL', execute(`INSERT INTO "TABLE" VALUE {'pk': 'TENANT#x#', 'sk': 'TENANT'}`), boundary('DenyTenantItems')],
    [
      'use the pool’s key in a tenant’s name',
      ({ kms: c }) =>
        c.send(
          new kms.GenerateDataKeyCommand({ KeyId: output('TenantKeyArn'), KeySpec: 'AES_256', EncryptionContext: { TenantId: on.a } }),
        ),
      boundary('DenyTenantKeyUseByName'),
    ],
    [
      'use the pool’s key in the name of a tenant’s secret',
      ({ kms: c }) =>
        c.send(
          new kms.GenerateDataKeyCommand({
            KeyId: output('TenantKeyArn'),
            KeySpec: 'AES_256',
            EncryptionContext: { SecretARN: on.secrets.ofA.arn },
          }),
        ),
      boundary('DenyTenantKeyUse'),
    ],
    [
      'use the pool’s key without a name',
      ({ kms: c }) => c.send(new kms.GenerateDataKeyCommand({ KeyId: output('TenantKeyArn'), KeySpec: 'AES_256' })),
      /^key policy of .*\/DenyKeyUseForOtherTenants$/,
    ],
    [
      'open the pool’s key',
      ({ kms: c }) => c.send(new kms.PutKeyPolicyCommand({ KeyId: output('TenantKeyArn'), Policy: '{"Statement":[]}' })),
      notGranted,
    ],
    ['make a user', ({ iam: c }) => c.send(new iam.CreateUserCommand({ UserName: 'mine' })), boundary('DenyIdentityChanges')],
    [
      'drop a boundary',
      ({ iam: c }) => c.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName: 'TenantReader' })),
      boundary('DenyIdentityChanges'),
    ],
    [
      'widen a tenant role',
      ({ iam: c }) =>
        c.send(new iam.AttachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' })),
      boundary('DenyIdentityChanges'),
    ],
    [
      'speak as the platform',
      ({ events: c }) =>
        c.send(
          new PutEventsCommand({
            Entries: [{ EventBusName: output('EventBusName'), Source: 'cordon.platform', DetailType: 'TenantOnboarded', Detail: '{}' }],
          }),
        ),
      notGranted,
    ],
  ])('may not %s', async (_, call, decidedBy) => {
    await noFunctionMay(call, decidedBy);
  });

  it.each(['sessions', 'tenants'])('do not let %s call the function that mints sessions', async (name) => {
    const call: Call = ({ lambda: c }) => c.send(new InvokeCommand({ FunctionName: test.cloud.functionArns['sessions'] }));
    await expectDenied(test, functions[name] ?? on.administrator, call, notGranted);
  });

  it('are not let in by a resource policy on the secret either', async () => {
    const administrator = administratorOf(test);
    const { arn } = on.secrets.ofA;
    const { secretsmanager } = test.clients(administrator);
    await secretsmanager.send(new secrets.PutResourcePolicyCommand({ SecretId: arn, ResourcePolicy: resourcePolicyFor('*') }));
    for (const name of ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'DeleteSecret']) {
      await noFunctionMay(
        operate(name, () => arn),
        boundary('DenyTenantSecrets'),
      );
    }
    await expectAllowed(
      test,
      administrator,
      operate('DeleteResourcePolicy', () => arn),
    );
  });

  it('are not let in by a policy of the pool’s key that lets everyone do everything', async () => {
    const { kms: c } = test.clients(on.administrator);
    const KeyId = output('TenantKeyArn');
    const { Policy } = await c.send(new kms.GetKeyPolicyCommand({ KeyId }));
    const open = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }] };
    await c.send(new kms.PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify(open) }));
    try {
      for (const [EncryptionContext, sid] of [
        [{ TenantId: on.a }, 'DenyTenantKeyUseByName'],
        [{ SecretARN: on.secrets.ofA.arn }, 'DenyTenantKeyUse'],
      ] as const) {
        const seal = new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionContext });
        const { CiphertextBlob } = await c.send(seal);
        await noFunctionMay(({ kms: own }) => own.send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext })), boundary(sid));
      }
    } finally {
      await c.send(new kms.PutKeyPolicyCommand({ KeyId, Policy }));
    }
  });
});

describe('I11 who mints what', () => {
  const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const mint = (name: () => string, tags: () => Readonly<Record<string, string>>, more: Partial<AssumeRoleCommandInput> = {}): Call => {
    const role = (): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name()}`;
    return ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn: role(), RoleSessionName: 'session', Tags: asTags(tags()), ...more }));
  };
  const tenant = () => ({ TenantId: on.a });
  const owner = { sessions: 'TenantReader', tenants: 'TenantWriter' } as const;

  it.each<['sessions' | 'tenants', string, Readonly<Record<string, string>> | undefined, Partial<AssumeRoleCommandInput>?]>(
    (['sessions', 'tenants'] as const).flatMap((name) => [
      [name, 'without a tag', {}],
      [name, 'with an empty tenant', { TenantId: '' }],
      [name, 'with a user only', { UserId: 'a'.repeat(26) }],
      [name, 'with the tag’s name in another case', { tenantid: 'acme' }],
      [name, 'with a tag nobody knows', { TenantId: 'acme', Admin: 'yes' }],
      [name, 'whose tag travels on', { TenantId: 'acme' }, { TransitiveTagKeys: ['TenantId'] }],
    ]),
  )('%s mints no session %s', async (name, _, tags = {}, more = {}) => {
    await expectDenied(
      test,
      functions[name] ?? on.administrator,
      mint(
        () => owner[name],
        () => tags,
        more,
      ),
      notTrusted,
    );
  });

  it.each<[string, string, string | RegExp]>([
    ['sessions', 'TenantWriter', notTrusted],
    ['sessions', 'TenantProvisioner', notTrusted],
    ['sessions', 'TenantAuditor', notGranted],
    ['sessions', 'ByocConnector', notTrusted],
    ['tenants', 'TenantReader', notTrusted],
    ['tenants', 'TenantAuditor', notGranted],
    ['tenants', 'ByocConnector', notTrusted],
  ])('%s does not become %s', async (name, role, decidedBy) => {
    await expectDenied(
      test,
      functions[name] ?? on.administrator,
      mint(() => role, tenant),
      decidedBy,
    );
  });

  it('each mints the sessions it is for', async () => {
    const { sessions, tenants } = functions;
    if (sessions === undefined || tenants === undefined) throw new Error('A function is missing.');
    await expectAllowed(
      test,
      sessions,
      mint(() => 'TenantReader', tenant),
    );
    await expectAllowed(
      test,
      sessions,
      mint(
        () => 'TenantReader',
        () => ({ ...tenant(), UserId: on.ana }),
      ),
    );
    await expectAllowed(
      test,
      tenants,
      mint(() => 'TenantWriter', tenant),
    );
    await expectAllowed(
      test,
      tenants,
      mint(() => 'TenantProvisioner', tenant),
    );
  });

  it('tenants reads the provider’s admin key and announces in Cordon’s name, and sessions does neither', async () => {
    const { sessions, tenants } = functions;
    if (sessions === undefined || tenants === undefined) throw new Error('A function is missing.');
    const adminKey = operate('GetSecretValue', () => output('OpenAiAdminSecretArn'));
    const announce: Call = ({ events: c }) =>
      c.send(
        new PutEventsCommand({ Entries: [{ EventBusName: output('EventBusName'), Source: 'cordon', DetailType: 'Test', Detail: '{}' }] }),
      );
    for (const call of [adminKey, announce]) {
      await expectAllowed(test, tenants, call);
      await expectDenied(test, sessions, call, notGranted);
    }
  });
});
