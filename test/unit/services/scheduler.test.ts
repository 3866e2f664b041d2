import { describe, expect, it } from 'vitest';
import type { Caller } from '../../../local/core/service.ts';
import { createScheduler } from '../../../local/services/scheduler.ts';
import { nextAt, rateOf } from '../../../local/services/scheduler-expression.ts';
import { allow, makeRole, makeUser, policy, trust } from '../core/cloud.ts';
import { account, type EventCloud, queueArn, receive, region, startEventCloud } from './event-cloud.ts';

const functionArn = (name: string): string => `arn:aws:lambda:${region}:${account}:function:${name}`;
const groupArn = `arn:aws:scheduler:${region}:${account}:schedule-group/default`;
const minute = 60_000;
const bySchedules = { Service: 'scheduler.amazonaws.com' };
const onlyOurs = { Condition: { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': groupArn } } };
const mayInvoke = policy(allow('lambda:InvokeFunction', functionArn('sweep')), allow('sqs:SendMessage', queueArn('dead')));

interface Scheduled extends EventCloud {
  /** What the function was invoked with, as it has put it into a queue. */
  invocations(): Promise<unknown[]>;
  schedule(name: string, more?: object, target?: object): Promise<Record<string, unknown>>;
  /** Moves the clock and lets what follows from it happen. */
  advance(ms: number): Promise<void>;
}

/** A function that writes what it is invoked with to its log, and a role that Scheduler may invoke it with. */
async function withFunction(roleTrust = trust(bySchedules, onlyOurs, ['sts:AssumeRole']), rolePolicy = mayInvoke): Promise<Scheduled> {
  const cloud = startEventCloud();
  const { kernel } = cloud;
  kernel.register(createScheduler(kernel, { report: (line) => void cloud.reports.push(line) }));
  cloud.writeBundle('sweep', 'export const handler = async (event) => { console.log(`EVENT ${JSON.stringify(event)}`); };');
  const logs = policy(allow(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']));
  const Role = await makeRole(kernel, 'function', trust({ Service: 'lambda.amazonaws.com' }, {}, ['sts:AssumeRole']), logs);
  const Code = { S3Bucket: 'assets', S3Key: 'sweep.zip' };
  await cloud.call('lambda', 'CreateFunction', { FunctionName: 'sweep', Role, Handler: 'index.handler', Runtime: 'nodejs24.x', Code });
  await cloud.call('sqs', 'CreateQueue', { QueueName: 'dead' });
  const RoleArn = await makeRole(kernel, 'schedule', roleTrust, rolePolicy);
  const logGroupName = '/aws/lambda/sweep';
  await cloud.call('logs', 'CreateLogGroup', { logGroupName });
  return {
    ...cloud,
    async invocations() {
      const { events = [] } = await cloud.call('logs', 'FilterLogEvents', { logGroupName });
      const messages = (Array.isArray(events) ? events : []).map(({ message }) => /EVENT (.*)/.exec(String(message))?.[1]);
      return messages.flatMap((message) => (message === undefined ? [] : [JSON.parse(message)]));
    },
    schedule: (Name, more = {}, target = {}) =>
      cloud.call('scheduler', 'CreateSchedule', {
        Name,
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: functionArn('sweep'), RoleArn, ...target },
        ...more,
      }),
    async advance(ms) {
      kernel.clock.advance(ms);
      expect(await kernel.idle(10_000)).toBe(true);
    },
  };
}

describe('a schedule', () => {
  it('invokes its function once for each time that becomes due, and once for all that the clock has jumped over', async () => {
    const cloud = await withFunction();
    const { ScheduleArn } = await cloud.schedule('every-minute');
    expect(ScheduleArn).toBe(`arn:aws:scheduler:${region}:${account}:schedule/default/every-minute`);
    await cloud.advance(59_000);
    expect(await cloud.invocations()).toEqual([]);
    await cloud.advance(1000);
    expect(await cloud.invocations()).toEqual([
      expect.objectContaining({ source: 'aws.scheduler', 'detail-type': 'Scheduled Event', resources: [ScheduleArn], account, region }),
    ]);
    await cloud.advance(10 * minute);
    expect(await cloud.invocations()).toHaveLength(2);
    await cloud.advance(30_000);
    expect(await cloud.invocations()).toHaveLength(2);
    await cloud.advance(30_000);
    expect(await cloud.invocations()).toHaveLength(3);
  });

  it('lets the cloud be idle between two times, also for who does not wait for the clock', async () => {
    const cloud = await withFunction();
    await cloud.schedule('every-minute');
    expect(await cloud.kernel.idle(200)).toBe(true);
    expect(await cloud.kernel.idle(200, { exceptWaiting: true })).toBe(true);
  });

  it('passes its own input with the context attributes filled in', async () => {
    const cloud = await withFunction();
    const Input = JSON.stringify({ a: '<aws.scheduler.schedule-arn>', n: '<aws.scheduler.attempt-number>', x: '<aws.scheduler.unknown>' });
    const { ScheduleArn } = await cloud.schedule('with-input', {}, { Input });
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual([{ a: ScheduleArn, n: '1', x: '<aws.scheduler.unknown>' }]);
  });

  it('rests while it is disabled, fires by its new rate when changed, and not at all when deleted', async () => {
    const cloud = await withFunction();
    await cloud.schedule('off', { State: 'DISABLED' });
    await cloud.advance(5 * minute);
    expect(await cloud.invocations()).toEqual([]);
    const {
      Arn: _arn,
      CreationDate: _created,
      LastModificationDate: _modified,
      ...config
    } = await cloud.call('scheduler', 'GetSchedule', { Name: 'off' });
    expect(config).toMatchObject({ State: 'DISABLED', GroupName: 'default' });
    await cloud.call('scheduler', 'UpdateSchedule', { ...config, State: 'ENABLED', ScheduleExpression: 'rate(2 hours)' });
    await cloud.advance(119 * minute);
    expect(await cloud.invocations()).toEqual([]);
    await cloud.advance(minute);
    expect(await cloud.invocations()).toHaveLength(1);
    await cloud.call('scheduler', 'UpdateSchedule', { ...config, State: 'ENABLED', ScheduleExpression: 'rate(1 day)' });
    await cloud.advance(3 * 60 * minute);
    expect(await cloud.invocations()).toHaveLength(1);
    await cloud.call('scheduler', 'DeleteSchedule', { Name: 'off' });
    await cloud.advance(4 * 60 * minute);
    expect(await cloud.invocations()).toHaveLength(1);
    await expect(cloud.call('scheduler', 'GetSchedule', { Name: 'off' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('goes with its group', async () => {
    const ownGroup = groupArn.replace('default', 'ours');
    const cloud = await withFunction(trust(bySchedules, { Condition: { ArnEquals: { 'aws:SourceArn': ownGroup } } }, ['sts:AssumeRole']));
    await expect(cloud.schedule('grouped', { GroupName: 'ours' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    expect(await cloud.call('scheduler', 'CreateScheduleGroup', { Name: 'ours' })).toEqual({ ScheduleGroupArn: ownGroup });
    await cloud.schedule('grouped', { GroupName: 'ours' });
    await cloud.call('scheduler', 'DeleteScheduleGroup', { Name: 'ours' });
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual([]);
  });
});

describe('the role of a schedule', () => {
  it('must trust Scheduler, for this account and group', async () => {
    const refused = {
      code: 'ValidationException',
      message: expect.stringContaining('must allow AWS EventBridge Scheduler to assume the role'),
    };
    const byLambda = await withFunction(trust({ Service: 'lambda.amazonaws.com' }, {}, ['sts:AssumeRole']));
    await expect(byLambda.schedule('x')).rejects.toMatchObject(refused);
    const otherGroup = { Condition: { StringEquals: { 'aws:SourceArn': groupArn.replace('default', 'other') } } };
    const elsewhere = await withFunction(trust(bySchedules, otherGroup, ['sts:AssumeRole']));
    await expect(elsewhere.schedule('x')).rejects.toMatchObject(refused);
    await expect(elsewhere.schedule('x', {}, { RoleArn: `arn:aws:iam::${account}:role/missing` })).rejects.toMatchObject(refused);
  });

  it('is who invokes, and must be allowed to; what it may not do is not tried again', async () => {
    const cloud = await withFunction(undefined, policy(allow('lambda:InvokeFunction', functionArn('other'))));
    await cloud.schedule('x');
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual([]);
    expect(cloud.reports).toEqual([expect.stringMatching(/gave up on .*schedule\/default\/x .* after 1 attempts: AccessDeniedException/)]);
    const asked = cloud.kernel.journal.since().filter(({ action }) => action === 'lambda:InvokeFunction');
    expect(asked).toEqual([expect.objectContaining({ decision: 'deny', principal: expect.stringContaining(':assumed-role/schedule/') })]);
  });

  it('is no longer let in when its trust has gone, until it is back', async () => {
    const cloud = await withFunction();
    await cloud.schedule('x');
    const set = (PolicyDocument: string) => cloud.call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'schedule', PolicyDocument });
    await set(trust({ Service: 'lambda.amazonaws.com' }, {}, ['sts:AssumeRole']));
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual([]);
    await set(trust(bySchedules, onlyOurs, ['sts:AssumeRole']));
    await cloud.advance(minute);
    expect(await cloud.invocations()).toHaveLength(1);
  });

  it('puts what it could not deliver into the dead-letter queue', async () => {
    const cloud = await withFunction(undefined, policy(allow('sqs:SendMessage', queueArn('dead'))));
    await cloud.schedule('x', {}, { Input: '{"sweep":true}', DeadLetterConfig: { Arn: queueArn('dead') } });
    await cloud.advance(minute);
    expect(cloud.reports).toEqual([]);
    const [message] = await receive(cloud, 'dead');
    expect(message?.Body).toBe('{"sweep":true}');
    expect(message?.MessageAttributes?.['ERROR_CODE']?.StringValue).toBe('AccessDeniedException');
  });

  it('has a failure of the service tried again', async () => {
    const cloud = await withFunction();
    await cloud.schedule('x', {}, { Input: '"<aws.scheduler.attempt-number>"' });
    cloud.kernel.faults.add({ service: 'lambda', action: 'Invoke', nth: 1, mode: 'before' });
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual(['2']);
    await cloud.schedule('y', {}, { Input: '"y"', RetryPolicy: { MaximumRetryAttempts: 0 } });
    await cloud.call('scheduler', 'DeleteSchedule', { Name: 'x' });
    cloud.kernel.faults.add({ service: 'lambda', action: 'Invoke', nth: 1, mode: 'before' });
    await cloud.advance(minute);
    expect(await cloud.invocations()).toEqual(['2']);
    expect(cloud.reports).toEqual([expect.stringContaining('gave up')]);
  });

  it('may be given only by who may pass it', async () => {
    const cloud = await withFunction();
    const { kernel } = cloud;
    const RoleArn = `arn:aws:iam::${account}:role/schedule`;
    const create = (caller: Caller, Name: string) =>
      kernel.call(caller, 'scheduler', 'CreateSchedule', {
        Name,
        ScheduleExpression: 'rate(1 minute)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: functionArn('sweep'), RoleArn },
      });
    const creator = await makeUser(kernel, 'creator', policy(allow('scheduler:CreateSchedule')));
    await expect(create(creator, 'x')).rejects.toThrow('iam:PassRole');
    const toScheduler = { Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } } };
    const passer = await makeUser(kernel, 'passer', policy(allow('scheduler:CreateSchedule'), allow('iam:PassRole', RoleArn, toScheduler)));
    await create(passer, 'x');
    await expect(create(await makeUser(kernel, 'idle', undefined), 'y')).rejects.toThrow('scheduler:CreateSchedule');
  });
});

describe('a schedule expression', () => {
  it('is a rate, and what else AWS knows is not implemented', () => {
    expect(['rate(1 minute)', 'rate(5 minutes)', 'rate(1 hour)', 'rate(2 days)'].map(rateOf)).toEqual([
      minute,
      5 * minute,
      60 * minute,
      2880 * minute,
    ]);
    for (const expression of ['cron(0 12 * * ? *)', 'at(2030-01-01T00:00:00)'])
      expect(() => rateOf(expression)).toThrow(expect.objectContaining({ code: 'NotImplemented' }));
    for (const expression of ['rate(0 minutes)', 'rate(1 second)', 'rate(1.5 hours)', 'every minute'])
      expect(() => rateOf(expression)).toThrow(expect.objectContaining({ code: 'ValidationException' }));
  });

  it('keeps its row of times, whenever it is asked', () => {
    expect([0, 1, 99, 100, 101, 1050].map((now) => nextAt(0, 100, now))).toEqual([100, 100, 100, 200, 200, 1100]);
    expect(nextAt(70, 100, 969)).toBe(970);
  });
});
