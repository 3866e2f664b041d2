/** Adapters of ports that have no other side to compare with than the wire: what they send must arrive as it was meant. */
import { CreateEventBusCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnnouncer } from '../../functions/shared/announcer.eventbridge.ts';
import { createAssumeRole } from '../../functions/shared/assume-role.sts.ts';
import { clientCredentials } from '../../functions/shared/client-session.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { createInbox } from '../../functions/shared/inbox.sqs.ts';
import { createTenantSessions } from '../../functions/shared/tenant-sessions.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.close());

async function makeQueue(QueueName: string): Promise<{ url: string; arn: string }> {
  const { QueueUrl = '' } = await aws.admin.sqs.send(new CreateQueueCommand({ QueueName }));
  const { Attributes } = await aws.admin.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: QueueUrl, arn: Attributes?.['QueueArn'] ?? '' };
}

describe('the inbox on SQS', () => {
  it('puts a message aside as it was, with the reason beside it', async () => {
    const [queue, dead] = [await makeQueue('in'), await makeQueue('dead')];
    const inbox = createInbox(aws.admin.sqs, { queue: queue.url, deadLetterQueue: dead.url });
    const body = '{"not": "what it should be", "ü": "🦊"} ';
    await inbox.putAside(body, { code: 'EVENT_INVALID', message: `line\u0000 ${'x'.repeat(2000)}` });
    const { Messages } = await aws.admin.sqs.send(new ReceiveMessageCommand({ QueueUrl: dead.url, MessageAttributeNames: ['All'] }));
    expect(Messages).toMatchObject([
      {
        Body: body,
        MessageAttributes: {
          ReasonCode: { StringValue: 'EVENT_INVALID' },
          ReasonMessage: { StringValue: expect.stringMatching(/^line\? x{900,}$/) },
        },
      },
    ]);
  });

  it('hides a message for as long as it is told', async () => {
    const queue = await makeQueue('delayed');
    const inbox = createInbox(aws.admin.sqs, { queue: queue.url, deadLetterQueue: queue.url });
    await aws.admin.sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'x' }));
    const receive = async () =>
      (await aws.admin.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, VisibilityTimeout: 1 }))).Messages?.[0];
    await inbox.delay((await receive())?.ReceiptHandle ?? '', 100);
    aws.kernel.clock.advance(99_000);
    expect(await receive()).toBeUndefined();
    aws.kernel.clock.advance(2000);
    expect(await receive()).toMatchObject({ Body: 'x' });
  });
});

describe('the announcer on EventBridge', () => {
  it('publishes from Cordon’s own source', async () => {
    const { EventBusArn = '' } = await aws.admin.events.send(new CreateEventBusCommand({ Name: 'bus' }));
    const queue = await makeQueue('published');
    const { RuleArn } = await aws.admin.events.send(
      new PutRuleCommand({ Name: 'all', EventBusName: 'bus', EventPattern: '{"source":["cordon"]}' }),
    );
    const Statement = [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queue.arn,
        Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } },
      },
    ];
    await aws.admin.sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { Policy: JSON.stringify({ Version: '2012-10-17', Statement }) } }),
    );
    await aws.admin.events.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'bus', Targets: [{ Id: 'q', Arn: queue.arn }] }));
    expect(EventBusArn).not.toBe('');
    const detail = { version: 1, tenantId: tenantId.parse('acme'), requestedBy: 'op', rulesVersion: 3 } as const;
    await createAnnouncer(aws.admin.events, 'bus').announce('RoutingRulesApplied', detail);
    await aws.kernel.idle(5000);
    const { Messages } = await aws.admin.sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url }));
    expect(JSON.parse(Messages?.[0]?.Body ?? '{}')).toMatchObject({ source: 'cordon', 'detail-type': 'RoutingRulesApplied', detail });
  });
});

describe('a tenant session on STS', () => {
  it('carries the tenant as its tag and its name, and is refused where the trust policy says no', async () => {
    const { Arn = '' } = await aws.admin.sts.send(new GetCallerIdentityCommand({}));
    const Condition = { StringEquals: { 'aws:RequestTag/TenantId': 'acme' } };
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: Arn }, Action: ['sts:AssumeRole', 'sts:TagSession'], Condition }],
    };
    const { Role } = await aws.admin.iam.send(
      new CreateRoleCommand({ RoleName: 'Reader', AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    const own = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }] };
    await aws.admin.iam.send(new PutRolePolicyCommand({ RoleName: 'Reader', PolicyName: 'own', PolicyDocument: JSON.stringify(own) }));
    const roleArn = Role?.Arn ?? '';
    const sessions = createTenantSessions({ assume: createAssumeRole(aws.admin.sts), clock: aws.kernel.clock.now, capacity: 10 });
    const session = await sessions({ roleArn, tenantId: tenantId.parse('acme'), role: 'shared' });
    expect(session.expiresAt - aws.kernel.clock.now()).toBeGreaterThan(890_000);
    const sts = new STSClient({ endpoint: aws.endpoint, region: aws.region, credentials: clientCredentials(session) });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Arn).toMatch(/assumed-role\/Reader\/acme$/);
    await expect(sessions({ roleArn, tenantId: tenantId.parse('acme-2'), role: 'shared' })).rejects.toMatchObject({
      code: 'ACCESS_REFUSED',
    });
    await expect(sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'again' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    sts.destroy();
  });
});
