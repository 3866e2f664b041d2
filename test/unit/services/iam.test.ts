import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { allow, assume, customer, makeRole, makeUser, platform, policy, startCloud, stringIn, trust } from '../core/cloud.ts';

let kernel: LocalKernel;
let root: Caller;
let admin: Caller;
const open = trust({ AWS: platform });
const arnOf = (kind: string, name: string, accountId = platform) => `arn:aws:iam::${accountId}:${kind}/${name}`;
const tag = (Key: string, Value: string) => ({ Key, Value });
const denied = { code: 'AccessDenied', status: 403 };

beforeEach(() => {
  ({ kernel, root, admin } = startCloud());
});

const iam = (operation: string, input: object, caller = root) => kernel.call(caller, 'iam', operation, input);
const createRole = (RoleName: string, more: object = {}, caller = root) =>
  iam('CreateRole', { RoleName, AssumeRolePolicyDocument: open, ...more }, caller);
const createPolicy = async (PolicyName: string, document = policy(allow('kms:*')), more: object = {}) =>
  stringIn((await iam('CreatePolicy', { PolicyName, PolicyDocument: document, ...more })).Policy, 'Arn');
const trustOf = async (RoleName: string) =>
  JSON.parse(decodeURIComponent(stringIn((await iam('GetRole', { RoleName })).Role, 'AssumeRolePolicyDocument')));
const decoded = (value: unknown, name: string): unknown => JSON.parse(decodeURIComponent(stringIn(value, name)));

describe('roles', () => {
  it('are made, shown, changed and deleted', async () => {
    const made = await createRole('R', { Path: '/cordon/', Description: 'd', MaxSessionDuration: '7200', Tags: [tag('TenantId', 'acme')] });
    expect(made.Role).toMatchObject({
      Arn: arnOf('role', 'cordon/R'),
      Path: '/cordon/',
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{17}$/),
      MaxSessionDuration: 7200,
      Tags: [tag('TenantId', 'acme')],
    });
    await iam('UpdateRole', { RoleName: 'R', Description: 'e', MaxSessionDuration: 3600 });
    await expect(iam('GetRole', { RoleName: 'r' })).resolves.toMatchObject({ Role: { Description: 'e', MaxSessionDuration: 3600 } });
    await iam('DeleteRole', { RoleName: 'R' });
    await expect(iam('GetRole', { RoleName: 'R' })).rejects.toMatchObject({ code: 'NoSuchEntity', status: 404 });
  });

  it('have names that are unique without regard to case and path', async () => {
    await createRole('R');
    await expect(createRole('r', { Path: '/x/' })).rejects.toMatchObject({ code: 'EntityAlreadyExists', status: 409 });
  });

  it('are not deleted while policies hang on them', async () => {
    await createRole('R');
    await iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'P', PolicyDocument: policy(allow('*')) });
    await expect(iam('DeleteRole', { RoleName: 'R' })).rejects.toMatchObject({ code: 'DeleteConflict' });
    await iam('DeleteRolePolicy', { RoleName: 'R', PolicyName: 'P' });
    const PolicyArn = await createPolicy('M');
    await iam('AttachRolePolicy', { RoleName: 'R', PolicyArn });
    await expect(iam('DeleteRole', { RoleName: 'R' })).rejects.toMatchObject({ code: 'DeleteConflict' });
    await iam('DetachRolePolicy', { RoleName: 'R', PolicyArn });
    await expect(iam('DeleteRole', { RoleName: 'R' })).resolves.toEqual({});
  });

  it('are listed by path and page by page', async () => {
    for (const name of ['c', 'a', 'b']) await createRole(name, { Path: '/cordon/' });
    await createRole('elsewhere');
    const names: string[] = [];
    let Marker: unknown;
    do {
      const answer = await iam('ListRoles', { PathPrefix: '/cordon/', MaxItems: 2, ...(Marker === undefined ? {} : { Marker }) });
      names.push(...Object(answer.Roles).map((role: object) => stringIn(role, 'RoleName')));
      expect(answer.IsTruncated).toBe(answer.Marker !== undefined);
      Marker = answer.Marker;
    } while (Marker !== undefined);
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it("are the account's own", async () => {
    await createRole('R', {}, kernel.rootCaller(customer));
    await expect(iam('GetRole', { RoleName: 'R' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    await expect(iam('GetRole', { RoleName: 'R' }, kernel.rootCaller(customer))).resolves.toMatchObject({
      Role: { Arn: arnOf('role', 'R', customer) },
    });
  });

  it.each([
    ['a name with a slash', { RoleName: 'a/b' }, 'ValidationError'],
    ['a name of 65 characters', { RoleName: 'a'.repeat(65) }, 'ValidationError'],
    ['a path without its last slash', { Path: '/cordon' }, 'ValidationError'],
    ['12 hours and a second', { MaxSessionDuration: 43_201 }, 'ValidationError'],
    ['a boundary that does not exist', { PermissionsBoundary: arnOf('policy', 'None') }, 'NoSuchEntity'],
    ['tags that differ in case only', { Tags: [tag('a', '1'), tag('A', '2')] }, 'InvalidInput'],
    ['a parameter unknown here', { Nonsense: '1' }, 'NotImplemented'],
  ])('are refused with %s', async (_, input, code) => {
    await expect(createRole('R', input)).rejects.toMatchObject({ code });
  });

  it('take a tag over one whose key differs in case, and lose it in any case', async () => {
    await createRole('R', { Tags: [tag('team', 'a'), tag('x', 'y')] });
    await iam('TagRole', { RoleName: 'R', Tags: [tag('Team', 'b')] });
    await expect(iam('ListRoleTags', { RoleName: 'R' })).resolves.toMatchObject({
      Tags: [tag('Team', 'b'), tag('x', 'y')],
      IsTruncated: false,
    });
    await iam('UntagRole', { RoleName: 'R', TagKeys: ['TEAM'] });
    await expect(iam('ListRoleTags', { RoleName: 'R' })).resolves.toMatchObject({ Tags: [tag('x', 'y')] });
    await expect(
      iam('TagRole', { RoleName: 'R', Tags: Array.from({ length: 50 }, (__, index) => tag(`k${index}`, '')) }),
    ).rejects.toMatchObject({ code: 'LimitExceeded' });
  });
});

describe('trust policies', () => {
  it('keep a role as its unique ID: shown as ARN while it exists, as ID afterwards', async () => {
    const arn = await makeRole(kernel, 'Trusted', open);
    const id = stringIn((await iam('GetRole', { RoleName: 'Trusted' })).Role, 'RoleId');
    await createRole('R', { AssumeRolePolicyDocument: trust({ AWS: [arn, arnOf('user', 'admin')] }) });
    expect((await trustOf('R')).Statement[0].Principal).toEqual({ AWS: [arn, arnOf('user', 'admin')] });
    await iam('DeleteRole', { RoleName: 'Trusted' });
    await makeRole(kernel, 'Trusted', open);
    expect((await trustOf('R')).Statement[0].Principal).toEqual({ AWS: [id, arnOf('user', 'admin')] });
  });

  it('accept account IDs, services and everybody', async () => {
    for (const [index, principal] of [
      '*',
      { AWS: '*' },
      { Service: 'lambda.amazonaws.com' },
      { AWS: ['999999999999', arnOf('role', 'X').replace(/role.*/, 'root')] },
    ].entries()) {
      await expect(createRole(`R${index}`, { AssumeRolePolicyDocument: trust(principal) })).resolves.toBeDefined();
    }
    expect((await trustOf('R3')).Statement[0].Principal.AWS[0]).toBe('arn:aws:iam::999999999999:root');
  });

  it.each([
    ['a role that does not exist', trust({ AWS: arnOf('role', 'None') }), 'Invalid principal'],
    ['a role of another account that does not exist', trust({ AWS: arnOf('role', 'None', customer) }), 'Invalid principal'],
    ['a role under another path', trust({ AWS: arnOf('role', 'path/Existing') }), 'Invalid principal'],
    ['an unknown unique ID', trust({ AWS: 'AROAAAAAAAAAAAAAAAAAA' }), 'Invalid principal'],
    ['a wildcard inside an ARN', trust({ AWS: arnOf('role', '*') }), 'Invalid principal'],
    ['no principal', policy({ Effect: 'Allow', Action: 'sts:AssumeRole' }), 'Missing required field Principal'],
    ['a resource', policy({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }), 'prohibited field Resource'],
    ['an unknown operator', trust('*', { Condition: { StringSortOfEquals: { 'sts:ExternalId': 'x' } } }), 'StringSortOfEquals'],
    ['no JSON', '{', 'invalid Json'],
    ['no statement', '{"Version":"2012-10-17"}', 'Statement'],
  ])('are malformed with %s', async (_, document, why) => {
    await createRole('Existing');
    const malformed = { code: 'MalformedPolicyDocument', message: expect.stringContaining(why) };
    await expect(createRole('R', { AssumeRolePolicyDocument: document })).rejects.toMatchObject(malformed);
    await expect(iam('UpdateAssumeRolePolicy', { RoleName: 'Existing', PolicyDocument: document })).rejects.toMatchObject(malformed);
    await expect(iam('GetRole', { RoleName: 'R' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
  });

  it('can be changed, and count at once', async () => {
    const role = await makeRole(kernel, 'R', trust({ AWS: customer }));
    await expect(assume(kernel, admin, role)).rejects.toMatchObject(denied);
    await iam('UpdateAssumeRolePolicy', { RoleName: 'R', PolicyDocument: open });
    await expect(assume(kernel, admin, role)).resolves.toBeDefined();
  });

  it('are limited to 2,048 characters without white space', async () => {
    const sized = (length: number, blank = '') => {
      const empty = trust('*', { Condition: { StringEquals: { 'sts:ExternalId': '' } } });
      return trust('*', { Condition: { StringEquals: { 'sts:ExternalId': 'x'.repeat(length - empty.length) } } }) + blank;
    };
    await expect(createRole('Fits', { AssumeRolePolicyDocument: sized(2048, ' '.repeat(500)) })).resolves.toBeDefined();
    await expect(createRole('TooLong', { AssumeRolePolicyDocument: sized(2049) })).rejects.toMatchObject({ code: 'LimitExceeded' });
  });
});

describe('inline and attached policies', () => {
  it('of a role and of a user are put, shown, listed and taken away', async () => {
    await createRole('X');
    await iam('CreateUser', { UserName: 'X' });
    const PolicyArn = await createPolicy('M', undefined, { Path: '/cordon/' });
    for (const of of ['Role', 'User']) {
      const named = { [`${of}Name`]: 'X' };
      const text = policy(allow('kms:*', 'arn:aws:kms:*:*:key/a b%"+'));
      await iam(`Put${of}Policy`, { ...named, PolicyName: 'P', PolicyDocument: text });
      const got = await iam(`Get${of}Policy`, { ...named, PolicyName: 'P' });
      expect(decoded(got, 'PolicyDocument')).toEqual(JSON.parse(text));
      expect(stringIn(got, 'PolicyDocument')).not.toMatch(/["{} ]/);
      await expect(iam(`List${of}Policies`, named)).resolves.toMatchObject({ PolicyNames: ['P'], IsTruncated: false });
      await iam(`Attach${of}Policy`, { ...named, PolicyArn });
      await expect(iam(`ListAttached${of}Policies`, named)).resolves.toMatchObject({ AttachedPolicies: [{ PolicyName: 'M', PolicyArn }] });
      await expect(iam(`ListAttached${of}Policies`, { ...named, PathPrefix: '/else/' })).resolves.toMatchObject({ AttachedPolicies: [] });
      await iam(`Detach${of}Policy`, { ...named, PolicyArn });
      await expect(iam(`Detach${of}Policy`, { ...named, PolicyArn })).rejects.toMatchObject({ code: 'NoSuchEntity' });
      await iam(`Delete${of}Policy`, { ...named, PolicyName: 'P' });
      await expect(iam(`Get${of}Policy`, { ...named, PolicyName: 'P' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
      await expect(iam(`Delete${of}Policy`, { ...named, PolicyName: 'P' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    }
  });

  it.each([
    [
      'an unknown condition operator',
      policy(allow('*', '*', { Condition: { StringAlmostEquals: { 'aws:userid': 'x' } } })),
      'StringAlmostEquals',
    ],
    ['an unknown condition key', policy(allow('*', '*', { Condition: { StringEquals: { 'aws:NoSuchKey': 'x' } } })), 'NoSuchKey'],
    ['a principal', policy({ ...allow('*'), Principal: '*' }), 'principal'],
    ['an unknown element', policy({ ...allow('*'), Resources: '*' }), 'Resources'],
    ['no effect', policy({ Action: '*', Resource: '*' }), 'Effect'],
    ['no resource', policy({ Effect: 'Allow', Action: '*' }), 'Resource'],
    ['an unknown version', JSON.stringify({ Version: '2013-01-01', Statement: [allow('*')] }), 'Version'],
  ])('are malformed with %s, and nothing is stored', async (_, document, why) => {
    await createRole('R');
    const malformed = { code: 'MalformedPolicyDocument', message: expect.stringContaining(why) };
    await expect(iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'P', PolicyDocument: document })).rejects.toMatchObject(malformed);
    await expect(iam('CreatePolicy', { PolicyName: 'P', PolicyDocument: document })).rejects.toMatchObject(malformed);
    await expect(iam('ListRolePolicies', { RoleName: 'R' })).resolves.toMatchObject({ PolicyNames: [] });
  });

  it('have the sizes of AWS: 10,240 inline on a role together, 6,144 for a managed one', async () => {
    const sized = (length: number) => {
      const pad = length - policy(allow('kms:*', ['arn:aws:kms:us-east-1:1:'])).length;
      return policy(allow('kms:*', [`arn:aws:kms:us-east-1:1:${'k'.repeat(pad)}`]));
    };
    await createRole('R');
    await iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'A', PolicyDocument: sized(10_000) });
    await iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'B', PolicyDocument: sized(240) });
    await iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'B', PolicyDocument: sized(239) });
    await expect(iam('PutRolePolicy', { RoleName: 'R', PolicyName: 'B', PolicyDocument: sized(241) })).rejects.toMatchObject({
      code: 'LimitExceeded',
    });
    await expect(createPolicy('Fits', sized(6144))).resolves.toBeDefined();
    await expect(createPolicy('TooLong', sized(6145))).rejects.toMatchObject({ code: 'LimitExceeded' });
  });

  it('are at most ten managed ones per role', async () => {
    await createRole('R');
    for (let index = 0; index < 10; index += 1)
      await iam('AttachRolePolicy', { RoleName: 'R', PolicyArn: await createPolicy(`P${index}`) });
    await expect(iam('AttachRolePolicy', { RoleName: 'R', PolicyArn: await createPolicy('P10') })).rejects.toMatchObject({
      code: 'LimitExceeded',
    });
  });

  it("cannot be another account's, but AWS's own", async () => {
    await createRole('R', {}, kernel.rootCaller(customer));
    const PolicyArn = await createPolicy('M');
    await expect(iam('AttachRolePolicy', { RoleName: 'R', PolicyArn }, kernel.rootCaller(customer))).rejects.toMatchObject({
      code: 'NoSuchEntity',
    });
    await iam('AttachRolePolicy', { RoleName: 'R', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }, kernel.rootCaller(customer));
    await expect(
      iam('AttachRolePolicy', { RoleName: 'R', PolicyArn: 'arn:aws:iam::aws:policy/Unknown' }, kernel.rootCaller(customer)),
    ).rejects.toMatchObject({ code: 'NoSuchEntity' });
  });
});

describe('managed policies', () => {
  it('have up to five versions, of which one is in force', async () => {
    const PolicyArn = await createPolicy('M', policy(allow('kms:Decrypt')));
    const user = await makeUser(kernel, 'u', undefined);
    await iam('AttachUserPolicy', { UserName: 'u', PolicyArn });
    const listed = () => iam('ListRoles', {}, user);
    await expect(listed()).rejects.toMatchObject(denied);
    await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('iam:*')) });
    await expect(listed()).rejects.toMatchObject(denied);
    await iam('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v2' });
    await expect(listed()).resolves.toBeDefined();
    await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')), SetAsDefault: 'true' });
    await expect(listed()).rejects.toMatchObject(denied);
    await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')) });
    await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')) });
    await expect(iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')) })).rejects.toMatchObject({
      code: 'LimitExceeded',
    });
    const versions = await iam('ListPolicyVersions', { PolicyArn });
    expect(Object(versions.Versions).map((version: object) => stringIn(version, 'VersionId'))).toEqual(['v1', 'v2', 'v3', 'v4', 'v5']);
    await expect(iam('DeletePolicyVersion', { PolicyArn, VersionId: 'v3' })).rejects.toMatchObject({ code: 'DeleteConflict' });
    await iam('DeletePolicyVersion', { PolicyArn, VersionId: 'v1' });
    await expect(iam('GetPolicyVersion', { PolicyArn, VersionId: 'v1' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    const got = await iam('GetPolicyVersion', { PolicyArn, VersionId: 'v2' });
    expect(got.PolicyVersion).toMatchObject({ VersionId: 'v2', IsDefaultVersion: false });
    expect(decoded(got.PolicyVersion, 'Document')).toEqual(JSON.parse(policy(allow('iam:*'))));
    await expect(iam('GetPolicy', { PolicyArn })).resolves.toMatchObject({ Policy: { DefaultVersionId: 'v3', AttachmentCount: 1 } });
  });

  it('are not deleted while attached, used as a boundary, or of several versions', async () => {
    const PolicyArn = await createPolicy('M');
    const conflict = { code: 'DeleteConflict' };
    await createRole('R', { PermissionsBoundary: PolicyArn });
    await expect(iam('DeletePolicy', { PolicyArn })).rejects.toMatchObject(conflict);
    await iam('DeleteRolePermissionsBoundary', { RoleName: 'R' });
    await expect(iam('DeleteRolePermissionsBoundary', { RoleName: 'R' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    await iam('AttachRolePolicy', { RoleName: 'R', PolicyArn });
    await expect(iam('DeletePolicy', { PolicyArn })).rejects.toMatchObject(conflict);
    await iam('DetachRolePolicy', { RoleName: 'R', PolicyArn });
    await iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')) });
    await expect(iam('DeletePolicy', { PolicyArn })).rejects.toMatchObject(conflict);
    await iam('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' });
    await iam('DeletePolicy', { PolicyArn });
    await expect(iam('GetPolicy', { PolicyArn })).rejects.toMatchObject({ code: 'NoSuchEntity' });
  });

  it("are listed: the account's, AWS's, or only the attached", async () => {
    const PolicyArn = await createPolicy('Attached');
    await createPolicy('Loose');
    await createRole('R');
    await iam('AttachRolePolicy', { RoleName: 'R', PolicyArn });
    const names = async (input: object) =>
      Object((await iam('ListPolicies', input)).Policies).map((listed: object) => stringIn(listed, 'PolicyName'));
    await expect(names({ Scope: 'Local' })).resolves.toEqual(['Attached', 'Loose']);
    await expect(names({ Scope: 'Local', OnlyAttached: true })).resolves.toEqual(['Attached']);
    await expect(names({ Scope: 'AWS' })).resolves.toContain('AdministratorAccess');
  });

  it('of AWS cannot be changed', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await expect(iam('GetPolicy', { PolicyArn })).resolves.toMatchObject({ Policy: { Arn: PolicyArn } });
    await expect(iam('CreatePolicyVersion', { PolicyArn, PolicyDocument: policy(allow('kms:*')) })).rejects.toThrow();
    await expect(iam('DeletePolicy', { PolicyArn })).rejects.toThrow();
  });
});

describe('users and access keys', () => {
  it('come and go, keys first', async () => {
    await expect(iam('CreateUser', { UserName: 'u', Path: '/p/', Tags: [tag('a', 'b')] })).resolves.toMatchObject({
      User: { Arn: arnOf('user', 'p/u'), UserId: expect.stringMatching(/^AIDA/), Tags: [tag('a', 'b')] },
    });
    await expect(iam('CreateUser', { UserName: 'U' })).rejects.toMatchObject({ code: 'EntityAlreadyExists' });
    const { AccessKey } = await iam('CreateAccessKey', { UserName: 'u' });
    const AccessKeyId = stringIn(AccessKey, 'AccessKeyId');
    expect(kernel.secretOf(AccessKeyId)?.secretAccessKey).toBe(stringIn(AccessKey, 'SecretAccessKey'));
    const listed = await iam('ListAccessKeys', { UserName: 'u' });
    expect(listed).toMatchObject({ AccessKeyMetadata: [{ AccessKeyId, Status: 'Active' }] });
    expect(JSON.stringify(listed)).not.toContain(stringIn(AccessKey, 'SecretAccessKey'));
    await iam('CreateAccessKey', { UserName: 'u' });
    await expect(iam('CreateAccessKey', { UserName: 'u' })).rejects.toMatchObject({ code: 'LimitExceeded' });
    await expect(iam('DeleteUser', { UserName: 'u' })).rejects.toMatchObject({ code: 'DeleteConflict' });
    await expect(iam('DeleteAccessKey', { UserName: 'admin', AccessKeyId })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    for (const key of Object((await iam('ListAccessKeys', { UserName: 'u' })).AccessKeyMetadata)) {
      await iam('DeleteAccessKey', { UserName: 'u', AccessKeyId: stringIn(key, 'AccessKeyId') });
    }
    await iam('DeleteUser', { UserName: 'u' });
    await expect(iam('GetUser', { UserName: 'u' })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    expect(kernel.callerOf(AccessKeyId)).toBeUndefined();
  });

  it('mean the caller when no name is given, if the caller is a user', async () => {
    await expect(iam('GetUser', {}, admin)).resolves.toMatchObject({ User: { UserName: 'admin' } });
    await expect(iam('GetUser', {}, root)).rejects.toMatchObject({ code: 'ValidationError' });
    await expect(iam('ListUsers', {})).resolves.toMatchObject({ Users: [{ UserName: 'admin' }] });
  });
});

describe('permissions to use IAM', () => {
  const boundary = arnOf('policy', 'cordon/TenantBoundary');
  const isolation = arnOf('policy', 'cordon/TenantIsolation');
  const own = arnOf('role', 'cordon/TenantAgent-${aws:PrincipalTag/TenantId}*');
  let session: Caller;

  beforeEach(async () => {
    await createPolicy('TenantBoundary', undefined, { Path: '/cordon/' });
    await createPolicy('TenantIsolation', undefined, { Path: '/cordon/' });
    const provisioner = await makeRole(
      kernel,
      'TenantProvisioner',
      open,
      policy(
        allow('iam:CreateRole', own, { Condition: { StringEquals: { 'iam:PermissionsBoundary': boundary } } }),
        allow('iam:TagRole', own, {
          Condition: {
            StringEquals: { 'aws:RequestTag/TenantId': '${aws:PrincipalTag/TenantId}' },
            'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId'] },
          },
        }),
        allow('iam:AttachRolePolicy', own, {
          Condition: { ArnEquals: { 'iam:PolicyARN': isolation }, StringEquals: { 'iam:PermissionsBoundary': boundary } },
        }),
        allow('iam:GetRole', '*', {
          Condition: {
            StringEquals: {
              'aws:ResourceTag/TenantId': '${aws:PrincipalTag/TenantId}',
              'iam:ResourceTag/TenantId': '${aws:PrincipalTag/TenantId}',
            },
          },
        }),
        allow('iam:UntagRole', own, { Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['Extra'] } } }),
      ),
    );
    session = await assume(kernel, admin, provisioner, { Tags: [tag('TenantId', 'acme')] });
  });

  const make = (RoleName: string, more: object = {}) =>
    createRole(RoleName, { Path: '/cordon/', PermissionsBoundary: boundary, Tags: [tag('TenantId', 'acme')], ...more }, session);

  it('let a tenant session make its own role under the boundary with its own tag', async () => {
    await expect(make('TenantAgent-acme')).resolves.toBeDefined();
    await expect(iam('AttachRolePolicy', { RoleName: 'TenantAgent-acme', PolicyArn: isolation }, session)).resolves.toBeDefined();
    await expect(iam('GetRole', { RoleName: 'TenantAgent-acme' }, session)).resolves.toBeDefined();
  });

  it.each([
    ["another tenant's name", 'TenantAgent-globex', {}, 'iam:CreateRole'],
    ['another path', 'TenantAgent-acme', { Path: '/' }, 'iam:CreateRole'],
    ['no boundary', 'TenantAgent-acme', { PermissionsBoundary: undefined }, 'iam:CreateRole'],
    ['another boundary', 'TenantAgent-acme', { PermissionsBoundary: isolation }, 'iam:CreateRole'],
    ["another tenant's tag", 'TenantAgent-acme', { Tags: [tag('TenantId', 'globex')] }, 'iam:TagRole'],
    ['a tag more', 'TenantAgent-acme', { Tags: [tag('TenantId', 'acme'), tag('Admin', 'yes')] }, 'iam:TagRole'],
  ])('refuse %s', async (_, name, more, action) => {
    await expect(make(name, more)).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining(`perform: ${action} on`),
    });
    await expect(iam('GetRole', { RoleName: name })).rejects.toMatchObject({ code: 'NoSuchEntity' });
  });

  it('refuse other policies, other roles, roles without the boundary, and every change not named', async () => {
    await make('TenantAgent-acme');
    await createRole('TenantAgent-acme-unbound', { Path: '/cordon/' });
    await createRole('Globex', { Tags: [tag('TenantId', 'globex')] });
    const AdministratorAccess = 'arn:aws:iam::aws:policy/AdministratorAccess';
    for (const [operation, input] of [
      ['AttachRolePolicy', { RoleName: 'TenantAgent-acme', PolicyArn: AdministratorAccess }],
      ['AttachRolePolicy', { RoleName: 'TenantAgent-acme-unbound', PolicyArn: isolation }],
      ['AttachRolePolicy', { RoleName: 'Globex', PolicyArn: isolation }],
      ['DeleteRolePermissionsBoundary', { RoleName: 'TenantAgent-acme' }],
      ['PutRolePermissionsBoundary', { RoleName: 'TenantAgent-acme', PermissionsBoundary: isolation }],
      ['PutRolePolicy', { RoleName: 'TenantAgent-acme', PolicyName: 'P', PolicyDocument: policy(allow('*')) }],
      ['UpdateAssumeRolePolicy', { RoleName: 'TenantAgent-acme', PolicyDocument: open }],
      ['TagRole', { RoleName: 'TenantAgent-acme', Tags: [tag('TenantId', 'globex')] }],
      ['UntagRole', { RoleName: 'TenantAgent-acme', TagKeys: ['TenantId'] }],
      ['DeleteRole', { RoleName: 'TenantAgent-acme' }],
      ['GetRole', { RoleName: 'Globex' }],
      ['GetRole', { RoleName: 'Missing' }],
      ['CreateAccessKey', { UserName: 'admin' }],
      ['CreatePolicyVersion', { PolicyArn: boundary, PolicyDocument: policy(allow('*')), SetAsDefault: true }],
    ] as const) {
      await expect(iam(operation, input, session), `${operation} ${JSON.stringify(input)}`).rejects.toMatchObject(denied);
    }
  });
});
