import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import { registerServices } from '../../../local/services.ts';
import { type LoadedStack, loadTemplate } from '../../../local/template/load-template.ts';
import { policiesOf } from '../../../local/template/policies.ts';

const account = '111122223333';
const getArn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const objectsOf = (id: string, prefix: string) => ({ 'Fn::Join': ['', [getArn(id), `/${prefix}`]] });
const trust = (service: string, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole', ...more }],
});

async function load(Resources: object): Promise<{ kernel: LocalKernel; stack: LoadedStack }> {
  const folder = mkdtempSync(join(tmpdir(), 'cordon-template-'));
  mkdirSync(join(folder, 'asset.work'));
  writeFileSync(join(folder, 'asset.work', 'index.mjs'), 'export const handler = async () => {};');
  const templatePath = join(folder, 'template.json');
  writeFileSync(templatePath, JSON.stringify({ Resources }));
  const kernel = createKernel({ clock: createClock() });
  registerServices(kernel, { endpoint: () => 'http://127.0.0.1:4566', assetRoot: folder });
  onTestFinished(async () => {
    await kernel.close();
    rmSync(folder, { recursive: true });
  });
  return { kernel, stack: await loadTemplate(kernel, { templatePath }) };
}

/** As CDK writes a bucket that everyone may read one prefix of, over TLS only. */
const bucket = {
  Templates: {
    Type: 'AWS::S3::Bucket',
    Properties: {
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: false,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: false,
      },
      VersioningConfiguration: { Status: 'Enabled' },
    },
    DeletionPolicy: 'Retain',
    UpdateReplacePolicy: 'Retain',
  },
  TemplatesPolicy: {
    Type: 'AWS::S3::BucketPolicy',
    Properties: {
      Bucket: { Ref: 'Templates' },
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Action: 's3:*',
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            Effect: 'Deny',
            Principal: { AWS: '*' },
            Resource: [getArn('Templates'), objectsOf('Templates', '*')],
          },
          { Action: 's3:GetObject', Effect: 'Allow', Principal: { AWS: '*' }, Resource: objectsOf('Templates', 'customer-role/*') },
        ],
      },
    },
  },
};

/** As CDK writes a schedule with a Lambda function for its target. */
const schedule = {
  FunctionRole: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('lambda.amazonaws.com') } },
  Sweep: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Bucket: 'assets', S3Key: 'work.zip' },
      Role: getArn('FunctionRole'),
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
    },
  },
  ScheduleRole: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: trust('scheduler.amazonaws.com', {
        Condition: {
          StringEquals: {
            'aws:SourceAccount': { Ref: 'AWS::AccountId' },
            'aws:SourceArn': { 'Fn::Sub': 'arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default' },
          },
        },
      }),
    },
  },
  ScheduleRolePolicy: {
    Type: 'AWS::IAM::Policy',
    Properties: {
      PolicyName: 'Invoke',
      Roles: [{ Ref: 'ScheduleRole' }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: [getArn('Sweep')] }],
      },
    },
  },
  EveryMinute: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      FlexibleTimeWindow: { Mode: 'OFF' },
      ScheduleExpression: 'rate(1 minute)',
      ScheduleExpressionTimezone: 'Etc/UTC',
      State: 'ENABLED',
      Target: {
        Arn: getArn('Sweep'),
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 0 },
        RoleArn: getArn('ScheduleRole'),
      },
    },
  },
};

describe('a template with a bucket', () => {
  it('lets nobody in particular read what its policy opens, and nothing else', async () => {
    const { kernel, stack } = await load(bucket);
    const Bucket = stack.resources['Templates']?.physicalId ?? '';
    expect(Bucket).toMatch(/^cordon-templates-[0-9a-f]{8}$/);
    const root = kernel.rootCaller(account);
    const anyone = kernel.anonymousCaller();
    for (const Key of ['customer-role/1.yaml', 'private']) await kernel.call(root, 's3', 'PutObject', { Bucket, Key, Body: 'text' });
    expect(await kernel.call(anyone, 's3', 'GetObject', { Bucket, Key: 'customer-role/1.yaml' })).toMatchObject({ ContentLength: 4 });
    for (const [operation, input] of [
      ['GetObject', { Bucket, Key: 'private' }],
      ['PutObject', { Bucket, Key: 'customer-role/1.yaml', Body: 'other' }],
      ['DeleteObject', { Bucket, Key: 'customer-role/1.yaml' }],
      ['HeadBucket', { Bucket }],
    ] as const)
      await expect(kernel.call(anyone, 's3', operation, input)).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('is not loaded when its policy is public and the bucket does not say that it may be', async () => {
    const closed = { ...bucket, Templates: { Type: 'AWS::S3::Bucket' } };
    await expect(load(closed)).rejects.toThrow(/TemplatesPolicy.*BlockPublicPolicy/);
  });

  it('shows the policy among its documents, under the name the bucket will have', () => {
    const [document] = policiesOf({ Resources: bucket });
    expect(document).toMatchObject({ kind: 'resource', logicalId: 'TemplatesPolicy' });
    expect(JSON.stringify(document)).toMatch(/"arn:aws:s3:::cordon-templates-[0-9a-f]{8}\/customer-role\/\*"/);
  });
});

describe('a template with a schedule', () => {
  it('has its function invoked every minute of the clock', async () => {
    const { kernel, stack } = await load(schedule);
    const name = stack.resources['EveryMinute']?.physicalId;
    expect(stack.resources['EveryMinute']?.attributes['Arn']).toBe(`arn:aws:scheduler:us-east-1:${account}:schedule/default/${name}`);
    const invoked = () =>
      kernel.journal.since().filter(({ action, decision }) => action === 'lambda:InvokeFunction' && decision === 'allow').length;
    expect(await kernel.idle(5000)).toBe(true);
    expect(invoked()).toBe(0);
    for (const times of [1, 2]) {
      kernel.clock.advance(60_000);
      expect(await kernel.idle(10_000)).toBe(true);
      expect(invoked()).toBe(times);
    }
  });

  it('is not loaded with a window that is flexible, or a group that is missing', async () => {
    const properties = schedule.EveryMinute.Properties;
    const changed = (more: object) => ({
      ...schedule,
      EveryMinute: { Type: 'AWS::Scheduler::Schedule', Properties: { ...properties, ...more } },
    });
    await expect(load(changed({ FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 5 } }))).rejects.toThrow(/EveryMinute/);
    await expect(load(changed({ GroupName: 'ours' }))).rejects.toThrow('Schedule group ours does not exist');
    const Group = { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: 'default-2' } };
    await expect(load({ ...changed({ GroupName: { Ref: 'Group' } }), Group })).rejects.toThrow('assume the role');
  });
});

describe('a template with a signing key', () => {
  it('makes a key that signs', async () => {
    const Properties = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
    const { kernel, stack } = await load({ Evidence: { Type: 'AWS::KMS::Key', Properties } });
    const KeyId = stack.resources['Evidence']?.physicalId;
    const { KeyMetadata } = await kernel.call(kernel.rootCaller(account), 'kms', 'DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject(Properties);
  });
});
