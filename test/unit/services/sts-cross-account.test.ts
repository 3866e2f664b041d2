import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { startServer } from '../../../local/core/server.ts';
import type { Caller } from '../../../local/core/service.ts';
import {
  allow,
  assume,
  customer,
  echoService,
  makeRole,
  otherCustomer,
  platform,
  policy,
  startCloud,
  stringIn,
  trust,
} from '../core/cloud.ts';

const externalId = 'cordon-abc234';
const platformRoot = { AWS: `arn:aws:iam::${platform}:root` };
const connectorArn = `arn:aws:iam::${platform}:role/cordon/ByocConnector`;
const isConnector = { ArnEquals: { 'aws:PrincipalArn': connectorArn } };
const denied = { code: 'AccessDenied', status: 403 };

let kernel: LocalKernel;
let admin: Caller;
let connector: Caller;
let probe: Caller;
beforeEach(async () => {
  ({ kernel, admin } = startCloud());
  const mayAssume = policy(allow('sts:AssumeRole', 'arn:aws:iam::*:role/cordon.*'));
  const sessionOf = async (RoleName: string): Promise<Caller> =>
    assume(kernel, admin, await makeRole(kernel, RoleName, trust(platformRoot), mayAssume, { Path: '/cordon/' }));
  connector = await sessionOf('ByocConnector');
  probe = await sessionOf('ByocProbe');
});

const customerRole = (condition: object | undefined, principal: object | string = platformRoot): Promise<string> =>
  makeRole(
    kernel,
    'cordon.acme.x',
    trust(principal, condition && { Condition: condition }, ['sts:AssumeRole']),
    policy(allow('*')),
    {},
    customer,
  );
const outcome = (caller: Caller, role: string, ExternalId?: string): Promise<string> =>
  assume(kernel, caller, role, ExternalId === undefined ? {} : { ExternalId }).then(
    () => 'in',
    (error: { code: string }) => error.code,
  );

/** What each trust answers to: the right ID, none, a wrong one, and the right one from a second principal of the platform. */
const trusts: readonly [string, condition: object | undefined, right: string, none: string, wrong: string, second: string][] = [
  ['both conditions', { StringEquals: { 'sts:ExternalId': externalId }, ...isConnector }, 'in', 'no', 'no', 'no'],
  ['no condition', undefined, 'in', 'in', 'in', 'in'],
  ['only the external ID', { StringEquals: { 'sts:ExternalId': externalId } }, 'in', 'no', 'no', 'in'],
  ['only the principal', isConnector, 'in', 'in', 'in', 'no'],
  ['ArnLike on the principal', { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${platform}:role/cordon/*` } }, 'in', 'in', 'in', 'in'],
  ['any external ID', { StringLike: { 'sts:ExternalId': '*' } }, 'in', 'no', 'in', 'in'],
  ['a prefix of the external ID', { StringLike: { 'sts:ExternalId': 'cordon-*' } }, 'in', 'no', 'in', 'in'],
  ['a wildcard taken literally', { StringEquals: { 'sts:ExternalId': 'cordon-*' } }, 'no', 'no', 'no', 'no'],
  ['the external ID if there is one', { StringEqualsIfExists: { 'sts:ExternalId': externalId } }, 'in', 'in', 'no', 'in'],
  ['all of no external IDs', { 'ForAllValues:StringEquals': { 'sts:ExternalId': externalId } }, 'in', 'in', 'no', 'in'],
  ['any of several external IDs', { 'ForAnyValue:StringLike': { 'sts:ExternalId': [externalId, 'cordon-*'] } }, 'in', 'no', 'in', 'in'],
  ['any of one external ID', { 'ForAnyValue:StringEquals': { 'sts:ExternalId': externalId } }, 'in', 'no', 'no', 'in'],
  ['any if there is one', { 'ForAnyValue:StringEqualsIfExists': { 'sts:ExternalId': externalId } }, 'in', 'in', 'no', 'in'],
  ['all but one external ID', { StringNotEquals: { 'sts:ExternalId': 'cordon-of-others' } }, 'in', 'in', 'in', 'in'],
  ['an external ID in another case', { StringEquals: { 'sts:ExternalId': externalId.toUpperCase() } }, 'no', 'no', 'no', 'no'],
  ['an external ID in any case', { StringEqualsIgnoreCase: { 'STS:externalid': externalId.toUpperCase() } }, 'in', 'no', 'no', 'in'],
  ['that there is an external ID', { Null: { 'sts:ExternalId': 'false' } }, 'in', 'no', 'in', 'in'],
  ['another tenant’s external ID', { StringEquals: { 'sts:ExternalId': 'cordon-of-others' } }, 'no', 'no', 'no', 'no'],
];

describe('a role of another account', () => {
  it.each(trusts)('that demands %s', async (_, condition, right, none, wrong, second) => {
    const role = await customerRole(condition);
    const answers = [
      await outcome(connector, role, externalId),
      await outcome(connector, role),
      await outcome(connector, role, 'cordon-xyz765'),
      await outcome(probe, role, externalId),
    ];
    expect(answers).toEqual([right, none, wrong, second].map((answer) => (answer === 'in' ? 'in' : 'AccessDenied')));
  });

  it.each([
    ['everyone', '*'],
    ['every AWS principal', { AWS: '*' }],
  ])('that trusts %s lets in whoever may assume it, of any account', async (_, principal) => {
    const role = await customerRole(undefined, principal);
    expect([await outcome(connector, role), await outcome(probe, role)]).toEqual(['in', 'in']);
    const stranger = kernel.callerOf(kernel.addAccount(otherCustomer).accessKeyId) ?? admin;
    expect(await outcome(stranger, role)).toBe('in');
    const without = await makeRole(kernel, 'Without', trust(platformRoot));
    expect(await outcome(await assume(kernel, admin, without), role)).toBe('AccessDenied');
  });

  it('that names the connector itself does not know it once it was made again', async () => {
    const role = await customerRole(undefined, { AWS: connectorArn });
    expect(await outcome(connector, role)).toBe('in');
    const root = kernel.rootCaller(platform);
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName: 'ByocConnector', PolicyName: 'Own' });
    await kernel.call(root, 'iam', 'DeleteRole', { RoleName: 'ByocConnector' });
    const again = await makeRole(kernel, 'ByocConnector', trust(platformRoot), policy(allow('sts:AssumeRole')), { Path: '/cordon/' });
    expect(await outcome(await assume(kernel, admin, again), role)).toBe('AccessDenied');
  });

  it('is refused beside the name that the caller may assume, however open it is', async () => {
    const open = await makeRole(kernel, 'Elsewhere', trust('*'), policy(allow('*')), {}, customer);
    expect(await outcome(connector, open)).toBe('AccessDenied');
  });

  it('that is not there, in an account that is not there, or under a path, is refused alike', async () => {
    await customerRole(undefined);
    for (const missing of [
      `arn:aws:iam::${customer}:role/cordon.acme.y`,
      `arn:aws:iam::${otherCustomer}:role/cordon.acme.x`,
      'arn:aws:iam::999999999999:role/cordon.acme.x',
      `arn:aws:iam::${customer}:role/path/cordon.acme.x`,
    ])
      expect(await outcome(admin, missing), missing).toBe('AccessDenied');
  });

  it('has another unique ID after it was made again, and sessions of the old one can do nothing', async () => {
    const idOf = async (role: string): Promise<string> => {
      const { AssumedRoleUser } = await kernel.call(connector, 'sts', 'AssumeRole', { RoleArn: role, RoleSessionName: 'acme' });
      return stringIn(AssumedRoleUser, 'AssumedRoleId');
    };
    const role = await customerRole(isConnector);
    const before = await idOf(role);
    const session = await assume(kernel, connector, role);
    const root = kernel.rootCaller(customer);
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName: 'cordon.acme.x', PolicyName: 'Own' });
    await kernel.call(root, 'iam', 'DeleteRole', { RoleName: 'cordon.acme.x' });
    expect(await outcome(connector, role)).toBe('AccessDenied');
    expect(await customerRole(isConnector)).toBe(role);
    expect(before).toMatch(/^AROA[A-Z0-9]{17}:acme$/);
    expect(await idOf(role)).not.toBe(before);
    await expect(kernel.call(session, 'iam', 'ListRoles', {})).rejects.toMatchObject(denied);
  });

  it('obeys its trust as it is now', async () => {
    const role = await customerRole({ StringEquals: { 'sts:ExternalId': externalId }, ...isConnector });
    const root = kernel.rootCaller(customer);
    const PolicyDocument = trust(platformRoot);
    await kernel.call(root, 'iam', 'UpdateAssumeRolePolicy', { RoleName: 'cordon.acme.x', PolicyDocument });
    expect([await outcome(connector, role), await outcome(probe, role)]).toEqual(['in', 'in']);
  });

  it('can be narrowed by the call, never widened', async () => {
    kernel.register(echoService());
    const arn = (name: string) => `arn:aws:secretsmanager:us-east-1:${customer}:secret:${name}`;
    const role = await makeRole(kernel, 'cordon.acme.x', trust(platformRoot), policy(allow('secretsmanager:*', arn('a'))), {}, customer);
    const read = async (Policy: string | undefined, name: string): Promise<unknown> => {
      const session = await assume(kernel, connector, role, Policy === undefined ? {} : { Policy });
      return kernel.call(session, 'secretsmanager', 'GetSecretValue', { SecretId: arn(name) });
    };
    const deniedRead = { code: 'AccessDeniedException' };
    await expect(read(undefined, 'a')).resolves.toMatchObject({ ARN: arn('a') });
    await expect(read(policy(allow('secretsmanager:GetSecretValue', '*')), 'a')).resolves.toMatchObject({ ARN: arn('a') });
    await expect(read(policy(allow('secretsmanager:PutSecretValue', '*')), 'a')).rejects.toMatchObject(deniedRead);
    await expect(read(policy(allow('*')), 'b')).rejects.toMatchObject(deniedRead);
  });

  it('is assumed without tags, and with them only if its trust says so', async () => {
    const role = await customerRole(isConnector);
    const Tags = [{ Key: 'TenantId', Value: 'acme' }];
    await expect(assume(kernel, connector, role, { Tags })).rejects.toMatchObject(denied);
  });

  it('refuses a session whose tag goes on along the chain, unless its trust says so', async () => {
    const name = 'arn:aws:iam::*:role/cordon.*';
    const tagged = await makeRole(kernel, 'Tagged', trust(platformRoot), policy(allow(['sts:AssumeRole', 'sts:TagSession'], name)));
    const Tags = [{ Key: 'TenantId', Value: 'acme' }];
    const role = await customerRole(undefined);
    await expect(assume(kernel, await assume(kernel, admin, tagged, { Tags }), role)).resolves.toBeDefined();
    const chained = await assume(kernel, admin, tagged, { Tags, TransitiveTagKeys: ['TenantId'] });
    await expect(assume(kernel, chained, role)).rejects.toMatchObject(denied);
  });
});

describe('STS at its endpoint in another Region', () => {
  const client = (endpoint: string, region: string): STSClient =>
    new STSClient({ endpoint, region, credentials: kernel.addAccount(platform), maxAttempts: 1 });

  it('answers with the same roles and sessions, and tells policies which Region was asked', async () => {
    const server = await startServer(kernel, { port: 0 });
    const condition = { StringEquals: { 'aws:RequestedRegion': 'eu-central-1' } };
    const role = await customerRole(condition);
    try {
      const ask = (region: string) =>
        client(server.endpoint, region).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'acme' }));
      const { Credentials } = await ask('eu-central-1');
      await expect(ask('us-east-1')).rejects.toMatchObject({ name: 'AccessDenied' });
      const credentials = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      };
      const elsewhere = new STSClient({ endpoint: server.endpoint, region: 'ap-southeast-2', credentials, maxAttempts: 1 });
      expect(await elsewhere.send(new GetCallerIdentityCommand())).toMatchObject({ Account: customer });
      await expect(client(server.endpoint, 'mars-1').send(new GetCallerIdentityCommand())).rejects.toMatchObject({
        name: 'SignatureDoesNotMatch',
      });
    } finally {
      await server.close();
    }
  });

  it('can be throttled: an answer that is no refusal', async () => {
    const server = await startServer(kernel, { port: 0 });
    const role = await customerRole(undefined);
    try {
      const ask = () => client(server.endpoint, 'us-east-1').send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'acme' }));
      kernel.faults.add({ service: 'sts', action: 'AssumeRole', nth: 2, mode: 'before', code: 'Throttling' });
      await ask();
      const sessions = kernel.identities.sessions.size;
      await expect(ask()).rejects.toMatchObject({ name: 'Throttling', message: 'Rate exceeded', $metadata: { httpStatusCode: 400 } });
      expect(kernel.identities.sessions.size).toBe(sessions);
      await ask();
      kernel.faults.add({ service: 'sts', action: 'AssumeRole', nth: 1, mode: 'before', code: 'ServiceUnavailable', status: 503 });
      await expect(ask()).rejects.toMatchObject({ name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } });
    } finally {
      await server.close();
    }
  });
});
