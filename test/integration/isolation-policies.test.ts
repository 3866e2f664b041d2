import * as iam from '@aws-sdk/client-iam';
import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { beforeAll, describe, it } from 'vitest';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { assumeRole, credentialsOf, type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

let test: TestCloud;
let on: Neighbours;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
});

const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
const policy = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:policy/cordon/${name}`;
const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const read = (SecretId: () => string): Call => {
  return ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId: SecretId() }));
};

describe('I3 session policies', () => {
  const everything = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }],
  });
  const limited = async (Policy: string, more: Partial<AssumeRoleCommandInput> = {}): Promise<AwsCredentials> =>
    assumeRole(test.clients(await credentialsOf(test, 'sessions')), {
      RoleArn: role('TenantReader'),
      RoleSessionName: `${on.a}-limited`,
      Tags: asTags({ TenantId: on.a }),
      Policy,
      ...more,
    });

  it('that allow everything add nothing to what the role may', async () => {
    const session = await limited(everything, { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AdministratorAccess' }] });
    await expectAllowed(
      test,
      session,
      read(() => on.secrets.ofA.arn),
    );
    await expectDenied(
      test,
      session,
      read(() => on.secrets.ofB.arn),
      isolation('DenySecretsOfOtherPaths'),
    );
    await expectDenied(test, session, ({ iam: c }) => c.send(new iam.CreateUserCommand({ UserName: 'mine' })), notGranted);
  });

  it('that allow less take away the rest', async () => {
    const describeOnly = everything.replace('"*"', '"secretsmanager:DescribeSecret"');
    const session = await limited(describeOnly);
    await expectAllowed(test, session, ({ secretsmanager: c }) => c.send(new DescribeSecretCommand({ SecretId: on.secrets.ofA.arn })));
    await expectDenied(
      test,
      session,
      read(() => on.secrets.ofA.arn),
      /^no session policy allows it/,
    );
  });
});

describe('I3 the policies themselves', () => {
  const open = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
  const changes: [string, Call][] = [
    [
      'attach another policy',
      ({ iam: c }) =>
        c.send(new iam.AttachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' })),
    ],
    [
      'write one into its role',
      ({ iam: c }) => c.send(new iam.PutRolePolicyCommand({ RoleName: 'TenantReader', PolicyName: 'more', PolicyDocument: open })),
    ],
    [
      'detach the isolation',
      ({ iam: c }) => c.send(new iam.DetachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: policy('TenantIsolation') })),
    ],
    [
      'write another version of it',
      ({ iam: c }) =>
        c.send(new iam.CreatePolicyVersionCommand({ PolicyArn: policy('TenantIsolation'), PolicyDocument: open, SetAsDefault: true })),
    ],
    ['drop its boundary', ({ iam: c }) => c.send(new iam.DeleteRolePermissionsBoundaryCommand({ RoleName: 'TenantReader' }))],
    ['open its trust', ({ iam: c }) => c.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName: 'TenantReader', PolicyDocument: open }))],
    ['tag its role', ({ iam: c }) => c.send(new iam.TagRoleCommand({ RoleName: 'TenantReader', Tags: asTags({ TenantId: on.b }) }))],
    [
      'make a role',
      ({ iam: c }) =>
        c.send(new iam.CreateRoleCommand({ RoleName: `TenantAgent-${on.b}`, Path: '/cordon/', AssumeRolePolicyDocument: open })),
    ],
    ['make a user', ({ iam: c }) => c.send(new iam.CreateUserCommand({ UserName: 'mine' }))],
    ['make a key for the operator', ({ iam: c }) => c.send(new iam.CreateAccessKeyCommand({ UserName: 'operator' }))],
  ];
  it.each(changes)('are beyond a session’s reach that would %s', async (_, call) => {
    for (const who of ['reader', 'writer'] as const) await expectDenied(test, on.sessions[who], call, notGranted);
  });

  it('hold by the boundary alone when an administrator detaches the isolation and attaches everything', async () => {
    const { iam: c } = test.clients(on.administrator);
    const attached = { RoleName: 'TenantReader', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' };
    await c.send(new iam.DetachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: policy('TenantIsolation') }));
    await c.send(new iam.AttachRolePolicyCommand(attached));
    try {
      await expectDenied(
        test,
        on.sessions.reader,
        read(() => on.secrets.ofB.arn),
        'TenantBoundary/DenySecretsOfOtherPaths',
      );
      await expectDenied(
        test,
        on.sessions.reader,
        ({ iam: own }) => own.send(new iam.CreateUserCommand({ UserName: 'mine' })),
        /^the permissions boundary TenantBoundary does not allow it/,
      );
      await expectAllowed(
        test,
        on.sessions.reader,
        read(() => on.secrets.ofA.arn),
      );
    } finally {
      await c.send(new iam.DetachRolePolicyCommand(attached));
      await c.send(new iam.AttachRolePolicyCommand({ RoleName: 'TenantReader', PolicyArn: policy('TenantIsolation') }));
    }
    await expectDenied(
      test,
      on.sessions.reader,
      read(() => on.secrets.ofB.arn),
      isolation('DenySecretsOfOtherPaths'),
    );
  });
});
