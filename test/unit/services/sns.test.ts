import {
  AuthorizationErrorException,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetTopicAttributesCommand,
  InvalidParameterException,
  NotFoundException,
  PublishCommand,
  SetTopicAttributesCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import { createSns } from '../../../local/services/sns.ts';
import { allow, customer, makeUser, platform, policy, startCloud } from '../core/cloud.ts';

let kernel: LocalKernel;
let server: LocalServer;
let sns: SNSClient;
let theirs: SNSClient;
let made = 0;

beforeAll(async () => {
  ({ kernel } = startCloud());
  kernel.register(createSns(kernel));
  server = await startServer(kernel, { port: 0 });
  const config = { endpoint: server.endpoint, region: 'us-east-1', maxAttempts: 1 };
  sns = new SNSClient({ ...config, credentials: kernel.addAccount(platform) });
  theirs = new SNSClient({ ...config, credentials: kernel.addAccount(customer) });
});
afterAll(async () => {
  for (const client of [sns, theirs]) client.destroy();
  await server.close();
});

async function makeTopic(): Promise<string> {
  made += 1;
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `alarms-${made}` }));
  return TopicArn ?? '';
}
const get = (TopicArn: string, client = sns) => client.send(new GetTopicAttributesCommand({ TopicArn }));
const set = (TopicArn: string, AttributeValue: string, client = sns, AttributeName = 'Policy') =>
  client.send(new SetTopicAttributesCommand({ TopicArn, AttributeName, AttributeValue }));
const letIn = (Principal: unknown, Action: string, Resource: string): string => policy({ Effect: 'Allow', Principal, Action, Resource });

describe('a topic, by the stock client', () => {
  it('has AWS’s default policy until one is set, and a name that is its own', async () => {
    const arn = await makeTopic();
    expect(arn).toBe(`arn:aws:sns:us-east-1:${platform}:alarms-${made}`);
    const { Attributes } = await get(arn);
    expect(Attributes).toMatchObject({ TopicArn: arn, Owner: platform });
    expect(JSON.parse(Attributes?.['Policy'] ?? '')).toMatchObject({
      Version: '2008-10-17',
      Id: '__default_policy_ID',
      Statement: [
        {
          Principal: { AWS: '*' },
          Action: expect.arrayContaining(['SNS:Publish', 'SNS:SetTopicAttributes']),
          Resource: arn,
          Condition: { StringEquals: { 'AWS:SourceOwner': platform } },
        },
      ],
    });
  });

  it('keeps the policy that it is given, also when it is made once more', async () => {
    const arn = await makeTopic();
    const mine = letIn({ Service: 'cloudwatch.amazonaws.com' }, 'sns:Publish', arn);
    await set(arn, mine);
    await sns.send(new CreateTopicCommand({ Name: `alarms-${made}` }));
    expect((await get(arn)).Attributes?.['Policy']).toBe(mine);
  });

  it('is not there before it is made and after it is deleted, which may be done twice', async () => {
    const arn = await makeTopic();
    for (let nth = 0; nth < 2; nth += 1) await sns.send(new DeleteTopicCommand({ TopicArn: arn }));
    await expect(get(arn)).rejects.toBeInstanceOf(NotFoundException);
    await expect(set(arn, letIn('*', 'sns:Publish', arn))).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });

  it.each<[string, (arn: string) => string]>([
    ['no JSON', () => 'no'],
    ['empty', () => ''],
    ['with an element that no policy has', (arn) => policy({ ...allow('sns:Publish', arn), Principal: '*', Where: 'x' })],
    ['about another topic', (arn) => letIn('*', 'sns:Publish', `${arn}-2`)],
    ['about every topic', () => letIn('*', 'sns:Publish', '*')],
    ['about everything but a topic', (arn) => policy({ Effect: 'Allow', Principal: '*', Action: 'sns:Publish', NotResource: arn })],
    ['of another service', (arn) => letIn('*', 'sqs:SendMessage', arn)],
    ['of actions by a wildcard', (arn) => letIn('*', 'sns:*', arn)],
    ['of all actions but one', (arn) => policy({ Effect: 'Allow', Principal: '*', NotAction: 'sns:Publish', Resource: arn })],
    [
      'of too many statements',
      (arn) => policy(...Array(101).fill({ Effect: 'Deny', Principal: '*', Action: 'sns:Publish', Resource: arn })),
    ],
    ['too long', (arn) => policy({ Sid: 'x'.repeat(31_000), Effect: 'Deny', Principal: '*', Action: 'sns:Publish', Resource: arn })],
  ])('takes no policy that is %s', async (_, text) => {
    const arn = await makeTopic();
    const before = await get(arn);
    await expect(set(arn, text(arn))).rejects.toBeInstanceOf(InvalidParameterException);
    expect((await get(arn)).Attributes).toEqual(before.Attributes);
  });

  it('calls wrong input InvalidParameter, and says what is not there', async () => {
    const arn = await makeTopic();
    for (const wrong of ['x', `arn:aws:sqs:us-east-1:${platform}:x`])
      await expect(get(wrong)).rejects.toBeInstanceOf(InvalidParameterException);
    await expect(sns.send(new CreateTopicCommand({ Name: 'a b' }))).rejects.toBeInstanceOf(InvalidParameterException);
    await expect(set(arn, 'x', sns, 'Polity')).rejects.toBeInstanceOf(InvalidParameterException);
    for (const call of [
      () => set(arn, 'x', sns, 'DisplayName'),
      () => sns.send(new CreateTopicCommand({ Name: 'x', Tags: [{ Key: 'a', Value: 'b' }] })),
      () => sns.send(new PublishCommand({ TopicArn: arn, Message: 'x' })),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'NotImplemented' });
  });
});

describe('who may do something with a topic', () => {
  it('is decided by IAM: the default policy alone lets nobody in', async () => {
    const arn = await makeTopic();
    const nobody = await makeUser(kernel, 'nobody', undefined);
    const reader = await makeUser(kernel, 'reader', policy(allow('sns:GetTopicAttributes', arn)));
    const read = { TopicArn: arn };
    await expect(kernel.call(nobody, 'sns', 'GetTopicAttributes', read)).rejects.toMatchObject({ code: 'AuthorizationError', status: 403 });
    await kernel.call(reader, 'sns', 'GetTopicAttributes', read);
    const other = { TopicArn: await makeTopic() };
    await expect(kernel.call(reader, 'sns', 'GetTopicAttributes', other)).rejects.toMatchObject({ code: 'AuthorizationError' });
    for (const [name, input] of [
      ['SetTopicAttributes', { ...read, AttributeName: 'Policy', AttributeValue: letIn('*', 'sns:Publish', arn) }],
      ['DeleteTopic', read],
      ['CreateTopic', { Name: 'x' }],
    ] as const)
      await expect(kernel.call(reader, 'sns', name, input)).rejects.toMatchObject({ code: 'AuthorizationError' });
  });

  it('is decided by its policy too: it lets another account in, and keeps its own out', async () => {
    const arn = await makeTopic();
    await expect(get(arn, theirs)).rejects.toBeInstanceOf(AuthorizationErrorException);
    await set(arn, letIn({ AWS: `arn:aws:iam::${customer}:root` }, 'sns:GetTopicAttributes', arn));
    expect((await get(arn, theirs)).Attributes?.['Owner']).toBe(platform);
    await expect(set(arn, letIn('*', 'sns:Publish', arn), theirs)).rejects.toBeInstanceOf(AuthorizationErrorException);
    await set(arn, policy({ Sid: 'Nobody', Effect: 'Deny', Principal: '*', Action: 'sns:GetTopicAttributes', Resource: arn }));
    const all = await makeUser(kernel, 'all', policy(allow('*')));
    await expect(kernel.call(all, 'sns', 'GetTopicAttributes', { TopicArn: arn })).rejects.toMatchObject({
      code: 'AuthorizationError',
      message: expect.stringContaining(`topic alarms-${made}/Nobody`),
    });
  });
});
