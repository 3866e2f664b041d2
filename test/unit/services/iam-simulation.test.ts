import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { allow, assume, callerOf, customer, makeRole, otherCustomer, platform, policy, startCloud, trust } from '../core/cloud.ts';

const invoke = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
const model = 'arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0';
const byPlatform = { AWS: `arn:aws:iam::${platform}:root` };
const denied = { code: 'AccessDenied', status: 403 };

let kernel: LocalKernel;
let platformAdmin: Caller;
let customerAdmin: Caller;
beforeEach(() => {
  ({ kernel, admin: platformAdmin } = startCloud());
  customerAdmin = callerOf(kernel, kernel.addAccount(customer).accessKeyId);
});

const roleWith = (name: string, ...statements: object[]): Promise<string> =>
  makeRole(kernel, name, trust(byPlatform), policy(...statements), {}, customer);
const simulate = async (caller: Caller, PolicySourceArn: string, input: object): Promise<Record<string, unknown>[]> => {
  const { EvaluationResults } = await kernel.call(caller, 'iam', 'SimulatePrincipalPolicy', { PolicySourceArn, ...input });
  return Array.isArray(EvaluationResults) ? EvaluationResults : [];
};
const decisions = async (role: string, ActionNames: string[], ResourceArns?: string[], more: object = {}): Promise<unknown[]> =>
  (await simulate(customerAdmin, role, { ActionNames, ...(ResourceArns && { ResourceArns }), ...more })).map(
    ({ EvalDecision }) => EvalDecision,
  );

describe('SimulatePrincipalPolicy', () => {
  it('answers each action on each resource, naming what decided', async () => {
    const role = await roleWith('Byoc', allow(invoke, 'arn:aws:bedrock:eu-central-1::foundation-model/*'), {
      Sid: 'NotThis',
      Effect: 'Deny',
      Action: 'bedrock:*',
      Resource: `${model}x`,
    });
    const input = { ActionNames: ['bedrock:InvokeModel', 's3:GetObject'], ResourceArns: [model, `${model}x`] };
    const named = { SourcePolicyId: 'role_Byoc_Own', SourcePolicyType: 'IAM Policy' };
    const answer = (EvalActionName: string, EvalResourceName: string, EvalDecision: string, MatchedStatements: object[]) => ({
      EvalActionName,
      EvalResourceName,
      EvalDecision,
      MatchedStatements,
      MissingContextValues: [],
    });
    expect(await simulate(customerAdmin, role, input)).toEqual([
      answer('bedrock:InvokeModel', model, 'allowed', [named]),
      answer('bedrock:InvokeModel', `${model}x`, 'explicitDeny', [named]),
      answer('s3:GetObject', model, 'implicitDeny', []),
      answer('s3:GetObject', `${model}x`, 'implicitDeny', []),
    ]);
  });

  it('asks about everything when no resource is named', async () => {
    const narrow = await roleWith('Narrow', allow(invoke, model));
    const wide = await roleWith('Wide', allow(invoke));
    expect(await decisions(narrow, invoke)).toEqual(['implicitDeny', 'implicitDeny']);
    expect(await decisions(wide, invoke)).toEqual(['allowed', 'allowed']);
  });

  it('counts managed policies and says which of them allow: also actions of services that are not here', async () => {
    const role = await roleWith('Admin', allow(invoke));
    const root = kernel.rootCaller(customer);
    await kernel.call(root, 'iam', 'AttachRolePolicy', { RoleName: 'Admin', PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' });
    const [user, run, call] = await simulate(customerAdmin, role, { ActionNames: ['iam:CreateUser', 'ec2:RunInstances', ...invoke] });
    const wide = { SourcePolicyId: 'AdministratorAccess', SourcePolicyType: 'IAM Policy' };
    expect(user).toMatchObject({ EvalDecision: 'allowed', MatchedStatements: [wide] });
    expect(run).toMatchObject({ EvalDecision: 'allowed', MatchedStatements: [wide] });
    expect(call).toMatchObject({ MatchedStatements: [wide, { SourcePolicyId: 'role_Admin_Own' }] });
  });

  it('tests conditions by the entries of the call, and says which are missing', async () => {
    const role = await roleWith('Conditional', {
      ...allow('sqs:SendMessage'),
      Condition: {
        StringEquals: { 'aws:RequestedRegion': 'eu-central-1', 'aws:PrincipalTag/Team': '${aws:ResourceTag/Team}' },
        'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a', 'b'] },
      },
    });
    const entry = (ContextKeyName: string, ContextKeyType: string, ...ContextKeyValues: string[]) => ({
      ContextKeyName,
      ContextKeyType,
      ContextKeyValues,
    });
    const given = [
      entry('aws:requestedregion', 'string', 'eu-central-1'),
      entry('aws:PrincipalTag/Team', 'string', 'red'),
      entry('aws:ResourceTag/Team', 'string', 'red'),
      entry('aws:TagKeys', 'stringList', 'x', 'b'),
    ];
    const ask = (ContextEntries: object[]) => simulate(customerAdmin, role, { ActionNames: ['sqs:SendMessage'], ContextEntries });
    expect(await ask(given)).toMatchObject([{ EvalDecision: 'allowed', MissingContextValues: [] }]);
    expect(await ask(given.slice(1))).toMatchObject([{ EvalDecision: 'implicitDeny', MissingContextValues: ['aws:RequestedRegion'] }]);
    expect(await ask(given.toSpliced(2, 1))).toMatchObject([
      { EvalDecision: 'implicitDeny', MissingContextValues: ['aws:ResourceTag/Team'] },
    ]);
    expect(await ask([...given.slice(0, 3), entry('aws:TagKeys', 'stringList', 'x')])).toMatchObject([{ EvalDecision: 'implicitDeny' }]);
  });

  it('counts the permissions boundary, and neither trust nor session policies', async () => {
    const root = kernel.rootCaller(customer);
    const { Policy } = await kernel.call(root, 'iam', 'CreatePolicy', {
      PolicyName: 'Limit',
      PolicyDocument: policy(allow('bedrock:InvokeModel')),
    });
    const PermissionsBoundary = String(new Map(Object.entries(Policy ?? {})).get('Arn'));
    const role = await makeRole(kernel, 'Bounded', trust(byPlatform), policy(allow('*')), { PermissionsBoundary }, customer);
    expect(await simulate(customerAdmin, role, { ActionNames: invoke })).toMatchObject([
      { EvalDecision: 'allowed', PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: true } },
      { EvalDecision: 'implicitDeny', MatchedStatements: [], PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } },
    ]);
    const Policy2 = policy(allow('iam:*'));
    const open = await roleWith('Open', allow('*'));
    const session = await assume(kernel, platformAdmin, open, { Policy: Policy2 });
    expect(await simulate(session, open, { ActionNames: invoke })).toMatchObject([
      { EvalDecision: 'allowed' },
      { EvalDecision: 'allowed' },
    ]);
  });

  it('takes further policies as if they were attached', async () => {
    const role = await roleWith('Byoc', allow(invoke));
    const PolicyInputList = [policy({ Effect: 'Deny', Action: 'bedrock:InvokeModel', Resource: '*' })];
    expect(await simulate(customerAdmin, role, { ActionNames: invoke, PolicyInputList })).toMatchObject([
      { EvalDecision: 'explicitDeny', MatchedStatements: [{ SourcePolicyId: 'PolicyInputList.1' }] },
      { EvalDecision: 'allowed', MatchedStatements: [{ SourcePolicyId: 'role_Byoc_Own' }] },
    ]);
  });

  it('answers page by page', async () => {
    const role = await roleWith('Byoc', allow(invoke));
    const ask = (more: object) =>
      kernel.call(customerAdmin, 'iam', 'SimulatePrincipalPolicy', {
        PolicySourceArn: role,
        ActionNames: [...invoke, 's3:GetObject'],
        MaxItems: 2,
        ...more,
      });
    const first = await ask({});
    expect(first).toMatchObject({ IsTruncated: true, EvaluationResults: [{ EvalActionName: invoke[0] }, { EvalActionName: invoke[1] }] });
    expect(await ask({ Marker: first['Marker'] })).toMatchObject({
      IsTruncated: false,
      EvaluationResults: [{ EvalActionName: 's3:GetObject' }],
    });
  });

  it.each([
    ['an action that does not exist', { ActionNames: ['sqs:SendMesage'] }],
    ['a wildcard action', { ActionNames: ['s3:*'] }],
    ['an unknown service', { ActionNames: ['sss:GetObject'] }],
    ['a resource that is no ARN', { ActionNames: invoke, ResourceArns: ['my-bucket'] }],
    ['a principal of another account', { ActionNames: invoke, PolicySourceArn: `arn:aws:iam::${otherCustomer}:role/Byoc` }],
    ['a session', { ActionNames: invoke, PolicySourceArn: `arn:aws:sts::${customer}:assumed-role/Byoc/session` }],
  ])('refuses %s', async (_, input) => {
    const role = await roleWith('Byoc', allow('*'));
    await expect(simulate(customerAdmin, role, input)).rejects.toMatchObject({ code: 'InvalidInput' });
  });

  it('names a role that does not exist, and a parameter it does not know', async () => {
    const missing = `arn:aws:iam::${customer}:role/None`;
    await expect(simulate(customerAdmin, missing, { ActionNames: invoke })).rejects.toMatchObject({ code: 'NoSuchEntity' });
    await expect(simulate(customerAdmin, missing, { ActionNames: invoke, CallerArn: missing })).rejects.toMatchObject({
      code: 'NotImplemented',
    });
  });
});

describe('a role that may look at itself', () => {
  it('reads and simulates itself and nothing else', async () => {
    const own = `arn:aws:iam::${customer}:role/Byoc`;
    const role = await roleWith('Byoc', allow(['iam:GetRole', 'iam:SimulatePrincipalPolicy'], own));
    const other = await roleWith('Byoc2', allow('*'));
    const session = await assume(kernel, platformAdmin, role);
    expect(await simulate(session, role, { ActionNames: invoke })).toHaveLength(2);
    const { Role } = await kernel.call(session, 'iam', 'GetRole', { RoleName: 'Byoc' });
    expect(Role).toMatchObject({
      Arn: role,
      RoleId: expect.stringMatching(/^AROA/),
      AssumeRolePolicyDocument: expect.stringContaining('sts%3AAssumeRole'),
    });
    const attempts = [
      simulate(session, other, { ActionNames: invoke }),
      kernel.call(session, 'iam', 'GetRole', { RoleName: 'Byoc2' }),
      kernel.call(session, 'iam', 'GetRole', { RoleName: 'None' }),
      kernel.call(session, 'iam', 'GetRolePolicy', { RoleName: 'Byoc', PolicyName: 'Own' }),
      kernel.call(session, 'iam', 'ListRolePolicies', { RoleName: 'Byoc' }),
      kernel.call(session, 'iam', 'UpdateAssumeRolePolicy', { RoleName: 'Byoc', PolicyDocument: trust('*') }),
    ];
    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject(denied);
  });

  it('does so no more once it is another of the same name', async () => {
    const statement = allow('iam:GetRole', `arn:aws:iam::${customer}:role/Byoc`);
    const session = await assume(kernel, platformAdmin, await roleWith('Byoc', statement));
    const root = kernel.rootCaller(customer);
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName: 'Byoc', PolicyName: 'Own' });
    await kernel.call(root, 'iam', 'DeleteRole', { RoleName: 'Byoc' });
    await roleWith('Byoc', statement);
    await expect(kernel.call(session, 'iam', 'GetRole', { RoleName: 'Byoc' })).rejects.toMatchObject(denied);
  });
});
