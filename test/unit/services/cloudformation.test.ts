import { readFileSync } from 'node:fs';
import {
  CloudFormationClient,
  CreateStackCommand,
  type CreateStackCommandInput,
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStacksCommand,
  type Stack,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createCloudFormation } from '../../../local/services/cloudformation.ts';
import { createS3 } from '../../../local/services/s3.ts';
import { createSqs } from '../../../local/services/sqs.ts';
import { allow, assume, customer, makeRole, makeUser, otherCustomer, platform, policy, startCloud, trust } from '../core/cloud.ts';
import { text } from './data-cloud.ts';

let kernel: LocalKernel;
let server: LocalServer;
let admin: CloudFormationClient;
let root: Caller;
const clients: CloudFormationClient[] = [];
const clientOf = (accessKeyId: string): CloudFormationClient => {
  const credentials = { accessKeyId, secretAccessKey: kernel.secretOf(accessKeyId)?.secretAccessKey ?? '' };
  const client = new CloudFormationClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
};

beforeAll(async () => {
  ({ kernel } = startCloud());
  kernel.register(createSqs(kernel, { endpoint: () => 'http://127.0.0.1:4566' }));
  kernel.register(createS3());
  kernel.register(createCloudFormation(kernel));
  server = await startServer(kernel, { port: 0 });
  admin = clientOf(kernel.addAccount(customer).accessKeyId);
  root = kernel.rootCaller(customer);
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

/** A role as a customer makes it for Cordon. */
const template = (statement = '{Sid: Read, Effect: Allow, Action: "sqs:GetQueueUrl", Resource: "*"}', more = '') => `
AWSTemplateFormatVersion: '2010-09-09'
Description: A role
Parameters:
  RoleName: {Type: String, AllowedPattern: 'cordon\\.[a-z0-9.-]+', ConstraintDescription: must begin with cordon.}
  ExternalId: {Type: String, MinLength: 2, NoEcho: true}
  Regions: {Type: CommaDelimitedList, Default: 'us-east-1, eu-west-1'}
  AllowQueues: {Type: String, Default: 'false', AllowedValues: ['true', 'false']}
Conditions:
  Queues: !Equals [!Ref AllowQueues, 'true']
  NoQueues: !Not [!Condition Queues]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: !If [Queues, with queues, !Ref AWS::NoValue]
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub 'arn:aws:iam::${platform}:root'}
            Action: sts:AssumeRole
            Condition: {StringEquals: {sts:ExternalId: !Ref ExternalId}}
      Policies:
        - PolicyName: !Join ['-', [own, policy]]
          PolicyDocument: {Version: 2012-10-17, Statement: [${statement}]}
        - !If
          - Queues
          - PolicyName: queues
            PolicyDocument:
              Version: 2012-10-17
              Statement:
                Effect: Allow
                Action: sqs:SendMessage
                Resource: !Sub 'arn:\${AWS::Partition}:sqs:*:\${AWS::AccountId}:cordon-*'
                Condition: {StringEquals: {aws:RequestedRegion: !Ref Regions}}
          - !Ref AWS::NoValue
      Tags: [{Key: Stack, Value: !Ref AWS::StackId}]
${more}
Outputs:
  RoleArn: {Value: !GetAtt Role.Arn, Description: the role}
  Queues: {Condition: Queues, Value: !Select [1, !Ref Regions]}
`;

let roles = 0;
const parametersOf = (values: Record<string, string>) =>
  Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
const request = (values: Record<string, string> = {}, more: Partial<CreateStackCommandInput> = {}): CreateStackCommandInput => {
  const RoleName = values['RoleName'] ?? `cordon.acme.${++roles}`;
  return {
    StackName: `stack-${RoleName.replaceAll('.', '-')}`,
    TemplateBody: template(),
    Capabilities: ['CAPABILITY_NAMED_IAM'],
    ...more,
    Parameters: parametersOf({ RoleName, ExternalId: 'cordon-secret', ...values }),
  };
};
/** What has become of the stack when nothing moves any more. */
async function settled(StackName: string | undefined, client = admin): Promise<Stack> {
  expect(await kernel.idle(5000)).toBe(true);
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
  const [stack] = Stacks;
  if (stack === undefined) throw new Error(`there is no stack ${StackName}`);
  return stack;
}
async function created(input: CreateStackCommandInput, client = admin): Promise<Stack> {
  const { StackId } = await client.send(new CreateStackCommand(input));
  return await settled(StackId, client);
}
const roleNamed = (RoleName: string) => kernel.call(root, 'iam', 'GetRole', { RoleName });
const policyNames = async (RoleName: string) => (await kernel.call(root, 'iam', 'ListRolePolicies', { RoleName }))['PolicyNames'];

describe('a stack in a customer account', () => {
  it('has what its template says for the parameters given', async () => {
    const input = request({ RoleName: 'cordon.acme.first', AllowQueues: 'true', Regions: 'eu-west-1,eu-north-1' });
    const { StackId } = await admin.send(new CreateStackCommand(input));
    await waitUntilStackCreateComplete({ client: admin, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { StackName: input.StackName });
    const stack = await settled(input.StackName);
    expect(stack).toMatchObject({ StackId, StackStatus: 'CREATE_COMPLETE', Capabilities: ['CAPABILITY_NAMED_IAM'], Description: 'A role' });
    expect(stack.Outputs).toEqual([
      { OutputKey: 'RoleArn', OutputValue: `arn:aws:iam::${customer}:role/cordon.acme.first`, Description: 'the role' },
      { OutputKey: 'Queues', OutputValue: 'eu-north-1' },
    ]);
    expect(stack.Parameters).toContainEqual({ ParameterKey: 'ExternalId', ParameterValue: '****' });
    const { Role } = await roleNamed('cordon.acme.first');
    expect(Role).toMatchObject({ Description: 'with queues', Tags: [{ Key: 'Stack', Value: StackId }] });
    expect(decodeURIComponent(text(Role, 'AssumeRolePolicyDocument'))).toContain('"StringEquals":{"sts:ExternalId":"cordon-secret"}');
    const { PolicyDocument } = await kernel.call(root, 'iam', 'GetRolePolicy', { RoleName: 'cordon.acme.first', PolicyName: 'queues' });
    expect(decodeURIComponent(String(PolicyDocument))).toContain('"aws:RequestedRegion":["eu-west-1","eu-north-1"]');
    expect(decodeURIComponent(String(PolicyDocument))).toContain(`arn:aws:sqs:*:${customer}:cordon-*`);
  });

  it('is made with the permissions of the one who asks, and taken back where they end', async () => {
    const mayCreateOnly = policy(
      allow(['cloudformation:CreateStack', 'cloudformation:DescribeStacks', 'iam:CreateRole', 'iam:TagRole', 'iam:DeleteRole']),
    );
    const client = clientOf((await makeUser(kernel, 'beginner', mayCreateOnly, customer)).accessKeyId);
    const stack = await created(request({ RoleName: 'cordon.acme.short' }), client);
    expect(stack.StackStatus).toBe('ROLLBACK_FAILED');
    expect(stack.StackStatusReason).toMatch(/failed: \[Role\].*iam:PutRolePolicy.*The rollback failed:.*iam:DeleteRolePolicy/);
    const mayUndo = policy(allow(['cloudformation:*', 'iam:CreateRole', 'iam:TagRole', 'iam:DeleteRole', 'iam:DeleteRolePolicy']));
    const careful = clientOf((await makeUser(kernel, 'careful', mayUndo, customer)).accessKeyId);
    const input = request({ RoleName: 'cordon.acme.undone' });
    const rolledBack = await created(input, careful);
    expect(rolledBack).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE', StackStatusReason: expect.stringContaining('iam:PutRolePolicy') });
    await expect(roleNamed('cordon.acme.undone')).rejects.toMatchObject({ code: 'NoSuchEntity' });
    await expect(careful.send(new UpdateStackCommand(input))).rejects.toThrow('ROLLBACK_COMPLETE state and can not be updated');
    await careful.send(new DeleteStackCommand({ StackName: input.StackName }));
    expect((await settled(rolledBack.StackId, careful)).StackStatus).toBe('DELETE_COMPLETE');
    const record = kernel.journal.since().findLast(({ action }) => action === 'iam:DeleteRolePolicy');
    expect(record?.principal).toBe(`arn:aws:iam::${customer}:user/careful`);
    await expect(
      clientOf((await makeUser(kernel, 'nobody', undefined, customer)).accessKeyId).send(new CreateStackCommand(request())),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('leaves a role alone that was there before it', async () => {
    const RoleName = 'cordon.acme.older';
    const AssumeRolePolicyDocument = policy({ Effect: 'Allow', Principal: { AWS: customer }, Action: 'sts:AssumeRole' });
    await kernel.call(root, 'iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument });
    const more = `
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: before-role}}
  After: {Type: AWS::SQS::Queue, DependsOn: Role, Properties: {QueueName: after-role}}`;
    const stack = await created(request({ RoleName }, { TemplateBody: template(undefined, more) }));
    expect(stack).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE', StackStatusReason: expect.stringContaining('already exists') });
    expect(await roleNamed(RoleName)).toBeDefined();
    const { QueueUrls = [] } = await kernel.call(root, 'sqs', 'ListQueues', {});
    expect(QueueUrls).toEqual([]);
    expect(kernel.journal.since().some(({ resource }) => resource.endsWith(':after-role'))).toBe(false);
  });

  it('is changed in place, and what fails of a change is taken back', async () => {
    const RoleName = 'cordon.acme.changing';
    const first = await created(request({ RoleName }));
    expect(first.Outputs?.map(({ OutputKey }) => OutputKey)).toEqual(['RoleArn']);
    const { Role: before } = await roleNamed(RoleName);
    const input = request({ RoleName, ExternalId: 'cordon-other', AllowQueues: 'true' });
    const update = async (more: object) => {
      await admin.send(new UpdateStackCommand({ ...input, ...more }));
      return await settled(input.StackName);
    };
    expect(await update({})).toMatchObject({ StackId: first.StackId, StackStatus: 'UPDATE_COMPLETE' });
    expect(await policyNames(RoleName)).toEqual(['own-policy', 'queues']);
    const { Role: after } = await roleNamed(RoleName);
    expect(text(after, 'RoleId')).toBe(text(before, 'RoleId'));
    expect(decodeURIComponent(text(after, 'AssumeRolePolicyDocument'))).toContain('cordon-other');
    await expect(admin.send(new UpdateStackCommand(input))).rejects.toThrow('No updates are to be performed.');
    const broken = template('{Sid: Read, Effect: Allow, Action: "sqs:NoSuchAction", Resource: "*"}').replace(
      'MaxSessionDuration: 3600',
      'MaxSessionDuration: 7200',
    );
    const Parameters = parametersOf({ RoleName, ExternalId: 'cordon-third' });
    const failed = await update({ TemplateBody: broken, Parameters });
    expect(failed).toMatchObject({
      StackStatus: 'UPDATE_ROLLBACK_COMPLETE',
      StackStatusReason: expect.stringContaining('sqs:NoSuchAction'),
    });
    expect(await policyNames(RoleName)).toEqual(['own-policy', 'queues']);
    const { Role: still } = await roleNamed(RoleName);
    expect(still).toMatchObject({ MaxSessionDuration: 3600, Description: 'with queues' });
    expect(decodeURIComponent(text(still, 'AssumeRolePolicyDocument'))).toContain('cordon-other');
    expect(
      (await update({ Parameters: [...(input.Parameters?.slice(0, 2) ?? []), { ParameterKey: 'AllowQueues', ParameterValue: 'false' }] }))
        .StackStatus,
    ).toBe('UPDATE_COMPLETE');
    expect(await policyNames(RoleName)).toEqual(['own-policy']);
  });

  it('goes with its role, unless somebody has put more on it', async () => {
    const RoleName = 'cordon.acme.leaving';
    const { StackId } = await created(request({ RoleName }));
    const more = { RoleName, PolicyName: 'theirs', PolicyDocument: policy(allow('sqs:*')) };
    await kernel.call(root, 'iam', 'PutRolePolicy', more);
    await admin.send(new DeleteStackCommand({ StackName: StackId }));
    expect(await settled(StackId)).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: expect.stringContaining('must delete policies first'),
    });
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName, PolicyName: 'theirs' });
    await admin.send(new DeleteStackCommand({ StackName: StackId }));
    expect(await settled(StackId)).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    await expect(roleNamed(RoleName)).rejects.toMatchObject({ code: 'NoSuchEntity' });
    await expect(admin.send(new DescribeStacksCommand({ StackName: 'stack-cordon-acme-leaving' }))).rejects.toThrow('does not exist');
  });

  it('is a role that only the connector may assume, when it is made from the template for customers', async () => {
    const trusting = trust({ AWS: platform }, {}, ['sts:AssumeRole']);
    const mayAssume = policy(allow('sts:AssumeRole', 'arn:aws:iam::*:role/cordon.acme.*'));
    const ConnectorRoleArn = await makeRole(kernel, 'ByocConnector', trusting, mayAssume);
    const worker = await makeUser(kernel, 'worker', policy(allow('sts:AssumeRole')));
    const ExternalId = `cordon-${'a2b3c4d5'.repeat(4)}`;
    const services = { AllowBedrock: 'true', AllowDynamoDb: 'false', AllowS3: 'true', AllowSqs: 'false' };
    const RoleName = 'cordon.acme.abcdefgh';
    const { StackStatus, StackStatusReason } = await created({
      StackName: 'cordon-acme',
      TemplateBody: readFileSync(new URL('../../../functions/byoc/customer-role.template.yaml', import.meta.url), 'utf8'),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Parameters: parametersOf({ RoleName, ExternalId, PlatformAccountId: platform, ConnectorRoleArn, Regions: 'us-east-1', ...services }),
    });
    expect([StackStatus, StackStatusReason]).toEqual(['CREATE_COMPLETE', undefined]);
    expect(await policyNames(RoleName)).toEqual(['describe-itself', 'use-bedrock', 'use-s3']);
    const connector = await assume(kernel, worker, ConnectorRoleArn);
    const RoleArn = `arn:aws:iam::${customer}:role/${RoleName}`;
    expect((await assume(kernel, connector, RoleArn, { ExternalId })).accountId).toBe(customer);
    await expect(assume(kernel, connector, RoleArn)).rejects.toMatchObject({ code: 'AccessDenied' });
    await expect(assume(kernel, worker, RoleArn, { ExternalId })).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('is seen and touched in its own account only', async () => {
    const { StackId = '', StackName } = await created(request({ RoleName: 'cordon.acme.own' }));
    const other = clientOf(kernel.addAccount(otherCustomer).accessKeyId);
    await expect(other.send(new DescribeStacksCommand({ StackName: StackId }))).rejects.toThrow();
    await expect(other.send(new DescribeStacksCommand({ StackName }))).rejects.toThrow('does not exist');
    await other.send(new DeleteStackCommand({ StackName }));
    expect((await settled(StackName)).StackStatus).toBe('CREATE_COMPLETE');
  });
});

describe('the template of a stack', () => {
  it('is read from S3 with the permissions of the one who asks', async () => {
    const platformRoot = kernel.rootCaller(platform);
    const Bucket = 'templates';
    await kernel.call(platformRoot, 's3', 'CreateBucket', { Bucket });
    await kernel.call(platformRoot, 's3', 'PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration: {} });
    await kernel.call(platformRoot, 's3', 'PutObject', { Bucket, Key: 'customer-role/1.yaml', Body: template() });
    const from = (TemplateURL: string) => created(request({}, { TemplateBody: undefined, TemplateURL }));
    const url = `https://${Bucket}.s3.us-east-1.amazonaws.com/customer-role/1.yaml`;
    await expect(from(url)).rejects.toThrow(/S3 error: .*s3:GetObject/);
    const everyone = policy({
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/customer-role/*`,
    });
    await kernel.call(platformRoot, 's3', 'PutBucketPolicy', { Bucket, Policy: everyone });
    expect((await from(url)).StackStatus).toBe('CREATE_COMPLETE');
    expect((await from(`https://s3.amazonaws.com/${Bucket}/customer-role/1.yaml`)).StackStatus).toBe('CREATE_COMPLETE');
    expect((await from(`${server.endpoint}/${Bucket}/customer-role/1.yaml`)).StackStatus).toBe('CREATE_COMPLETE');
    await expect(from('https://example.com/customer-role/1.yaml')).rejects.toThrow('TemplateURL must be a supported URL');
  });

  it.each<[string, Partial<CreateStackCommandInput>, Record<string, string>, string | RegExp]>([
    [
      'without the acknowledgement of named IAM resources',
      { Capabilities: ['CAPABILITY_IAM'] },
      {},
      'Requires capabilities : [CAPABILITY_NAMED_IAM]',
    ],
    ['with a parameter it does not have', {}, { Other: 'x' }, 'no parameter Other'],
    ['with a parameter outside its pattern', {}, { RoleName: 'other.acme' }, 'RoleName must begin with cordon.'],
    ['with a parameter outside its values', {}, { AllowQueues: 'maybe' }, /AllowQueues must be one of AllowedValues/],
    ['with a parameter that is too short', {}, { ExternalId: 'x' }, 'at least 2 characters'],
    ['that is not well-formed', { TemplateBody: 'Resources: {a: [}' }, {}, 'Template format error'],
    ['with an alias', { TemplateBody: 'Resources: {A: &a {Type: AWS::SQS::Queue}, B: *a}' }, {}, 'YAML aliases are not allowed'],
    ['with a section that is not known', { TemplateBody: 'Transform: AWS::Serverless-2016-10-31\nResources: {}' }, {}, 'Unrecognized key'],
    ['that is longer than a body may be', { TemplateBody: `#${'x'.repeat(51_200)}\n${template()}` }, {}, 'less than or equal to 51200'],
    [
      'with a type that cannot be taken back',
      { TemplateBody: 'Resources: {Bus: {Type: AWS::Events::EventBus}}' },
      {},
      'does not implement the resource type',
    ],
  ])('is refused %s', async (_, more, values, message) => {
    await expect(admin.send(new CreateStackCommand(request(values, more)))).rejects.toThrow(message);
  });

  it('may be JSON, and fails as a stack where only the resources show that it is wrong', async () => {
    const Queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Join': ['-', ['q', { Ref: 'AWS::Region' }]] } } };
    const json = (Resources: object) => ({ TemplateBody: JSON.stringify({ Resources }), Parameters: [], StackName: 'json' });
    const stack = await created({ ...json({ Queue }) });
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const { QueueUrls } = await kernel.call(root, 'sqs', 'ListQueues', {});
    expect(QueueUrls).toEqual([expect.stringMatching(/\/q-us-east-1$/)]);
    await expect(admin.send(new CreateStackCommand(json({ Queue })))).rejects.toMatchObject({ name: 'AlreadyExistsException' });
    const Typo = { Type: 'AWS::SQS::Queue', Properties: { QueuName: 'x' } };
    expect(await created({ ...json({ Typo }), StackName: 'typo' })).toMatchObject({
      StackStatus: 'ROLLBACK_COMPLETE',
      StackStatusReason: expect.stringContaining('QueuName'),
    });
    await expect(admin.send(new ListStacksCommand({}))).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});
