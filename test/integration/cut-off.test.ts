import { ExecuteStatementCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as iam from '@aws-sdk/client-iam';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { cutOff, nextSecond } from '../support/cut-offs.ts';
import { type Call, expectAllowed, expectDenied, notGranted } from '../support/decisions.ts';
import { type DedicatedTenants, onboardDedicated } from '../support/dedicated-tenants.ts';
import { assumeRole, credentialsOf, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

let test: TestCloud;
let on: Neighbours;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
});

const byTenants = /^Revoked\/Tenants\d+$/;
const byUsers = /^Revoked\/Users\d+$/;
const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
const policy = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:policy/cordon/${name}`;
const output = (name: string): string => test.cloud.outputs[name] ?? '';

/** A session of a role, minted by the function that it trusts. */
async function session(by: string, roleName: string, tags: Readonly<Record<string, string>>): Promise<AwsCredentials> {
  const clients = test.clients(await credentialsOf(test, by));
  return assumeRole(clients, {
    RoleArn: role(roleName),
    RoleSessionName: 'session',
    DurationSeconds: 900,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  });
}
const reader = (TenantId: string, UserId?: string) => session('sessions', 'TenantReader', { TenantId, ...(UserId && { UserId }) });
const chained = (from: AwsCredentials, roleName: string, TenantId: string) =>
  assumeRole(test.clients(from), { RoleArn: role(roleName), RoleSessionName: 'session', Tags: [{ Key: 'TenantId', Value: TenantId }] });

const readTenant = (tenantId: string): Call => {
  return ({ dynamodb }) =>
    dynamodb.send(
      new GetItemCommand({ TableName: output('RegistryTable'), Key: { pk: { S: `TENANT#${tenantId}#` }, sk: { S: 'TENANT' } } }),
    );
};
const insertEntry = (tenantId: string, id: string): Call => {
  const Statement = `INSERT INTO "${output('AttributionTable')}" VALUE {'pk': ?, 'sk': ?}`;
  return ({ dynamodb }) =>
    dynamodb.send(new ExecuteStatementCommand({ Statement, Parameters: [{ S: `TENANT#${tenantId}#2026-11-01` }, { S: id }] }));
};
const takeCustomerRole = (tenantId: string): Call => {
  return ({ sts }) =>
    sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::444455556666:role/cordon.${tenantId}.x1`, RoleSessionName: 'session' }));
};
const lookAtOwnRole = (tenantId: string): Call => {
  return ({ iam: client }) => client.send(new iam.GetRoleCommand({ RoleName: `TenantAgent-${tenantId}` }));
};
const takeIdentity = (tenantId: string): Call => {
  const Item = { pk: { S: `TENANT#${tenantId}#` }, sk: { S: 'X' } };
  return ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName: output('RegistryTable'), Item }));
};

describe('X5 a tenant whose sessions are cut off', () => {
  it('can do nothing with any session it had, of any role, but record how a call ended; its neighbour’s go on, and its next ones work', async () => {
    const tags = { TenantId: on.a };
    const [own, writer] = [await reader(on.a), await session('tenants', 'TenantWriter', tags)];
    const held: readonly (readonly [string, AwsCredentials, Call])[] = [
      ['TenantReader', own, readTenant(on.a)],
      ['TenantReader of a user', await reader(on.a, on.ana), readTenant(on.a)],
      ['TenantWriter', writer, takeIdentity(on.a)],
      ['TenantSupplier', await session('door', 'TenantSupplier', tags), readTenant(on.a)],
      ['TenantRotator', await session('rotation', 'TenantRotator', tags), readTenant(on.a)],
      ['TenantProvisioner', await session('tenants', 'TenantProvisioner', tags), lookAtOwnRole(on.a)],
      ['ByocConnector', await chained(own, 'ByocConnector', on.a), takeCustomerRole(on.a)],
      ['ByocProbe', await chained(writer, 'ByocProbe', on.a), takeCustomerRole(on.a)],
    ];
    const neighbour = await reader(on.b);
    const auditor = await test.auditor(on.a);

    const { policyVersionId } = await cutOff(test, { tenantId: on.a });
    expect(policyVersionId).toMatch(/^v\d+$/);
    for (const [, credentials, call] of held) await expectDenied(test, credentials, call, byTenants);
    await expectDenied(
      test,
      own,
      ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn: role('TenantReader'), RoleSessionName: 'more' })),
      byTenants,
    );
    await expectAllowed(test, own, insertEntry(on.a, 'own'));
    await expectAllowed(test, neighbour, readTenant(on.b));
    await expectAllowed(test, auditor, readTenant(on.a));

    await nextSecond(test);
    await expectAllowed(test, await reader(on.a), readTenant(on.a));
    await expectDenied(test, own, readTenant(on.a), byTenants);
  });

  it('may be a dedicated one, whose own two roles are cut off as the shared ones are', async () => {
    const dedicated: DedicatedTenants = await onboardDedicated(test);
    const { own, other } = dedicated;
    const read =
      (arn: string): Call =>
      ({ secretsmanager }) =>
        secretsmanager.send(new GetSecretValueCommand({ SecretId: arn }));
    await expectAllowed(test, own.reader, read(own.secret.arn));
    await cutOff(test, { tenantId: own.tenantId });
    await expectDenied(test, own.reader, read(own.secret.arn), byTenants);
    await expectDenied(test, own.writer, takeIdentity(own.tenantId), byTenants);
    await expectAllowed(test, other.reader, read(other.secret.arn));
    await nextSecond(test);
    await expectAllowed(test, await session('sessions', `TenantAgent-${own.tenantId}`, {}), read(own.secret.arn));
  });
});

describe('X5 a user whose sessions are cut off', () => {
  it('loses their own, in that tenant alone: neither the tenant nor another user of it, nor the same person elsewhere', async () => {
    await nextSecond(test);
    const ana = await reader(on.a, on.ana);
    const others: readonly (readonly [AwsCredentials, string])[] = [
      [await reader(on.a), on.a],
      [await reader(on.a, on.ben), on.a],
      [await reader(on.b, on.ana), on.b],
    ];
    await cutOff(test, { tenantId: on.a, userId: on.ana });
    await expectDenied(test, ana, readTenant(on.a), byUsers);
    await expectAllowed(test, ana, insertEntry(on.a, 'ana'));
    for (const [credentials, tenantId] of others) await expectAllowed(test, credentials, readTenant(tenantId));
    await nextSecond(test);
    await expectAllowed(test, await reader(on.a, on.ana), readTenant(on.a));
  });
});

describe('X5 the writer of the cut-off', () => {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
  const write = (name: string): Call => {
    return ({ iam: client }) =>
      client.send(new iam.CreatePolicyVersionCommand({ PolicyArn: policy(name), PolicyDocument: document, SetAsDefault: true }));
  };

  it.each<[string, Call, string]>([
    ['write any other policy', write('TenantIsolation'), 'FunctionBoundary/DenyIdentityChanges'],
    ['write its own boundary', write('FunctionBoundary'), 'FunctionBoundary/DenyIdentityChanges'],
    [
      'take the policy off a role',
      ({ iam: client }) => client.send(new iam.DetachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: policy('Revoked') })),
      'FunctionBoundary/DenyIdentityChanges',
    ],
    [
      'attach it to a role',
      ({ iam: client }) => client.send(new iam.AttachRolePolicyCommand({ RoleName: 'TenantAuditor', PolicyArn: policy('Revoked') })),
      'FunctionBoundary/DenyIdentityChanges',
    ],
    [
      'put an older version into force',
      ({ iam: client }) => client.send(new iam.SetDefaultPolicyVersionCommand({ PolicyArn: policy('Revoked'), VersionId: 'v1' })),
      'FunctionBoundary/DenyOtherChangesOfRevoked',
    ],
    [
      'delete the policy',
      ({ iam: client }) => client.send(new iam.DeletePolicyCommand({ PolicyArn: policy('Revoked') })),
      'FunctionBoundary/DenyOtherChangesOfRevoked',
    ],
    ['read a tenant’s item', (clients) => readTenant(on.a)(clients), 'FunctionBoundary/DenyTenantItems'],
  ])('may not %s', async (_, call, decidedBy) => {
    await expectDenied(test, await credentialsOf(test, 'cutOff'), call, decidedBy);
  });

  it('is the only one who may write it', async () => {
    const functions = await test.cloud.functionCredentials();
    for (const [name, credentials] of Object.entries(functions))
      if (name !== 'cutOff')
        await expectDenied(test, credentials, write('Revoked'), name === 'policyAudit' ? 'AuditBoundary/DenyEverythingElse' : notGranted);
    const tenantSession = await session('tenants', 'TenantProvisioner', { TenantId: on.b });
    await expectDenied(test, tenantSession, write('Revoked'), /./);
    await expectDenied(test, test.cloud.operator, write('Revoked'), 'OperatorAccess/DenyIdentityChanges');
  });
});
