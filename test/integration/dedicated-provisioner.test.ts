import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { administratorOf, assumeRole, credentialsOf } from '../support/neighbours.ts';
import { operate } from '../support/secret-operations.ts';

let test: TestCloud;
/** `a` is about to be made by the provisioner session here; `b`, whose name begins with it, exists with all it has. */
let a: string;
let b: string;
let provisioner: AwsCredentials;
let keyOfB: string;
let administrator: AwsClients;

beforeAll(async () => {
  test = await testCloud();
  a = test.freshTenantId();
  b = `${a}-2`;
  await test.onboard({ tenantId: b, tier: 'dedicated' });
  provisioner = await assumeRole(test.clients(await credentialsOf(test, 'tenants')), {
    RoleArn: test.cloud.outputs['TenantProvisionerRoleArn'],
    RoleSessionName: a,
    DurationSeconds: 900,
    Tags: [{ Key: 'TenantId', Value: a }],
  });
  administrator = test.clients(administratorOf(test));
  const { KeyMetadata } = await administrator.kms.send(new kms.DescribeKeyCommand({ KeyId: `alias/cordon/${b}` }));
  keyOfB = KeyMetadata?.Arn ?? '';
});

const policy = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:policy/cordon/${name}`;
const trust = () =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${test.cloud.accountId}:root` }, Action: 'sts:AssumeRole' }],
  });
const own = () => `TenantAgent-${a}`;
const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const asKeyTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
const createRole = (change: () => Partial<iam.CreateRoleCommandInput> = () => ({})): Call => {
  return ({ iam: c }) =>
    c.send(
      new iam.CreateRoleCommand({
        RoleName: own(),
        Path: '/cordon/',
        AssumeRolePolicyDocument: trust(),
        PermissionsBoundary: policy('TenantBoundary'),
        Tags: asTags({ TenantId: a, Tier: 'dedicated' }),
        ...change(),
      }),
    );
};
const attach = (RoleName: () => string, PolicyArn: () => string): Call => {
  return ({ iam: c }) => c.send(new iam.AttachRolePolicyCommand({ RoleName: RoleName(), PolicyArn: PolicyArn() }));
};
const createKey = (tags: () => Readonly<Record<string, string>>): Call => {
  return ({ kms: c }) => c.send(new kms.CreateKeyCommand({ Tags: asKeyTags(tags()) }));
};

describe('I4 a provisioner session of one tenant', () => {
  it('cannot take a key of the stack for its own', async () => {
    const { Keys = [] } = await administrator.kms.send(new kms.ListKeysCommand({}));
    expect(Keys.length).toBeGreaterThan(2);
    for (const { KeyArn: KeyId } of Keys) {
      await expectDenied(
        test,
        provisioner,
        ({ kms: c }) => c.send(new kms.TagResourceCommand({ KeyId, Tags: asKeyTags({ TenantId: a }) })),
        notGranted,
      );
    }
  });

  it.each<[string, Call]>([
    ['a role for the neighbour', createRole(() => ({ RoleName: `TenantAgent-${b}x`, Tags: asTags({ TenantId: `${b}x` }) }))],
    ['the neighbour’s role again', createRole(() => ({ RoleName: `TenantAgent-${b}` }))],
    ['a role of a name that only begins like its own', createRole(() => ({ RoleName: `${own()}.writer2` }))],
    ['its role at another path', createRole(() => ({ Path: '/' }))],
    ['its role without the boundary', createRole(() => ({ PermissionsBoundary: undefined }))],
    ['its role under another boundary', createRole(() => ({ PermissionsBoundary: 'arn:aws:iam::aws:policy/AdministratorAccess' }))],
    ['its role under the functions’ boundary', createRole(() => ({ PermissionsBoundary: policy('FunctionBoundary') }))],
    ['its role with the neighbour’s tag', createRole(() => ({ Tags: asTags({ TenantId: b, Tier: 'dedicated' }) }))],
    ['its role without a tag', createRole(() => ({ Tags: undefined }))],
    ['its role with a tag nobody knows', createRole(() => ({ Tags: asTags({ TenantId: a, Admin: 'yes' }) }))],
    ['its role with a user as role tag', createRole(() => ({ Tags: asTags({ TenantId: a, UserId: 'a'.repeat(26) }) }))],
    ['a key for the neighbour', createKey(() => ({ TenantId: b, Tier: 'dedicated' }))],
    ['a key for nobody', createKey(() => ({}))],
    ['a key with a tag nobody knows', createKey(() => ({ TenantId: a, Owner: 'me' }))],
    ['a user', ({ iam: c }) => c.send(new iam.CreateUserCommand({ UserName: 'mine' }))],
    ['a policy', ({ iam: c }) => c.send(new iam.CreatePolicyCommand({ PolicyName: 'mine', PolicyDocument: trust() }))],
  ])('cannot make %s', async (_, call) => {
    await expectDenied(test, provisioner, call, notGranted);
  });

  it('makes its own two roles under the boundary, and one key with its tag and its name', async () => {
    await expectAllowed(test, provisioner, createRole());
    await expectAllowed(
      test,
      provisioner,
      createRole(() => ({ RoleName: `${own()}.writer` })),
    );
    for (const name of ['TenantReaderAccess', 'TenantWriterAccess', 'TenantIsolation']) {
      await expectAllowed(
        test,
        provisioner,
        attach(own, () => policy(name)),
      );
    }
    const made = await test
      .clients(provisioner)
      .kms.send(new kms.CreateKeyCommand({ Tags: asKeyTags({ TenantId: a, Tier: 'dedicated' }) }));
    const TargetKeyId = made.KeyMetadata?.Arn;
    const rename = (AliasName: string): Call => {
      return ({ kms: c }) => c.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId }));
    };
    await expectDenied(test, provisioner, rename(`alias/cordon/${b}x`), notGranted);
    await expectDenied(test, provisioner, rename('alias/mine'), notGranted);
    await expectAllowed(test, provisioner, rename(`alias/cordon/${a}`));
  });

  it.each<[string, Call]>([
    ['give its role every right', attach(own, () => 'arn:aws:iam::aws:policy/AdministratorAccess')],
    ['make its role a provisioner', attach(own, () => policy('TenantProvisionerAccess'))],
    ['make its role an operator', attach(own, () => policy('OperatorAccess'))],
    ['make its role a connector', attach(own, () => policy('ByocConnectorAccess'))],
    [
      'give the neighbour’s role anything',
      attach(
        () => `TenantAgent-${b}`,
        () => policy('TenantReaderAccess'),
      ),
    ],
    [
      'give the shared role anything',
      attach(
        () => 'TenantReader',
        () => policy('TenantWriterAccess'),
      ),
    ],
    [
      'write a policy into its role',
      ({ iam: c }) => c.send(new iam.PutRolePolicyCommand({ RoleName: own(), PolicyName: 'more', PolicyDocument: trust() })),
    ],
    [
      'take the isolation off',
      ({ iam: c }) => c.send(new iam.DetachRolePolicyCommand({ RoleName: own(), PolicyArn: policy('TenantIsolation') })),
    ],
    ['take the boundary off', ({ iam: c }) => c.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName: own() }))],
    [
      'put another boundary on',
      ({ iam: c }) =>
        c.send(new iam.PutRolePermissionsBoundaryCommand({ RoleName: own(), PermissionsBoundary: policy('FunctionBoundary') })),
    ],
    [
      'open its role to others',
      ({ iam: c }) => c.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: own(), PolicyDocument: trust() })),
    ],
    ['tag its role as the neighbour’s', ({ iam: c }) => c.send(new iam.TagRoleCommand({ RoleName: own(), Tags: asTags({ TenantId: b }) }))],
    ['take its tag off', ({ iam: c }) => c.send(new iam.UntagRoleCommand({ RoleName: own(), TagKeys: ['TenantId'] }))],
    ['delete its role', ({ iam: c }) => c.send(new iam.DeleteRoleCommand({ RoleName: own() }))],
    [
      'tag the neighbour’s role',
      ({ iam: c }) => c.send(new iam.TagRoleCommand({ RoleName: `TenantAgent-${b}`, Tags: asTags({ TenantId: a }) })),
    ],
    ['look at the neighbour’s role', ({ iam: c }) => c.send(new iam.GetRoleCommand({ RoleName: `TenantAgent-${b}` }))],
    ['list all roles', ({ iam: c }) => c.send(new iam.ListRolesCommand({}))],
  ])('cannot %s', async (_, call) => {
    await expectDenied(test, provisioner, call, notGranted);
  });

  const elsewhere = /^(no identity policy allows it|key policy of .*\/DenyUseByOthers$)/;
  it.each<[string, Call]>([
    ['look at it', ({ kms: c }) => c.send(new kms.DescribeKeyCommand({ KeyId: keyOfB }))],
    ['name it as its own', ({ kms: c }) => c.send(new kms.CreateAliasCommand({ AliasName: `alias/cordon/${a}`, TargetKeyId: keyOfB }))],
    ['tag it as its own', ({ kms: c }) => c.send(new kms.TagResourceCommand({ KeyId: keyOfB, Tags: asKeyTags({ TenantId: a }) }))],
    ['put another policy on it', ({ kms: c }) => c.send(new kms.PutKeyPolicyCommand({ KeyId: keyOfB, Policy: trust() }))],
    ['turn it', ({ kms: c }) => c.send(new kms.EnableKeyRotationCommand({ KeyId: keyOfB }))],
    ['delete it', ({ kms: c }) => c.send(new kms.ScheduleKeyDeletionCommand({ KeyId: keyOfB }))],
    [
      'use it',
      ({ kms: c }) => c.send(new kms.GenerateDataKeyCommand({ KeyId: keyOfB, KeySpec: 'AES_256', EncryptionContext: { TenantId: a } })),
    ],
    ['list all keys', ({ kms: c }) => c.send(new kms.ListKeysCommand({}))],
  ])('has nothing of the neighbour’s key: it cannot %s', async (_, call) => {
    await expectDenied(test, provisioner, call, elsewhere);
  });

  it('reads and writes no tenant’s data, and becomes nobody else', async () => {
    const [secret] = await test.secretsOf(b);
    await expectDenied(
      test,
      provisioner,
      operate('GetSecretValue', () => secret?.arn ?? ''),
      isolation('DenySecretsOfOtherPaths'),
    );
    for (const name of [`TenantAgent-${b}`, `TenantAgent-${b}.writer`, 'TenantWriter', 'TenantProvisioner']) {
      const RoleArn = `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
      const become: Call = ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' }));
      await expectDenied(test, provisioner, become, isolation('DenyRolesOfOthers'));
    }
    expect(secret).toBeDefined();
  });
});
