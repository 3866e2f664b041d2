import { beforeAll, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createAccessAnalyzer } from '../../../local/services/access-analyzer.ts';
import { allow, makeRole, platform, policy, startCloud, trust } from '../core/cloud.ts';
import { type DataCloud, refusal, startDataCloud } from './data-cloud.ts';

let kernel: LocalKernel;
let admin: Caller;
beforeAll(() => {
  ({ kernel, admin } = startCloud());
  kernel.register(createAccessAnalyzer());
});

const own = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/${aws:PrincipalTag/TenantId}/*';
const tagged = { StringEquals: { 'aws:ResourceTag/TenantId': '${aws:PrincipalTag/TenantId}' } };
const readOwn = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: own, Condition: tagged };
const denyOthers = {
  Effect: 'Deny',
  Action: 'secretsmanager:*',
  Resource: '*',
  Condition: { StringNotEquals: { 'aws:ResourceTag/TenantId': '${aws:PrincipalTag/TenantId}' } },
};

describe('CheckNoNewAccess', () => {
  const check = async (before: readonly object[], now: readonly object[], policyType = 'IDENTITY_POLICY'): Promise<unknown> => {
    const input = { existingPolicyDocument: policy(...before), newPolicyDocument: policy(...now), policyType };
    return (await kernel.call(admin, 'access-analyzer', 'CheckNoNewAccess', input))['result'];
  };

  it.each<[string, readonly object[], readonly object[]]>([
    ['the same', [readOwn, denyOthers], [denyOthers, readOwn]],
    ['an Allow less', [readOwn, allow('s3:GetObject')], [readOwn]],
    ['a Deny more', [readOwn], [readOwn, denyOthers]],
    ['a narrower resource', [allow('s3:GetObject', 'arn:aws:s3:::b/*')], [allow('s3:GetObject', 'arn:aws:s3:::b/x')]],
    ['a narrower action', [allow('s3:Get*', '*')], [allow('s3:GetObject', '*')]],
    ['a condition more', [{ ...readOwn, Condition: undefined }], [readOwn]],
  ])('passes for %s', async (_, before, now) => {
    expect(await check(before, now)).toBe('PASS');
  });

  it.each<[string, readonly object[], readonly object[]]>([
    ['another action', [readOwn], [{ ...readOwn, Action: 'secretsmanager:*' }]],
    ['another resource', [readOwn], [{ ...readOwn, Resource: '*' }]],
    ['a condition less', [readOwn], [{ ...readOwn, Condition: undefined }]],
    ['another value of a condition', [readOwn], [{ ...readOwn, Condition: { StringLike: { 'aws:ResourceTag/TenantId': '*' } } }]],
    ['a Deny less', [{ ...readOwn, Condition: undefined }, denyOthers], [{ ...readOwn, Condition: undefined }]],
    [
      'a weaker Deny',
      [{ ...readOwn, Condition: undefined }, denyOthers],
      [
        { ...readOwn, Condition: undefined },
        { ...denyOthers, Action: 'secretsmanager:DeleteSecret' },
      ],
    ],
    ['everything but one service', [readOwn], [readOwn, { Effect: 'Allow', NotAction: 's3:*', Resource: '*' }]],
    [
      'a condition for which no request can be made up',
      [readOwn],
      [{ ...readOwn, Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }],
    ],
  ])('fails for %s', async (_, before, now) => {
    expect(await check(before, now)).toBe('FAIL');
  });

  it('names the statement', async () => {
    const input = {
      existingPolicyDocument: policy(readOwn),
      newPolicyDocument: policy(readOwn, { ...allow('s3:GetObject'), Sid: 'More' }),
      policyType: 'IDENTITY_POLICY',
    };
    const { reasons } = await kernel.call(admin, 'access-analyzer', 'CheckNoNewAccess', input);
    expect(reasons).toEqual([{ statementIndex: 1, statementId: 'More', description: 'New access in the statement with sid: More.' }]);
  });

  it('knows who is let in by a resource’s or a role’s own policy', async () => {
    const admit = (AWS: string): object => ({ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' });
    const role = `arn:aws:iam::${platform}:role/r`;
    expect(await check([admit(role)], [admit(`arn:aws:iam::${platform}:role/other`)], 'RESOURCE_POLICY')).toBe('FAIL');
    expect(await check([admit(role)], [admit('444455556666')], 'RESOURCE_POLICY')).toBe('FAIL');
    expect(await check([admit(platform)], [admit(platform), admit(role)], 'RESOURCE_POLICY')).toBe('PASS');
  });

  it('is refused to who may not ask, and takes no policy that is none', async () => {
    const input = { existingPolicyDocument: policy(readOwn), newPolicyDocument: 'no', policyType: 'IDENTITY_POLICY' };
    expect(await refusal(kernel.call(admin, 'access-analyzer', 'CheckNoNewAccess', input))).toMatchObject({
      code: 'InvalidParameterException',
    });
  });
});

describe('CheckNoPublicAccess', () => {
  const everybody = { Effect: 'Allow', Principal: '*', Action: 'sqs:SendMessage', Resource: '*' };
  it.each<[string, object, string]>([
    ['everybody', everybody, 'FAIL'],
    [
      'everybody but by a condition that a stranger does not meet',
      { ...everybody, Condition: { StringEquals: { 'aws:PrincipalAccount': platform } } },
      'PASS',
    ],
    [
      'everybody under a condition that holds when the key is missing',
      { ...everybody, Condition: { StringNotEquals: { 'aws:SourceVpc': 'v' } } },
      'FAIL',
    ],
    ['one account', { ...everybody, Principal: { AWS: '444455556666' } }, 'PASS'],
    ['a service', { ...everybody, Principal: { Service: 'events.amazonaws.com' } }, 'PASS'],
    ['nobody', { ...everybody, Effect: 'Deny' }, 'PASS'],
  ])('finds a policy that names %s to be one of %3$s', async (_, statement, result) => {
    const input = { policyDocument: policy(statement), resourceType: 'AWS::SQS::Queue' };
    expect(await kernel.call(admin, 'access-analyzer', 'CheckNoPublicAccess', input)).toMatchObject({ result });
  });
});

describe('SimulateCustomPolicy', () => {
  const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/acme/x';
  const entry = (ContextKeyName: string, value: string): object => ({
    ContextKeyName,
    ContextKeyType: 'string',
    ContextKeyValues: [value],
  });
  const simulate = async (tag: string, boundary?: string): Promise<unknown> => {
    const { EvaluationResults } = await kernel.call(admin, 'iam', 'SimulateCustomPolicy', {
      PolicyInputList: [policy(readOwn)],
      ...(boundary !== undefined && { PermissionsBoundaryPolicyInputList: [boundary] }),
      ActionNames: ['secretsmanager:GetSecretValue'],
      ResourceArns: [secret],
      ContextEntries: [entry('aws:PrincipalTag/TenantId', tag), entry('aws:ResourceTag/TenantId', 'acme')],
    });
    return (Array.isArray(EvaluationResults) ? EvaluationResults : []).map(({ EvalDecision }) => EvalDecision);
  };

  it('decides by the policies that the call brings, under the boundary that it brings', async () => {
    expect(await simulate('acme')).toEqual(['allowed']);
    expect(await simulate('acme-2')).toEqual(['implicitDeny']);
    expect(await simulate('acme', policy(allow('s3:GetObject')))).toEqual(['implicitDeny']);
    expect(await simulate('acme', policy(allow('*', '*'), { Effect: 'Deny', Action: '*', Resource: '*' }))).toEqual(['explicitDeny']);
  });
});

describe('GetAccountAuthorizationDetails', () => {
  it('lists identities with all that is attached to them, page by page', async () => {
    const role = await makeRole(kernel, 'Listed', trust({ AWS: platform }), policy(allow('s3:GetObject')));
    const names: string[] = [];
    let Marker: unknown;
    do {
      const page = await kernel.call(admin, 'iam', 'GetAccountAuthorizationDetails', {
        Filter: ['Role', 'User'],
        MaxItems: 1,
        ...(Marker !== undefined && { Marker }),
      });
      for (const list of [page['RoleDetailList'], page['UserDetailList']])
        if (Array.isArray(list)) for (const { Arn } of list) names.push(Arn);
      Marker = page['Marker'];
    } while (Marker !== undefined);
    expect(names).toContain(role);
    const { RoleDetailList } = await kernel.call(admin, 'iam', 'GetAccountAuthorizationDetails', { Filter: ['Role'] });
    const listed = (Array.isArray(RoleDetailList) ? RoleDetailList : []).find(({ Arn }) => Arn === role);
    expect(listed).toMatchObject({ RolePolicyList: [{ PolicyName: 'Own' }], AttachedManagedPolicies: [] });
  });
});

describe('a table’s own policy', () => {
  let cloud: DataCloud;
  beforeAll(async () => {
    cloud = await startDataCloud();
    await cloud.dynamodb(cloud.root, 'CreateTable', {
      TableName: 'things',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
  });
  const ResourceArn = `arn:aws:dynamodb:us-east-1:${platform}:table/things`;

  it('lets in whom it names, and is gone when it is deleted', async () => {
    const nobody = await cloud.tenant('acme', allow('sts:GetCallerIdentity'));
    const get = (): Promise<unknown> => cloud.dynamodb(nobody, 'GetItem', { TableName: 'things', Key: { pk: { S: 'a' } } });
    expect(await refusal(get())).toMatchObject({ code: 'AccessDeniedException' });
    expect(await refusal(cloud.dynamodb(cloud.root, 'GetResourcePolicy', { ResourceArn }))).toMatchObject({
      code: 'PolicyNotFoundException',
    });
    const Policy = policy({
      Effect: 'Allow',
      Principal: { AWS: nobody.principal.roleArn },
      Action: 'dynamodb:GetItem',
      Resource: ResourceArn,
    });
    await cloud.dynamodb(cloud.root, 'PutResourcePolicy', { ResourceArn, Policy });
    expect(await cloud.dynamodb(cloud.root, 'GetResourcePolicy', { ResourceArn })).toMatchObject({ Policy });
    await expect(get()).resolves.toBeDefined();
    await cloud.dynamodb(cloud.root, 'DeleteResourcePolicy', { ResourceArn });
    expect(await refusal(get())).toMatchObject({ code: 'AccessDeniedException' });
  });
});
