import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import { registerServices } from '../../../local/services.ts';
import { type LoadedStack, loadTemplate } from '../../../local/template/load-template.ts';

const account = '111122223333';
const arnOf = (service: string, resource: string) => `arn:aws:${service}:us-east-1:${account}:${resource}`;
const ref = (name: string) => ({ Ref: name });
const getAtt = (id: string, attribute = 'Arn') => ({ 'Fn::GetAtt': [id, attribute] });
const allow = (action: string | string[], resource: unknown, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: action, Resource: resource, ...more }],
});

interface Loaded {
  readonly kernel: LocalKernel;
  readonly stack: LoadedStack;
  read(service: string, operation: string, input: object): Promise<Record<string, unknown>>;
}
/** Loads a template into a cloud with every service; its bundle `work` answers with the function's environment. */
async function load(template: { Resources: object; [section: string]: unknown }, parameters: Record<string, string> = {}): Promise<Loaded> {
  const folder = mkdtempSync(join(tmpdir(), 'cordon-template-'));
  mkdirSync(join(folder, 'asset.work'));
  writeFileSync(join(folder, 'asset.work', 'index.mjs'), 'export const handler = async () => process.env;');
  const templatePath = join(folder, 'template.json');
  writeFileSync(templatePath, JSON.stringify(template));
  const kernel = createKernel({ clock: createClock() });
  registerServices(kernel, { endpoint: () => 'http://127.0.0.1:4566', assetRoot: folder });
  onTestFinished(async () => {
    await kernel.close();
    rmSync(folder, { recursive: true });
  });
  const stack = await loadTemplate(kernel, { templatePath, parameters });
  return { kernel, stack, read: (service, operation, input) => kernel.call(kernel.rootCaller(account), service, operation, input) };
}
const queue = (properties: object = {}, more: object = {}) => ({ Type: 'AWS::SQS::Queue', Properties: properties, ...more });
const outputs = async (
  values: Record<string, unknown>,
  more: { Resources?: object; [section: string]: unknown } = {},
  parameters: Record<string, string> = {},
) =>
  (
    await load(
      { Resources: {}, ...more, Outputs: Object.fromEntries(Object.entries(values).map(([key, Value]) => [key, { Value }])) },
      parameters,
    )
  ).stack.outputs;

describe('a loaded template', () => {
  it('has what it describes, with generated names that are the same at each load', async () => {
    const { stack, read } = await load({
      Resources: { Work: queue({ VisibilityTimeout: 60 }) },
      Outputs: { Url: { Value: ref('Work') }, Arn: { Value: getAtt('Work') } },
    });
    const name = stack.resources['Work']?.attributes['QueueName'] ?? '';
    expect(name).toMatch(/^Cordon-Work-[0-9A-F]{8}$/);
    expect(stack.outputs).toEqual({ Url: `http://127.0.0.1:4566/${account}/${name}`, Arn: arnOf('sqs', name) });
    expect(await read('sqs', 'GetQueueAttributes', { QueueUrl: stack.outputs['Url'], AttributeNames: ['VisibilityTimeout'] })).toEqual({
      Attributes: { VisibilityTimeout: '60' },
    });
    expect((await load({ Resources: { Work: queue() } })).stack.resources['Work']?.attributes['QueueName']).toBe(name);
  });

  it('makes a resource after those it refers to, wherever they stand', async () => {
    const { stack, read } = await load({
      Resources: {
        Work: queue({ RedrivePolicy: { deadLetterTargetArn: getAtt('Dead'), maxReceiveCount: 3 } }),
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: [ref('Work')],
            PolicyDocument: allow('sqs:SendMessage', getAtt('Work'), { Principal: { Service: 'events.amazonaws.com' } }),
          },
        },
        Dead: queue({}, { DependsOn: ['Bus'] }),
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
      },
    });
    expect(Object.keys(stack.resources)).toEqual(['Bus', 'Dead', 'Work', 'Policy']);
    const { Attributes } = await read('sqs', 'GetQueueAttributes', {
      QueueUrl: stack.resources['Work']?.physicalId,
      AttributeNames: ['RedrivePolicy', 'Policy'],
    });
    expect(Attributes).toMatchObject({
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: stack.resources['Dead']?.attributes['Arn'], maxReceiveCount: 3 }),
      Policy: expect.stringContaining('events.amazonaws.com'),
    });
  });

  it('carries an event from the bus through rule and queue to the function', async () => {
    const Role = {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      },
      Policies: [
        {
          PolicyName: 'Function',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], Resource: getAtt('Work') },
              { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: getAtt('Log') },
            ],
          },
        },
      ],
    };
    const Code = { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: 'work.zip' };
    const { kernel, stack, read } = await load({
      Resources: {
        Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'bus' } },
        Work: queue(),
        Allow: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: [ref('Work')],
            PolicyDocument: allow('sqs:SendMessage', getAtt('Work'), {
              Principal: { Service: 'events.amazonaws.com' },
              Condition: { ArnEquals: { 'aws:SourceArn': getAtt('Rule') } },
            }),
          },
        },
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventBusName: ref('Bus'),
            EventPattern: { source: ['shop'] },
            State: 'ENABLED',
            Targets: [{ Id: 'Target0', Arn: getAtt('Work') }],
          },
        },
        Log: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 90 } },
        Worker: { Type: 'AWS::IAM::Role', Properties: Role },
        Function: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code,
            Role: getAtt('Worker'),
            Handler: 'index.handler',
            Runtime: 'nodejs24.x',
            Architectures: ['arm64'],
            Environment: { Variables: { QUEUE: ref('Work') } },
            LoggingConfig: { LogGroup: ref('Log') },
            TracingConfig: { Mode: 'Active' },
          },
          DependsOn: ['Worker'],
        },
        Source: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { FunctionName: ref('Function'), EventSourceArn: getAtt('Work'), BatchSize: 10 },
        },
      },
    });
    const environment = await read('lambda', 'Invoke', { FunctionName: stack.resources['Function']?.physicalId });
    expect(JSON.parse(String(environment['Payload']))).toMatchObject({ QUEUE: stack.resources['Work']?.physicalId });
    await read('events', 'PutEvents', { Entries: [{ EventBusName: 'bus', Source: 'shop', DetailType: 'Sold', Detail: '{}' }] });
    expect(await kernel.idle(5000)).toBe(true);
    const actions = kernel.journal
      .since(0)
      .filter((entry) => entry.principal.includes('assumed-role'))
      .map((entry) => `${entry.action} ${entry.decision}`);
    expect(actions).toEqual(['sqs:ReceiveMessage allow', 'sqs:DeleteMessage allow']);
  });

  it('makes keys, aliases, secrets, tables, policies and permissions', async () => {
    const { stack, read } = await load({
      Resources: {
        Key: {
          Type: 'AWS::KMS::Key',
          Properties: {
            EnableKeyRotation: true,
            Tags: [{ Key: 'team', Value: 'a' }],
            KeyPolicy: allow('kms:*', '*', { Principal: { AWS: { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' } } }),
          },
        },
        Alias: { Type: 'AWS::KMS::Alias', Properties: { AliasName: 'alias/own', TargetKeyId: ref('Key') } },
        Secret: {
          Type: 'AWS::SecretsManager::Secret',
          Properties: {
            KmsKeyId: getAtt('Key'),
            GenerateSecretString: { PasswordLength: 20, SecretStringTemplate: '{"user":"x"}', GenerateStringKey: 'password' },
          },
        },
        Table: {
          Type: 'AWS::DynamoDB::Table',
          Properties: {
            AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
            KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
            BillingMode: 'PAY_PER_REQUEST',
            PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          },
        },
        Boundary: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { ManagedPolicyName: 'Boundary', Path: '/own/', PolicyDocument: allow('*', '*') },
        },
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            RoleName: 'Reader',
            Path: '/own/',
            PermissionsBoundary: ref('Boundary'),
            ManagedPolicyArns: [ref('Boundary')],
            AssumeRolePolicyDocument: {
              Version: '2012-10-17',
              Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
            },
          },
        },
        More: {
          Type: 'AWS::IAM::Policy',
          Properties: { PolicyName: 'More', Roles: [ref('Role')], PolicyDocument: allow('dynamodb:GetItem', getAtt('Table')) },
        },
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmActions: [ref('Topic')], Anything: 1 } },
        Topic: { Type: 'AWS::SNS::Topic' },
      },
      Outputs: { Role: { Value: getAtt('Role') }, Policy: { Value: ref('Boundary') }, Topic: { Value: ref('Topic') } },
    });
    expect(stack.outputs).toEqual({
      Role: `arn:aws:iam::${account}:role/own/Reader`,
      Policy: `arn:aws:iam::${account}:policy/own/Boundary`,
      Topic: expect.stringMatching(/^arn:aws:sns:us-east-1:111122223333:Cordon-Topic-/),
    });
    const { SecretString } = await read('secretsmanager', 'GetSecretValue', { SecretId: stack.resources['Secret']?.physicalId });
    expect(JSON.parse(String(SecretString))).toEqual({ user: 'x', password: expect.stringMatching(/^.{20}$/) });
    expect(await read('kms', 'DescribeKey', { KeyId: 'alias/own' })).toMatchObject({
      KeyMetadata: { Arn: stack.resources['Key']?.attributes['Arn'] },
    });
    expect(await read('dynamodb', 'DescribeTable', { TableName: stack.resources['Table']?.physicalId })).toMatchObject({
      Table: { TableArn: stack.resources['Table']?.attributes['Arn'] },
    });
    expect(await read('iam', 'ListRolePolicies', { RoleName: 'Reader' })).toMatchObject({ PolicyNames: ['More'] });
    expect(await read('iam', 'ListAttachedRolePolicies', { RoleName: 'Reader' })).toMatchObject({
      AttachedPolicies: [{ PolicyName: 'Boundary' }],
    });
    expect(await read('iam', 'GetRole', { RoleName: 'Reader' })).toMatchObject({
      Role: { PermissionsBoundary: { PermissionsBoundaryArn: stack.outputs['Policy'] } },
    });
  });
});

describe('intrinsic functions', () => {
  const Parameters = { Stage: { Type: 'String', Default: 'dev' }, Names: { Type: 'String', Default: 'a,b' } };
  const Conditions = {
    Live: { 'Fn::Equals': [ref('Stage'), 'live'] },
    Dev: { 'Fn::Not': [{ Condition: 'Live' }] },
    Both: { 'Fn::And': [{ Condition: 'Dev' }, { 'Fn::Or': [{ Condition: 'Live' }, { 'Fn::Equals': ['1', 1] }] }] },
  };
  it.each<[string, unknown, string]>([
    ['Ref to a parameter', ref('Stage'), 'dev'],
    ['Ref to a pseudo parameter', ref('AWS::Region'), 'us-east-1'],
    ['Fn::Join', { 'Fn::Join': ['-', ['x', ref('Stage'), 3]] }, 'x-dev-3'],
    ['Fn::Join of a list that a function makes', { 'Fn::Join': ['+', { 'Fn::Split': [',', ref('Names')] }] }, 'a+b'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': [',', ref('Names')] }] }, 'b'],
    ['Fn::Sub with parameter and attribute', { 'Fn::Sub': '${Stage}:${Work.QueueName}' }, 'dev:own'],
    ['Fn::Sub with its own variables and a literal', { 'Fn::Sub': ['${X}/${!Literal}', { X: ref('Stage') }] }, 'dev/${Literal}'],
    ['Fn::GetAtt with a dot', { 'Fn::GetAtt': 'Work.QueueName' }, 'own'],
    ['Fn::If, false', { 'Fn::If': ['Live', 'yes', 'no'] }, 'no'],
    ['Fn::If with Fn::Not, Fn::And and Fn::Or', { 'Fn::If': ['Both', 'yes', 'no'] }, 'yes'],
  ])('resolve %s', async (_, value, expected) => {
    expect(await outputs({ Value: value }, { Parameters, Conditions, Resources: { Work: queue({ QueueName: 'own' }) } })).toEqual({
      Value: expected,
    });
  });

  it('take given parameters over defaults, and leave out what AWS::NoValue stands for', async () => {
    const Resources = {
      Work: queue({ QueueName: 'own', VisibilityTimeout: { 'Fn::If': ['Live', 99, ref('AWS::NoValue')] } }),
      Live: queue({ QueueName: 'live' }, { Condition: 'Live' }),
    };
    const attributes = async ({ read, stack }: Loaded) =>
      (await read('sqs', 'GetQueueAttributes', { QueueUrl: stack.resources['Work']?.physicalId, AttributeNames: ['VisibilityTimeout'] }))[
        'Attributes'
      ];
    const dev = await load({ Parameters, Conditions, Resources });
    expect([await attributes(dev), Object.keys(dev.stack.resources)]).toEqual([{ VisibilityTimeout: '30' }, ['Work']]);
    const live = await load({ Parameters, Conditions, Resources }, { Stage: 'live' });
    expect([await attributes(live), Object.keys(live.stack.resources).sort()]).toEqual([{ VisibilityTimeout: '99' }, ['Live', 'Work']]);
  });
});

describe('a template is refused', () => {
  it.each<[string, { Resources: object; [section: string]: unknown }, RegExp]>([
    ['for a resource type that is not known', { Resources: { Disk: { Type: 'AWS::EC2::Volume' } } }, /Disk.*AWS::EC2::Volume/],
    ['for a property that is not known', { Resources: { Work: queue({ Surprise: 1 }) } }, /Work.*Surprise/],
    [
      'for a nested property that is not known',
      {
        Resources: {
          Work: {
            Type: 'AWS::IAM::Policy',
            Properties: { PolicyName: 'x', Roles: ['r'], PolicyDocument: { Statement: [] }, Users: ['u'] },
          },
        },
      },
      /Work.*Users/,
    ],
    [
      'for a property that the service does not take',
      { Resources: { Work: queue({ VisibilityTimeout: 50_000 }) } },
      /Work.*VisibilityTimeout/,
    ],
    [
      'for an intrinsic function that is not known',
      { Resources: { Work: queue({ QueueName: { 'Fn::ImportValue': 'x' } }) } },
      /Work.*Fn::ImportValue/,
    ],
    ['for a reference to nothing', { Resources: { Work: queue({ QueueName: ref('Nothing') }) } }, /Work.*Ref Nothing/],
    [
      'for an attribute that is not known',
      { Resources: { Dead: queue(), Work: queue({ QueueName: getAtt('Dead', 'Colour') }) } },
      /Work.*Dead\.Colour/,
    ],
    [
      'for a circle',
      {
        Resources: {
          A: queue({}, { DependsOn: 'B' }),
          B: queue({ QueueName: { 'Fn::Sub': '${C}' } }),
          C: queue({ QueueName: getAtt('A', 'QueueName') }),
        },
      },
      /A → B → C → A/,
    ],
    ['for a section that is not known', { Resources: {}, Transform: 'AWS::Serverless-2016-10-31' }, /Transform/],
    ['for a parameter without value', { Resources: {}, Parameters: { Needed: { Type: 'String' } } }, /Needed/],
  ])('%s, naming it', async (_, template, message) => {
    await expect(load(template)).rejects.toThrow(message);
  });

  it('for a value given to a parameter it does not have', async () => {
    await expect(load({ Resources: {} }, { Stranger: 'x' })).rejects.toThrow(/Stranger/);
  });
});
