import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createCloudTrail } from '../../../local/services/cloudtrail.ts';
import { createEventBridge } from '../../../local/services/eventbridge.ts';
import { createIam } from '../../../local/services/iam.ts';
import { createKms } from '../../../local/services/kms.ts';
import { createSecretsManager } from '../../../local/services/secrets-manager.ts';
import { createSqs } from '../../../local/services/sqs.ts';
import { createSts } from '../../../local/services/sts.ts';
import { allow, makeUser, policy, trust } from '../core/cloud.ts';
import { account, customer, messagesOf, queueArn, queueUrl } from './event-cloud.ts';

const all = 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';
const record = z.looseObject({
  eventName: z.string(),
  readOnly: z.boolean(),
  userIdentity: z.looseObject({ type: z.string() }),
  requestParameters: z.looseObject({}).nullable(),
  errorCode: z.string().optional(),
});
const envelope = z.looseObject({ source: z.string(), 'detail-type': z.string(), account: z.string(), detail: record });
type Envelope = z.output<typeof envelope>;

interface TrailCloud {
  readonly kernel: LocalKernel;
  call(service: string, operation: string, input: object, as?: Caller): Promise<Record<string, unknown>>;
  /** Events that have come to the queue since it was asked last. */
  seen(): Promise<readonly Envelope[]>;
}

/** A cloud in which one rule of the default bus sends everything of CloudTrail to a queue. */
async function startTrailCloud({ state = all, logging = true, source = 'aws.secretsmanager' } = {}): Promise<TrailCloud> {
  const kernel = createKernel({ clock: createClock(), customerAccountIds: [customer] });
  const eventBridge = createEventBridge(kernel);
  const sqs = createSqs(kernel, { endpoint: () => 'http://127.0.0.1:4566' });
  const trail = createCloudTrail(kernel, eventBridge.serviceEvents);
  for (const service of [createIam(kernel), createSts(kernel), createKms(kernel), createSecretsManager(kernel), sqs, eventBridge, trail])
    kernel.register(service);
  const root = kernel.rootCaller(account);
  const call: TrailCloud['call'] = (service, operation, input, as = root) => kernel.call(as, service, operation, input);
  await call('sqs', 'CreateQueue', {
    QueueName: 'seen',
    Attributes: { Policy: policy(allow('sqs:SendMessage', queueArn('seen'), { Principal: { Service: 'events.amazonaws.com' } })) },
  });
  await call('events', 'PutRule', { Name: 'watch', State: state, EventPattern: JSON.stringify({ source: [source] }) });
  await call('events', 'PutTargets', { Rule: 'watch', Targets: [{ Id: 'queue', Arn: queueArn('seen') }] });
  const { KeyMetadata } = await call('kms', 'CreateKey', {});
  await call('kms', 'CreateAlias', { AliasName: 'alias/secrets', TargetKeyId: z.object({ KeyId: z.string() }).parse(KeyMetadata).KeyId });
  await call('cloudtrail', 'CreateTrail', { Name: 'trail', S3BucketName: 'logs' });
  if (logging) await call('cloudtrail', 'StartLogging', { Name: 'trail' });
  return {
    kernel,
    call,
    async seen() {
      await kernel.idle(5000, { exceptWaiting: true });
      for (let quiet = 0; quiet < 5; quiet += 1) await new Promise((resolve) => setTimeout(resolve, 1));
      const answer = await call('sqs', 'ReceiveMessage', { QueueUrl: queueUrl('seen'), MaxNumberOfMessages: 10 });
      return messagesOf(answer).map(({ Body }) => envelope.parse(JSON.parse(Body)));
    },
  };
}

const secret = { Name: 'app/key', KmsKeyId: 'alias/secrets', SecretString: 'a-very-secret-text' };

describe('CloudTrail in the local cloud', () => {
  it('is silent without a trail whose logging is on, and after it was turned off', async () => {
    const cloud = await startTrailCloud({ logging: false });
    await cloud.call('secretsmanager', 'CreateSecret', secret);
    expect(await cloud.seen()).toEqual([]);
    await cloud.call('cloudtrail', 'StartLogging', { Name: 'trail' });
    await cloud.call('cloudtrail', 'StopLogging', { Name: 'trail' });
    await cloud.call('secretsmanager', 'DescribeSecret', { SecretId: secret.Name });
    expect(await cloud.seen()).toEqual([]);
  });

  it('keeps what is read only from an ordinary rule', async () => {
    const cloud = await startTrailCloud({ state: 'ENABLED' });
    await cloud.call('secretsmanager', 'CreateSecret', secret);
    await cloud.call('secretsmanager', 'GetSecretValue', { SecretId: secret.Name });
    expect((await cloud.seen()).map(({ detail }) => detail.eventName)).toEqual(['CreateSecret']);
  });

  it('tells who called what, and never a secret', async () => {
    const cloud = await startTrailCloud();
    await cloud.call('secretsmanager', 'CreateSecret', secret);
    await cloud.call('secretsmanager', 'GetSecretValue', { SecretId: secret.Name });
    const [created, read] = await cloud.seen();
    expect(created).toMatchObject({
      source: 'aws.secretsmanager',
      'detail-type': 'AWS API Call via CloudTrail',
      account,
      detail: { eventName: 'CreateSecret', readOnly: false, requestParameters: { name: 'app/key' } },
    });
    expect(read).toMatchObject({
      detail: {
        eventSource: 'secretsmanager.amazonaws.com',
        eventName: 'GetSecretValue',
        readOnly: true,
        managementEvent: true,
        recipientAccountId: account,
        userIdentity: { type: 'Root', arn: `arn:aws:iam::${account}:root` },
        requestParameters: { secretId: 'app/key' },
        responseElements: null,
      },
    });
    expect(JSON.stringify([created, read])).not.toContain('a-very-secret-text');
  });

  it('tells of refused calls and of failed ones', async () => {
    const cloud = await startTrailCloud();
    const nobody = await makeUser(cloud.kernel, 'nobody', undefined);
    await expect(cloud.call('secretsmanager', 'GetSecretValue', { SecretId: 'app/key' }, nobody)).rejects.toThrow();
    await expect(cloud.call('secretsmanager', 'GetSecretValue', { SecretId: 'app/key' })).rejects.toThrow();
    expect((await cloud.seen()).map(({ detail }) => [detail.errorCode, detail.userIdentity.type, detail.requestParameters])).toEqual([
      ['AccessDenied', 'IAMUser', { secretId: 'app/key' }],
      ['ResourceNotFoundException', 'Root', { secretId: 'app/key' }],
    ]);
  });

  it('names session, issuer and tags of an assumed role', async () => {
    const cloud = await startTrailCloud({ source: 'aws.sts' });
    const user = await makeUser(cloud.kernel, 'user', policy(allow(['sts:AssumeRole', 'sts:TagSession'], '*')));
    await cloud.call('iam', 'CreateRole', {
      RoleName: 'reader',
      AssumeRolePolicyDocument: trust({ AWS: account }),
    });
    const input = {
      RoleArn: `arn:aws:iam::${account}:role/reader`,
      RoleSessionName: 'acme',
      Tags: [{ Key: 'TenantId', Value: 'acme' }],
    };
    await cloud.call('sts', 'AssumeRole', input, user);
    const [assumed] = await cloud.seen();
    expect(assumed?.detail).toMatchObject({
      readOnly: true,
      requestParameters: { roleArn: input.RoleArn, roleSessionName: 'acme', tags: [{ key: 'TenantId', value: 'acme' }] },
      responseElements: { assumedRoleUser: { arn: `arn:aws:sts::${account}:assumed-role/reader/acme` } },
    });
  });

  it('names the service that called on somebody’s behalf', async () => {
    const cloud = await startTrailCloud({ source: 'aws.kms' });
    await cloud.call('secretsmanager', 'CreateSecret', secret);
    const [made] = await cloud.seen();
    expect(made?.detail).toMatchObject({
      eventName: 'GenerateDataKey',
      userIdentity: { type: 'Root', invokedBy: 'secretsmanager.amazonaws.com' },
      requestParameters: { encryptionContext: { SecretARN: expect.stringContaining('app/key') } },
    });
  });

  it('tells the owner of a secret of a reader from another account by no more than that account', async () => {
    const cloud = await startTrailCloud();
    const { ARN } = await cloud.call('secretsmanager', 'CreateSecret', secret);
    await cloud.call('secretsmanager', 'PutResourcePolicy', {
      SecretId: secret.Name,
      ResourcePolicy: policy(allow('secretsmanager:DescribeSecret', '*', { Principal: { AWS: customer } })),
    });
    await cloud.seen();
    await cloud.call('secretsmanager', 'DescribeSecret', { SecretId: ARN }, cloud.kernel.rootCaller(customer));
    expect((await cloud.seen()).map(({ detail }) => detail.userIdentity)).toEqual([
      { type: 'AWSAccount', principalId: customer, accountId: customer },
    ]);
  });
});
