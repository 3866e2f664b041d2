import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../local/core/clock.ts';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import {
  allow,
  assume,
  callerOf,
  customer,
  echoService,
  makeRole,
  makeUser,
  otherCustomer,
  platform,
  policy,
  startCloud,
  trust,
} from '../core/cloud.ts';

let kernel: LocalKernel;
let clock: Clock;
let admin: Caller;
const byPlatform = { AWS: `arn:aws:iam::${platform}:root` };
const tag = (Key: string, Value: string) => ({ Key, Value });
const denied = { code: 'AccessDenied', status: 403 };

beforeEach(() => {
  ({ kernel, clock, admin } = startCloud());
});

const answerTo = (caller: Caller, RoleArn: string, more: object = {}) =>
  kernel.call(caller, 'sts', 'AssumeRole', { RoleArn, RoleSessionName: 'session', ...more });

describe('AssumeRole: who may', () => {
  it('needs the trust policy: without its Allow an administrator is refused', async () => {
    const role = await makeRole(kernel, 'Elsewhere', trust({ AWS: `arn:aws:iam::${customer}:root` }));
    await expect(assume(kernel, admin, role)).rejects.toMatchObject(denied);
  });

  it('needs the identity policy too when the trust policy names only the account', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(assume(kernel, await makeUser(kernel, 'without', undefined), role)).rejects.toMatchObject(denied);
    await expect(assume(kernel, await makeUser(kernel, 'with', policy(allow('sts:AssumeRole', role))), role)).resolves.toBeDefined();
    const elsewhere = policy(allow('sts:AssumeRole', `${role}2`));
    await expect(assume(kernel, await makeUser(kernel, 'other', elsewhere), role)).rejects.toMatchObject(denied);
  });

  it('lets in whom the trust policy names, without an identity policy, in the same account', async () => {
    const user = await makeUser(kernel, 'named', undefined);
    const role = await makeRole(kernel, 'R', trust({ AWS: user.principal.arn }));
    await expect(assume(kernel, user, role)).resolves.toBeDefined();
    await expect(assume(kernel, await makeUser(kernel, 'unnamed', undefined), role)).rejects.toMatchObject(denied);
  });

  it('needs both sides across accounts', async () => {
    const inCustomer = await makeRole(kernel, 'Byoc', trust(byPlatform), undefined, {}, customer);
    const allowed = await makeUser(kernel, 'allowed', policy(allow('sts:AssumeRole', inCustomer)));
    const session = await assume(kernel, allowed, inCustomer);
    expect(session).toMatchObject({ accountId: customer, principal: { arn: `arn:aws:sts::${customer}:assumed-role/Byoc/session` } });
    await expect(assume(kernel, await makeUser(kernel, 'notAllowed', undefined), inCustomer)).rejects.toMatchObject(denied);
    const untrusting = await makeRole(kernel, 'Untrusting', trust({ AWS: `arn:aws:iam::${otherCustomer}:root` }), undefined, {}, customer);
    await expect(assume(kernel, admin, untrusting)).rejects.toMatchObject(denied);
    const named = await makeRole(kernel, 'Named', trust({ AWS: `arn:aws:iam::${platform}:user/notAllowed` }), undefined, {}, customer);
    const user = callerOf(kernel, [...kernel.identities.keys.values()].find((key) => key.user.name === 'notAllowed')?.accessKeyId ?? '');
    await expect(assume(kernel, user, named)).rejects.toMatchObject(denied);
  });

  it('does not tell a role that does not exist from one that is closed', async () => {
    const missing = `arn:aws:iam::${customer}:role/None`;
    await expect(answerTo(admin, missing)).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining(
        `User: arn:aws:iam::${platform}:user/admin is not authorized to perform: sts:AssumeRole on resource: ${missing}`,
      ),
    });
    await expect(answerTo(admin, 'arn:aws:iam::999999999999:role/None')).rejects.toMatchObject(denied);
    await makeRole(kernel, 'InPath', trust(byPlatform), undefined, { Path: '/cordon/' });
    await expect(answerTo(admin, `arn:aws:iam::${platform}:role/InPath`)).rejects.toMatchObject(denied);
  });

  it('refuses root, and a Deny in the trust policy wins', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(answerTo(kernel.rootCaller(platform), role)).rejects.toMatchObject(denied);
    const deny = {
      Sid: 'NotAdmin',
      Effect: 'Deny',
      Principal: '*',
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:username': 'admin' } },
    };
    const both = policy({ Effect: 'Allow', Principal: byPlatform, Action: 'sts:AssumeRole' }, deny);
    const closed = await makeRole(kernel, 'Closed', both);
    await expect(answerTo(admin, closed)).rejects.toMatchObject({ message: expect.stringContaining('Closed.trust/NotAdmin') });
  });

  it('lets a service in by its name only', async () => {
    const role = await makeRole(kernel, 'Function', trust({ Service: 'lambda.amazonaws.com' }));
    await expect(assume(kernel, kernel.serviceCaller('lambda.amazonaws.com', platform), role)).resolves.toBeDefined();
    await expect(assume(kernel, kernel.serviceCaller('events.amazonaws.com', platform), role)).rejects.toMatchObject(denied);
    await expect(assume(kernel, admin, role)).rejects.toMatchObject(denied);
  });

  it('does not let a role assume itself unless its trust policy says so', async () => {
    const role = await makeRole(kernel, 'Self', trust({ AWS: `arn:aws:iam::${platform}:user/admin` }), policy(allow('*')));
    const session = await assume(kernel, admin, role);
    await expect(assume(kernel, session, role)).rejects.toMatchObject(denied);
  });

  it('tests the external ID: right, wrong and missing', async () => {
    const document = trust(byPlatform, { Condition: { StringEquals: { 'sts:ExternalId': 'id-1234' } } });
    const role = await makeRole(kernel, 'Byoc', document, undefined, {}, customer);
    await expect(assume(kernel, admin, role, { ExternalId: 'id-1234' })).resolves.toBeDefined();
    await expect(assume(kernel, admin, role, { ExternalId: 'id-12345' })).rejects.toMatchObject(denied);
    await expect(assume(kernel, admin, role)).rejects.toMatchObject(denied);
  });

  it('tests session name and role tags', async () => {
    const condition = {
      StringLike: { 'sts:RoleSessionName': 'acme.*' },
      StringEquals: { 'aws:ResourceTag/Tier': 'pool', 'iam:ResourceTag/Tier': 'pool' },
    };
    const role = await makeRole(kernel, 'R', trust(byPlatform, { Condition: condition }), undefined, { Tags: [tag('Tier', 'pool')] });
    await expect(answerTo(admin, role, { RoleSessionName: 'acme.user' })).resolves.toBeDefined();
    await expect(answerTo(admin, role, { RoleSessionName: 'acme-2.user' })).rejects.toMatchObject(denied);
  });

  it('trusts a role by its unique ID: one made again under its name is not trusted', async () => {
    const connector = await makeRole(kernel, 'Connector', trust(byPlatform), policy(allow('sts:AssumeRole')));
    const inCustomer = await makeRole(kernel, 'Byoc', trust({ AWS: connector }), undefined, {}, customer);
    await expect(assume(kernel, await assume(kernel, admin, connector), inCustomer)).resolves.toBeDefined();
    const root = kernel.rootCaller(platform);
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName: 'Connector', PolicyName: 'Own' });
    await kernel.call(root, 'iam', 'DeleteRole', { RoleName: 'Connector' });
    await makeRole(kernel, 'Connector', trust(byPlatform), policy(allow('sts:AssumeRole')));
    await expect(assume(kernel, await assume(kernel, admin, connector), inCustomer)).rejects.toMatchObject(denied);
  });
});

describe('AssumeRole: session tags', () => {
  const tenantTrust = () =>
    trust(byPlatform, {
      Condition: {
        StringLike: { 'aws:RequestTag/TenantId': '?*' },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId', 'UserId'] },
      },
    });

  it("become principal tags, over the role's own whatever their case", async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform), undefined, { Tags: [tag('tenantid', 'role'), tag('Tier', 'pool')] });
    expect((await assume(kernel, admin, role, { Tags: [tag('TenantId', 'acme')] })).tags).toEqual({ TenantId: 'acme', Tier: 'pool' });
    expect((await assume(kernel, admin, role)).tags).toEqual({ tenantid: 'role', Tier: 'pool' });
  });

  it('need sts:TagSession on both sides', async () => {
    const untagged = await makeRole(kernel, 'Untagged', trust(byPlatform, {}, ['sts:AssumeRole']));
    await expect(assume(kernel, admin, untagged)).resolves.toBeDefined();
    await expect(answerTo(admin, untagged, { Tags: [tag('TenantId', 'acme')] })).rejects.toMatchObject({
      message: expect.stringContaining('sts:TagSession'),
    });
    const role = await makeRole(kernel, 'Tagged', trust(byPlatform));
    const user = await makeUser(kernel, 'u', policy(allow('sts:AssumeRole')));
    await expect(answerTo(user, role, { Tags: [tag('TenantId', 'acme')] })).rejects.toMatchObject({
      message: expect.stringContaining('sts:TagSession'),
    });
  });

  it('are tested by the trust policy: required, not empty, no others', async () => {
    const role = await makeRole(kernel, 'TenantReader', tenantTrust());
    await expect(assume(kernel, admin, role, { Tags: [tag('TenantId', 'acme')] })).resolves.toBeDefined();
    await expect(assume(kernel, admin, role, { Tags: [tag('TenantId', 'acme'), tag('UserId', 'u')] })).resolves.toBeDefined();
    await expect(answerTo(admin, role)).rejects.toMatchObject(denied);
    await expect(answerTo(admin, role, { Tags: [tag('TenantId', '')] })).rejects.toMatchObject(denied);
    await expect(answerTo(admin, role, { Tags: [tag('TenantId', 'acme'), tag('Admin', 'yes')] })).rejects.toMatchObject(denied);
  });

  it('that are transitive are inherited along the chain and need TagSession there; the others are not', async () => {
    const first = await makeRole(kernel, 'First', trust(byPlatform), policy(allow('sts:*')));
    const second = await makeRole(kernel, 'Second', trust(byPlatform), policy(allow('sts:*')));
    const third = await makeRole(kernel, 'Third', trust(byPlatform, {}, ['sts:AssumeRole']));
    const session = await assume(kernel, admin, first, {
      Tags: [tag('TenantId', 'acme'), tag('UserId', 'u')],
      TransitiveTagKeys: ['tenantid'],
    });
    const chained = await assume(kernel, session, second, { Tags: [tag('UserId', 'v')] });
    expect(chained.tags).toEqual({ TenantId: 'acme', UserId: 'v' });
    await expect(answerTo(chained, third)).rejects.toMatchObject({ message: expect.stringContaining('sts:TagSession') });
    for (const key of ['TenantId', 'TENANTID']) {
      await expect(answerTo(session, second, { Tags: [tag(key, 'globex')] })).rejects.toMatchObject({ code: 'InvalidParameterValue' });
    }
  });

  it('that are transitive are named to the trust policy', async () => {
    const condition = { Condition: { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['UserId'] } } };
    const role = await makeRole(kernel, 'R', trust(byPlatform, condition));
    const tags = { Tags: [tag('TenantId', 'acme'), tag('UserId', 'u')] };
    await expect(answerTo(admin, role, { ...tags, TransitiveTagKeys: ['UserId'] })).resolves.toBeDefined();
    await expect(answerTo(admin, role, { ...tags, TransitiveTagKeys: ['TenantId'] })).rejects.toMatchObject(denied);
  });

  it.each([
    ['51 tags', { Tags: Array.from({ length: 51 }, (_, index) => tag(`k${index}`, 'v')) }, 'ValidationError'],
    ['a key of 129 characters', { Tags: [tag('k'.repeat(129), 'v')] }, 'ValidationError'],
    ['a value of 257 characters', { Tags: [tag('k', 'v'.repeat(257))] }, 'ValidationError'],
    ['an empty key', { Tags: [tag('', 'v')] }, 'ValidationError'],
    ['a value with forbidden characters', { Tags: [tag('k', 'a*b')] }, 'ValidationError'],
    ['two keys that differ in case', { Tags: [tag('TenantId', 'a'), tag('tenantid', 'b')] }, 'InvalidParameterValue'],
    ['a reserved key', { Tags: [tag('aws:x', 'a')] }, 'InvalidParameterValue'],
    ['a transitive key that is not passed', { Tags: [tag('a', 'b')], TransitiveTagKeys: ['c'] }, 'InvalidParameterValue'],
    ['more than fits', { Tags: Array.from({ length: 20 }, (_, index) => tag(`k${index}`, 'v'.repeat(256))) }, 'PackedPolicyTooLarge'],
  ])('are refused with %s', async (_, input, code) => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(answerTo(admin, role, input)).rejects.toMatchObject({ code });
  });
});

describe('AssumeRole: session policies', () => {
  const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:s-AbCdEf';
  const read = (caller: Caller) => kernel.call(caller, 'secretsmanager', 'GetSecretValue', { SecretId: secret });

  it('only take away', async () => {
    kernel.register(echoService());
    const may = await makeRole(kernel, 'May', trust(byPlatform), policy(allow('secretsmanager:*')));
    const mayNot = await makeRole(kernel, 'MayNot', trust(byPlatform), policy(allow('kms:*')));
    await expect(read(await assume(kernel, admin, may, { Policy: policy(allow('*')) }))).resolves.toBeDefined();
    await expect(read(await assume(kernel, admin, may, { Policy: policy(allow('kms:*')) }))).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    await expect(read(await assume(kernel, admin, mayNot, { Policy: policy(allow('*')) }))).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  it("can be managed ones of the role's account", async () => {
    kernel.register(echoService());
    const root = kernel.rootCaller(platform);
    await kernel.call(root, 'iam', 'CreatePolicy', { PolicyName: 'KmsOnly', PolicyDocument: policy(allow('kms:*')) });
    await kernel.call(kernel.rootCaller(customer), 'iam', 'CreatePolicy', {
      PolicyName: 'KmsOnly',
      PolicyDocument: policy(allow('kms:*')),
    });
    const role = await makeRole(kernel, 'R', trust(byPlatform), policy(allow('*')));
    const arn = `arn:aws:iam::${platform}:policy/KmsOnly`;
    await expect(read(await assume(kernel, admin, role, { PolicyArns: [{ arn }] }))).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    await expect(answerTo(admin, role, { PolicyArns: [{ arn: `arn:aws:iam::${customer}:policy/KmsOnly` }] })).rejects.toMatchObject({
      code: 'NoSuchEntity',
    });
  });

  it('are refused when malformed or too long', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(answerTo(admin, role, { Policy: '{' })).rejects.toMatchObject({ code: 'MalformedPolicyDocument' });
    await expect(answerTo(admin, role, { Policy: policy(allow('s3:NoSuchThing:*')) })).rejects.toMatchObject({
      code: 'MalformedPolicyDocument',
    });
    const long = policy(
      allow(
        'kms:*',
        Array.from({ length: 60 }, (_, index) => `arn:aws:kms:us-east-1:111122223333:key/${index}`),
      ),
    );
    await expect(answerTo(admin, role, { Policy: long })).rejects.toMatchObject({ code: 'ValidationError' });
  });
});

describe('AssumeRole: source identity', () => {
  const withSource = (condition: object = {}) =>
    trust(byPlatform, condition, ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']);

  it('needs sts:SetSourceIdentity, goes on along the chain, and cannot be changed', async () => {
    const plain = await makeRole(kernel, 'Plain', trust(byPlatform));
    await expect(answerTo(admin, plain, { SourceIdentity: 'alice' })).rejects.toMatchObject({
      message: expect.stringContaining('sts:SetSourceIdentity'),
    });
    const role = await makeRole(kernel, 'R', withSource(), policy(allow('sts:*')));
    const session = await assume(kernel, admin, role, { SourceIdentity: 'alice' });
    await expect(answerTo(session, plain)).rejects.toMatchObject({ message: expect.stringContaining('sts:SetSourceIdentity') });
    const onlyAlice = withSource({ Condition: { StringEquals: { 'sts:SourceIdentity': 'alice', 'aws:SourceIdentity': 'alice' } } });
    const next = await makeRole(kernel, 'Next', onlyAlice);
    await expect(answerTo(session, next)).resolves.toMatchObject({ SourceIdentity: 'alice' });
    const open = await makeRole(kernel, 'Open', withSource());
    await expect(answerTo(session, open, { SourceIdentity: 'bob' })).rejects.toMatchObject(denied);
  });
});

describe('AssumeRole: how long, and under which name', () => {
  it('lasts an hour by default and then is nobody', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    const { Credentials } = await answerTo(admin, role);
    const { AccessKeyId, Expiration } = Object(Credentials);
    expect(Expiration.getTime() - clock.now()).toBeGreaterThan(3_590_000);
    clock.advance(3_600_001);
    expect(kernel.callerOf(AccessKeyId)).toBeUndefined();
    expect(kernel.secretOf(AccessKeyId)).toMatchObject({ expiresAt: Expiration.getTime() });
  });

  it('is limited by the role, and to an hour in a chain', async () => {
    const short = await makeRole(kernel, 'Short', trust(byPlatform), policy(allow('sts:*')));
    await expect(answerTo(admin, short, { DurationSeconds: 3601 })).rejects.toMatchObject({ code: 'ValidationError' });
    const long = await makeRole(kernel, 'Long', trust(byPlatform), undefined, { MaxSessionDuration: 43_200 });
    await expect(answerTo(admin, long, { DurationSeconds: 43_200 })).resolves.toBeDefined();
    const session = await assume(kernel, admin, short);
    await expect(answerTo(session, long, { DurationSeconds: 3600 })).resolves.toBeDefined();
    await expect(answerTo(session, long, { DurationSeconds: 3601 })).rejects.toMatchObject({
      message: expect.stringContaining('role chaining'),
    });
  });

  it.each([
    ['899 seconds', { DurationSeconds: 899 }],
    ['a session name with a slash', { RoleSessionName: 'a/b' }],
    ['a session name of 65 characters', { RoleSessionName: 'a'.repeat(65) }],
    ['a session name of one character', { RoleSessionName: 'a' }],
    ['no session name', { RoleSessionName: undefined }],
    ['an external ID of one character', { ExternalId: 'x' }],
    ["a source identity of AWS's own", { SourceIdentity: 'aws:x' }],
  ])('is refused with %s', async (_, input) => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(answerTo(admin, role, input)).rejects.toMatchObject({ code: 'ValidationError' });
  });

  it('names a parameter it does not know', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(answerTo(admin, role, { SerialNumber: 'x' })).rejects.toMatchObject({
      code: 'NotImplemented',
      message: expect.stringContaining('SerialNumber'),
    });
  });

  it('forgets sessions a day after they ended', async () => {
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    const old = await assume(kernel, admin, role);
    clock.advance(26 * 3_600_000);
    await assume(kernel, admin, role);
    expect(kernel.secretOf(old.accessKeyId)).toBeUndefined();
  });
});

describe('the other operations of STS', () => {
  it('GetCallerIdentity answers everybody, even under a Deny', async () => {
    const user = await makeUser(kernel, 'denied', policy({ Effect: 'Deny', Action: '*', Resource: '*' }));
    await expect(kernel.call(user, 'sts', 'GetCallerIdentity', {})).resolves.toMatchObject({ Account: platform, Arn: user.principal.arn });
    const role = await makeRole(kernel, 'R', trust(byPlatform));
    await expect(kernel.call(await assume(kernel, admin, role), 'sts', 'GetCallerIdentity', {})).resolves.toEqual({
      UserId: expect.stringMatching(/^AROA[A-Z2-7]{17}:session$/),
      Account: platform,
      Arn: `arn:aws:sts::${platform}:assumed-role/R/session`,
    });
  });

  it.each(['GetSessionToken', 'AssumeRoleWithWebIdentity', 'GetFederationToken'])(
    '%s is not implemented, and says so',
    async (operation) => {
      await expect(kernel.call(admin, 'sts', operation, {})).rejects.toMatchObject({ code: 'NotImplemented', status: 501 });
    },
  );
});
