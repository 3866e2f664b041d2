import * as iam from '@aws-sdk/client-iam';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, type AssumeRoleCommandInput, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notTrusted } from '../support/decisions.ts';
import { assumeRole, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

type Who = keyof Neighbours['sessions'];

let test: TestCloud;
let on: Neighbours;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
});

const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
const _policy = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:policy/cordon/${name}`;
const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const assume = (name: () => string, tags: () => Readonly<Record<string, string>>, more: Partial<AssumeRoleCommandInput> = {}): Call => {
  return ({ sts }) =>
    sts.send(
      new AssumeRoleCommand({ RoleArn: role(name()), RoleSessionName: 'session', DurationSeconds: 900, Tags: asTags(tags()), ...more }),
    );
};
const reader = () => 'TenantReader';
const read = (SecretId: () => string): Call => {
  return ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId: SecretId() }));
};

describe('I3 a session that would become another', () => {
  it.each<[string, Who, Call, string | RegExp]>([
    ['the neighbour', 'reader', assume(reader, () => ({ TenantId: on.b })), notTrusted],
    ['the neighbour’s user', 'reader', assume(reader, () => ({ TenantId: on.b, UserId: on.ana })), notTrusted],
    ['the neighbour by a tag in another case', 'reader', assume(reader, () => ({ tenantid: on.b, UserId: on.ana })), notTrusted],
    ['itself by a tag in another case', 'reader', assume(reader, () => ({ TENANTID: on.a, UserId: on.ana })), notTrusted],
    ['one without a tenant', 'reader', assume(reader, () => ({ UserId: on.ana })), notTrusted],
    ['one with an empty tenant', 'reader', assume(reader, () => ({ TenantId: '', UserId: on.ana })), notTrusted],
    ['one without any tag', 'reader', assume(reader, () => ({})), notTrusted],
    ['one with a tag nobody knows', 'reader', assume(reader, () => ({ TenantId: on.a, UserId: on.ana, Tier: 'dedicated' })), notTrusted],
    [
      'one whose tags travel on',
      'reader',
      assume(reader, () => ({ TenantId: on.a, UserId: on.ana }), { TransitiveTagKeys: ['TenantId'] }),
      notTrusted,
    ],
    ['a fresh one of itself', 'reader', assume(reader, () => ({ TenantId: on.a })), notTrusted],
    ['another user', 'ben', assume(reader, () => ({ TenantId: on.a, UserId: on.ana })), notTrusted],
    ['its tenant without the user', 'ben', assume(reader, () => ({ TenantId: on.a })), notTrusted],
    ['a reader, being a writer', 'writer', assume(reader, () => ({ TenantId: on.a, UserId: on.ana })), notTrusted],
    [
      'a writer',
      'reader',
      assume(
        () => 'TenantWriter',
        () => ({ TenantId: on.a }),
      ),
      isolation('DenyRolesOfOthers'),
    ],
    [
      'a writer for the neighbour, being one',
      'writer',
      assume(
        () => 'TenantWriter',
        () => ({ TenantId: on.b }),
      ),
      isolation('DenyRolesOfOthers'),
    ],
    [
      'a provisioner',
      'writer',
      assume(
        () => 'TenantProvisioner',
        () => ({ TenantId: on.b }),
      ),
      isolation('DenyRolesOfOthers'),
    ],
    [
      'an auditor',
      'reader',
      assume(
        () => 'TenantAuditor',
        () => ({ TenantId: on.b }),
      ),
      isolation('DenyRolesOfOthers'),
    ],
    [
      'the neighbour’s own role',
      'reader',
      assume(
        () => `TenantAgent-${on.b}`,
        () => ({}),
      ),
      isolation('DenyRolesOfOthers'),
    ],
    [
      'the neighbour’s connector',
      'reader',
      assume(
        () => 'ByocConnector',
        () => ({ TenantId: on.b }),
      ),
      notTrusted,
    ],
    [
      'a connector whose tag travels on',
      'reader',
      assume(
        () => 'ByocConnector',
        () => ({ TenantId: on.a }),
        { TransitiveTagKeys: ['TenantId'] },
      ),
      notTrusted,
    ],
  ])('is refused to be %s', async (_, who, call, decidedBy) => {
    await expectDenied(test, on.sessions[who], call, decidedBy);
  });

  it('with one tag twice, in two cases, is refused before anybody is asked', async () => {
    const { outcome, error } = await test.attempt(
      on.sessions.reader,
      assume(reader, () => ({ TenantId: on.a, tenantid: on.b, UserId: on.ana })),
    );
    expect([outcome, error?.name]).toEqual(['error', 'InvalidParameterValue']);
  });

  it('may become its own tenant’s user once, and reads that user’s secret then', async () => {
    const user = await assumeRole(test.clients(on.sessions.reader), {
      RoleArn: role('TenantReader'),
      RoleSessionName: `${on.a}.${on.ana}`,
      Tags: asTags({ TenantId: on.a, UserId: on.ana }),
    });
    await expectAllowed(
      test,
      user,
      read(() => on.secrets.ofAna.arn),
    );
    await expectDenied(
      test,
      user,
      read(() => on.secrets.ofAnaInB.arn),
      isolation('DenySecretsOfOtherPaths'),
    );
    await expectDenied(
      test,
      user,
      assume(reader, () => ({ TenantId: on.a, UserId: on.ben })),
      notTrusted,
    );
  });
});

describe('I3 a customer’s account', () => {
  it('opens its role to the connector of its own tenant and to no other’s', async () => {
    const [customer] = test.cloud.customers;
    if (customer === undefined) throw new Error('There is no customer.');
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }] };
    for (const tenantId of [on.a, on.b]) {
      const RoleName = `cordon.${tenantId}.x1`;
      await test.clients(customer).iam.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    }
    const take = (tenantId: string): Call => {
      const RoleArn = `arn:aws:iam::${customer.accountId}:role/cordon.${tenantId}.x1`;
      return ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'session' }));
    };
    const connector = await assumeRole(test.clients(on.sessions.reader), {
      RoleArn: role('ByocConnector'),
      RoleSessionName: on.a,
      Tags: asTags({ TenantId: on.a }),
    });
    await expectAllowed(test, connector, take(on.a));
    await expectDenied(test, connector, take(on.b), isolation('DenyRolesOfOthers'));
    await expectDenied(test, on.sessions.reader, take(on.b), isolation('DenyRolesOfOthers'));
  });
});

describe('I3 the end of a session', () => {
  it('is after fifteen minutes: its credentials are refused from then on, and a fresh session works', async () => {
    const { reader: old } = on.sessions;
    await expectAllowed(
      test,
      old,
      read(() => on.secrets.ofA.arn),
    );
    test.cloud.clock.advance(16 * 60_000);
    for (const call of [read(() => on.secrets.ofA.arn), ({ sts }) => sts.send(new GetCallerIdentityCommand({}))] satisfies Call[]) {
      const { outcome, error } = await test.attempt(old, call);
      expect([outcome, error?.name]).toEqual(['error', expect.stringMatching(/^ExpiredToken/)]);
    }
    await expectAllowed(
      test,
      await test.tenantSession(on.a),
      read(() => on.secrets.ofA.arn),
    );
  });
});
