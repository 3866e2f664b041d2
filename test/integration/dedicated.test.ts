import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notTrusted } from '../support/decisions.ts';
import { type DedicatedTenants, onboardDedicated } from '../support/dedicated-tenants.ts';
import { assumeRole, writerOf } from '../support/neighbours.ts';
import { operate, secretOperations } from '../support/secret-operations.ts';
import { settle } from '../support/settle.ts';

let test: TestCloud;
let on: DedicatedTenants;
let asAdministrator: AwsClients;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardDedicated(test);
  asAdministrator = test.clients(on.administrator);
});

const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
const policy = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:policy/cordon/${name}`;
const mint = (
  name: () => string,
  tags: () => Readonly<Record<string, string>> = () => ({}),
  more: Partial<AssumeRoleCommandInput> = {},
): Call => {
  return ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn: role(name()), RoleSessionName: 'session', Tags: asTags(tags()), ...more }));
};

/** What exists in the account: names of roles and policies, IDs of keys. */
async function inventory() {
  const { Roles = [] } = await asAdministrator.iam.send(new iam.ListRolesCommand({ MaxItems: 1000 }));
  const { Policies = [] } = await asAdministrator.iam.send(new iam.ListPoliciesCommand({ Scope: 'Local', MaxItems: 1000 }));
  const { Keys = [] } = await asAdministrator.kms.send(new kms.ListKeysCommand({ Limit: 1000 }));
  return {
    roles: Roles.map(({ Arn }) => Arn).sort(),
    policies: Policies.map(({ Arn }) => Arn).sort(),
    keys: Keys.map(({ KeyArn }) => KeyArn).sort(),
    providerKeys: test.cloud.openai.keys().length,
  };
}

describe('I4 the roles of a dedicated tenant', () => {
  it.each([
    ['reader', '', ['Revoked', 'TenantIsolation', 'TenantReaderAccess']],
    ['writer', '.writer', ['Revoked', 'TenantIsolation', 'TenantWriterAccess']],
  ])('its %s has the boundary, its tenant as role tag, and three of Cordon’s policies', async (_, suffix, policies) => {
    const RoleName = `TenantAgent-${on.own.tenantId}${suffix}`;
    const { Role } = await asAdministrator.iam.send(new iam.GetRoleCommand({ RoleName }));
    expect(Role?.Arn).toBe(role(RoleName));
    expect(Role?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(policy('TenantBoundary'));
    expect(Object.fromEntries((Role?.Tags ?? []).map(({ Key = '', Value }) => [Key, Value]))).toEqual({
      TenantId: on.own.tenantId,
      Tier: 'dedicated',
    });
    const { AttachedPolicies = [] } = await asAdministrator.iam.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
    expect(AttachedPolicies.map(({ PolicyArn }) => PolicyArn).sort()).toEqual(policies.map(policy));
    const { PolicyNames } = await asAdministrator.iam.send(new iam.ListRolePoliciesCommand({ RoleName }));
    expect(PolicyNames ?? []).toEqual([]);
  });

  const reader = () => `TenantAgent-${on.own.tenantId}`;
  const writer = () => `TenantAgent-${on.own.tenantId}.writer`;
  const user = { UserId: 'a'.repeat(26) };
  it.each<[string, () => AwsCredentials, Call, string | RegExp]>([
    [
      'sessions, with another tenant over its own',
      () => on.functions.sessions,
      mint(reader, () => ({ TenantId: on.other.tenantId })),
      notTrusted,
    ],
    ['sessions, with its very own tenant', () => on.functions.sessions, mint(reader, () => ({ TenantId: on.own.tenantId })), notTrusted],
    [
      'sessions, with a tenant in another case',
      () => on.functions.sessions,
      mint(reader, () => ({ tenantid: on.other.tenantId })),
      notTrusted,
    ],
    [
      'sessions, with a tenant beside the user',
      () => on.functions.sessions,
      mint(reader, () => ({ ...user, TenantId: on.other.tenantId })),
      notTrusted,
    ],
    ['sessions, with another tier', () => on.functions.sessions, mint(reader, () => ({ Tier: 'pool' })), notTrusted],
    ['sessions, with an empty user', () => on.functions.sessions, mint(reader, () => ({ UserId: '' })), notTrusted],
    [
      'sessions, with a user that travels on',
      () => on.functions.sessions,
      mint(reader, () => user, { TransitiveTagKeys: ['UserId'] }),
      notTrusted,
    ],
    ['sessions, as writer', () => on.functions.sessions, mint(writer), 'Function/DenyWriters'],
    ['tenants, as reader', () => on.functions.tenants, mint(reader), notTrusted],
    ['tenants, with another tenant', () => on.functions.tenants, mint(writer, () => ({ TenantId: on.other.tenantId })), notTrusted],
    [
      'tenants, with a user that travels on',
      () => on.functions.tenants,
      mint(writer, () => user, { TransitiveTagKeys: ['UserId'] }),
      notTrusted,
    ],
    ['the administrator', () => on.administrator, mint(reader), notTrusted],
    ['the administrator, as writer', () => on.administrator, mint(writer), notTrusted],
    ['the operator', () => test.cloud.operator, mint(reader), 'OperatorAccess/DenyOtherRoles'],
    ['another dedicated tenant', () => on.other.reader, mint(reader, () => user), isolation('DenyRolesOfOthers')],
    ['a pool tenant', () => on.pool.reader, mint(reader, () => user), isolation('DenyRolesOfOthers')],
    ['its own reader without a user', () => on.own.reader, mint(reader), notTrusted],
    ['its own writer', () => on.own.writer, mint(reader, () => user), notTrusted],
    ['its own reader, as writer', () => on.own.reader, mint(writer), isolation('DenyRolesOfOthers')],
  ])('do not admit %s', async (_, who, call, decidedBy) => {
    await expectDenied(test, who(), call, decidedBy);
  });

  it('admit the one function that each is for, and the reader its own session with a user', async () => {
    for (const tags of [{}, user]) {
      await expectAllowed(
        test,
        on.functions.sessions,
        mint(reader, () => tags),
      );
      await expectAllowed(
        test,
        on.functions.tenants,
        mint(writer, () => tags),
      );
    }
    await expectAllowed(
      test,
      on.own.reader,
      mint(reader, () => user),
    );
  });

  it('reach what is their tenant’s, and nothing of another dedicated tenant’s or of the pool’s', async () => {
    await expectAllowed(
      test,
      on.own.reader,
      operate('GetSecretValue', () => on.own.secret.arn),
    );
    for (const { secret, reader: others } of [on.other, on.pool]) {
      for (const name of secretOperations) {
        for (const who of [on.own.reader, on.own.writer]) {
          await expectDenied(
            test,
            who,
            operate(name, () => secret.arn),
            isolation('DenySecretsOfOtherPaths'),
          );
        }
      }
      await expectDenied(
        test,
        others,
        operate('GetSecretValue', () => on.own.secret.arn),
        isolation('DenySecretsOfOtherPaths'),
      );
    }
  });

  it('alone reach it: the shared roles are refused in the tenant’s own name', async () => {
    const shared = {
      reader: await assumeRole(test.clients(on.functions.sessions), {
        RoleArn: role('TenantReader'),
        RoleSessionName: on.own.tenantId,
        Tags: asTags({ TenantId: on.own.tenantId }),
      }),
      writer: await writerOf(test, on.own.tenantId),
    };
    for (const who of Object.values(shared)) {
      for (const name of ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'DeleteSecret', 'UpdateSecretVersionStage']) {
        await expectDenied(
          test,
          who,
          operate(name, () => on.own.secret.arn),
          isolation('DenyDedicatedToSharedRolesByResourceTag'),
        );
      }
    }
  });
});

describe('I4 I10 what exists', () => {
  it('is not doubled when the onboarding event comes again, or twice at once', async () => {
    const before = await inventory();
    for (const twice of [false, true]) {
      if (twice) test.cloud.faults.add({ service: 'events', action: 'PutEvents', nth: 1, mode: 'duplicate' });
      await test.onboard({ tenantId: on.own.tenantId, tier: 'dedicated' });
      await settle(test.cloud);
    }
    expect(await inventory()).toEqual(before);
    expect(await test.secretsOf(on.own.tenantId)).toEqual([on.own.secret]);
  });

  it('is made once for a dedicated tenant whose very first event is delivered twice', async () => {
    const before = await inventory();
    const tenantId = test.freshTenantId();
    test.cloud.faults.add({ service: 'events', action: 'PutEvents', nth: 1, mode: 'duplicate' });
    await test.onboard({ tenantId, tier: 'dedicated' });
    await settle(test.cloud);
    const after = await inventory();
    expect(after.roles.filter((arn) => !before.roles.includes(arn))).toEqual(
      [`TenantAgent-${tenantId}`, `TenantAgent-${tenantId}.writer`].map(role),
    );
    expect(after.keys).toHaveLength(before.keys.length + 1);
    expect(after.policies).toEqual(before.policies);
    expect(after.providerKeys).toBe(before.providerKeys + 1);
  });

  it('grows by no role, policy or key with three more tenants of the pool', async () => {
    const { providerKeys, ...before } = await inventory();
    for (let count = 0; count < 3; count += 1) expect((await test.onboard()).outcome.detailType).toBe('TenantProvisioned');
    expect(await inventory()).toEqual({ ...before, providerKeys: providerKeys + 3 });
  });
});

describe('I4 what an administrator does to a dedicated tenant’s role', () => {
  const detach = (RoleName: string, name: string) =>
    asAdministrator.iam.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn: policy(name) }));

  it('does not let it out: without its isolation, and with every right, the boundary still stands', async () => {
    const RoleName = `TenantAgent-${on.other.tenantId}`;
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await detach(RoleName, 'TenantIsolation');
    await asAdministrator.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await expectDenied(
      test,
      on.other.reader,
      operate('GetSecretValue', () => on.own.secret.arn),
      'TenantBoundary/DenySecretsOfOtherPaths',
    );
    const more: Call = ({ iam: c }) => c.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName }));
    await expectDenied(test, on.other.reader, more, /^the permissions boundary TenantBoundary does not allow it/);
    await asAdministrator.iam.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }));
  });

  it('takes effect on sessions that exist: without the role they may do nothing, also when it is made again', async () => {
    const RoleName = `TenantAgent-${on.other.tenantId}`;
    const own = on.other.secret.arn;
    await expectAllowed(
      test,
      on.other.reader,
      operate('GetSecretValue', () => own),
    );
    const { Role } = await asAdministrator.iam.send(new iam.GetRoleCommand({ RoleName }));
    await detach(RoleName, 'TenantReaderAccess');
    await expectDenied(
      test,
      on.other.reader,
      operate('GetSecretValue', () => own),
      /^no identity policy allows it/,
    );
    await detach(RoleName, 'Revoked');
    await asAdministrator.iam.send(new iam.DeleteRoleCommand({ RoleName }));
    await expectDenied(
      test,
      on.other.reader,
      operate('GetSecretValue', () => own),
      'DeletedPrincipal/RoleIsGone',
    );
    const AssumeRolePolicyDocument = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '');
    await asAdministrator.iam.send(new iam.CreateRoleCommand({ RoleName, Path: '/cordon/', AssumeRolePolicyDocument, Tags: Role?.Tags }));
    await asAdministrator.iam.send(new iam.AttachRolePolicyCommand({ RoleName, PolicyArn: policy('TenantReaderAccess') }));
    await expectDenied(
      test,
      on.other.reader,
      operate('GetSecretValue', () => own),
      'DeletedPrincipal/RoleIsGone',
    );
  });
});
