import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../local/services/eventbridge-pattern.ts';
import { allow, makeUser, policy } from '../core/cloud.ts';
import { account, customer, type EventCloud, queueArn, receive, region, startEventCloud } from './event-cloud.ts';

const busArn = `arn:aws:events:${region}:${account}:event-bus/bus`;
const ruleArn = `arn:aws:events:${region}:${account}:rule/bus/rule`;
const event = (more: object = {}) => ({ EventBusName: 'bus', Source: 'shop', DetailType: 'Sold', Detail: '{"price":3}', ...more });
const fromRule = { Principal: { Service: 'events.amazonaws.com' }, Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } } };

async function withBus(): Promise<EventCloud> {
  const cloud = startEventCloud();
  await cloud.call('events', 'CreateEventBus', { Name: 'bus' });
  return cloud;
}
/** A bus whose rule sends everything of the source `shop` to the targets. */
async function withRule(targets: (cloud: EventCloud) => Promise<object[]>): Promise<EventCloud> {
  const cloud = await withBus();
  await cloud.call('events', 'PutRule', { Name: 'rule', EventBusName: 'bus', EventPattern: '{"source":["shop"]}' });
  await cloud.call('events', 'PutTargets', { Rule: 'rule', EventBusName: 'bus', Targets: await targets(cloud) });
  return cloud;
}
async function makeQueue(
  cloud: EventCloud,
  name: string,
  Policy = policy(allow('sqs:SendMessage', queueArn(name), fromRule)),
): Promise<void> {
  await cloud.call('sqs', 'CreateQueue', { QueueName: name, Attributes: { Policy } });
}
const put = (cloud: EventCloud, ...Entries: object[]) => cloud.call('events', 'PutEvents', { Entries });

describe('event patterns', () => {
  const occurred = {
    source: 'shop',
    'detail-type': 'Sold',
    detail: { id: 'Abc-1', price: 3, tags: ['new', 'red'], none: null, buyer: { name: 'x' } },
  };
  it.each<[string, object, boolean]>([
    ['a value', { source: ['shop'] }, true],
    ['one of several values', { source: ['mall', 'shop'] }, true],
    ['another value', { source: ['mall'] }, false],
    ['a number, not its text', { detail: { price: [3] } }, true],
    ['a text, not its number', { detail: { price: ['3'] } }, false],
    ['null', { detail: { none: [null] } }, true],
    ['one element of an array', { detail: { tags: ['red'] } }, true],
    ['all fields at once', { source: ['shop'], detail: { price: [4] } }, false],
    ['a field that is not there', { detail: { missing: ['x'] } }, false],
    ['prefix', { detail: { id: [{ prefix: 'Ab' }] } }, true],
    ['prefix without case', { detail: { id: [{ prefix: { 'equals-ignore-case': 'aB' } }] } }, true],
    ['suffix', { detail: { id: [{ suffix: '-2' }] } }, false],
    ['equals-ignore-case', { detail: { id: [{ 'equals-ignore-case': 'ABC-1' }] } }, true],
    ['wildcard', { detail: { id: [{ wildcard: 'A*c-*' }] } }, true],
    ['wildcard that must not overlap', { detail: { id: [{ wildcard: 'Abc-1*1' }] } }, false],
    ['anything-but one', { source: [{ 'anything-but': 'shop' }] }, false],
    ['anything-but a list', { source: [{ 'anything-but': ['mall', 'stall'] }] }, true],
    ['anything-but a prefix', { detail: { id: [{ 'anything-but': { prefix: 'Abc' } }] } }, false],
    ['anything-but a list of suffixes', { detail: { id: [{ 'anything-but': { suffix: ['-2', '-3'] } }] } }, true],
    ['anything-but a wildcard', { detail: { id: [{ 'anything-but': { wildcard: '*-1' } }] } }, false],
    ['anything-but on a missing field', { detail: { missing: [{ 'anything-but': 'x' }] } }, false],
    ['numeric, both bounds', { detail: { price: [{ numeric: ['>', 2, '<=', 3] }] } }, true],
    ['numeric, out of bounds', { detail: { price: [{ numeric: ['<', 3] }] } }, false],
    ['numeric on a text', { detail: { id: [{ numeric: ['>', 0] }] } }, false],
    ['exists true', { detail: { price: [{ exists: true }] } }, true],
    ['exists true on an object', { detail: { buyer: [{ exists: true }] } }, false],
    ['exists false', { detail: { missing: [{ exists: false }] } }, true],
    ['exists false under something missing', { detail: { missing: { deeper: [{ exists: false }] } } }, true],
    ['$or', { $or: [{ source: ['mall'] }, { detail: { price: [3] } }] }, true],
    ['$or that fails', { source: ['shop'], $or: [{ source: ['mall'] }, { detail: { price: [4] } }] }, false],
  ])('match by %s', (_, pattern, expected) => {
    expect(compilePattern(JSON.stringify(pattern))(occurred)).toBe(expected);
  });

  it.each<[string, string, string]>([
    ['an operator that is not known', '{"source":[{"cidr":"10.0.0.0/8"}]}', 'NotImplemented'],
    ['an operator that does not exist', '{"source":[{"sounds-like":"shop"}]}', 'NotImplemented'],
    ['an operator inside anything-but that does not exist', '{"source":[{"anything-but":{"sounds-like":"x"}}]}', 'NotImplemented'],
    ['a bare value', '{"source":"shop"}', 'InvalidEventPatternException'],
    ['an empty list', '{"source":[]}', 'InvalidEventPatternException'],
    ['nothing', '{}', 'InvalidEventPatternException'],
    ['two operators in one', '{"source":[{"prefix":"a","suffix":"b"}]}', 'InvalidEventPatternException'],
    ['text that is no JSON', '{', 'InvalidEventPatternException'],
    ['a nested list', '{"source":[["shop"]]}', 'InvalidEventPatternException'],
  ])('refuse a rule with %s', async (_, EventPattern, code) => {
    const cloud = await withBus();
    await expect(cloud.call('events', 'PutRule', { Name: 'rule', EventBusName: 'bus', EventPattern })).rejects.toMatchObject({ code });
  });

  it('can be tried on an event', async () => {
    const cloud = startEventCloud();
    const whole = JSON.stringify({
      id: '1',
      account,
      source: 'shop',
      time: '2026-01-01T00:00:00Z',
      region,
      resources: [],
      'detail-type': 'Sold',
      detail: {},
    });
    expect(await cloud.call('events', 'TestEventPattern', { EventPattern: '{"source":["shop"]}', Event: whole })).toEqual({ Result: true });
    await expect(
      cloud.call('events', 'TestEventPattern', { EventPattern: '{"source":["shop"]}', Event: '{"source":"shop"}' }),
    ).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('PutEvents', () => {
  it('answers for each entry and takes the good ones', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales');
      return [{ Id: 'queue', Arn: queueArn('sales') }];
    });
    const answer = await put(
      cloud,
      event(),
      event({ Detail: 'not json' }),
      event({ Detail: '[1]' }),
      event({ DetailType: undefined }),
      event({ EventBusName: 'nowhere' }),
      event({ Source: 'aws.s3' }),
    );
    const codes = ['MalformedDetail', 'MalformedDetail', 'InvalidArgument', 'ResourceNotFoundException', 'NotAuthorizedForSourceException'];
    expect(answer).toMatchObject({
      FailedEntryCount: 5,
      Entries: [{ EventId: expect.any(String) }, ...codes.map((ErrorCode) => ({ ErrorCode }))],
    });
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await receive(cloud, 'sales')).toHaveLength(1);
  });

  it('needs the permission for every entry, by source and detail type', async () => {
    const cloud = await withBus();
    const limits = { Condition: { StringEquals: { 'events:source': 'shop', 'events:detail-type': ['Sold', 'Returned'] } } };
    const seller = await makeUser(cloud.kernel, 'seller', policy(allow('events:PutEvents', busArn, limits)));
    const sell = (...Entries: object[]) => cloud.kernel.call(seller, 'events', 'PutEvents', { Entries });
    expect(await sell(event(), event({ DetailType: 'Returned' }))).toMatchObject({ FailedEntryCount: 0 });
    await expect(sell(event(), event({ Source: 'bank' }))).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(sell(event({ DetailType: 'Stolen' }))).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(sell(event({ EventBusName: 'default' }))).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('lets another account in only by the bus policy', async () => {
    const cloud = await withBus();
    const stranger = await makeUser(cloud.kernel, 'stranger', policy(allow('events:*')), customer);
    const tell = () => cloud.kernel.call(stranger, 'events', 'PutEvents', { Entries: [event({ EventBusName: busArn })] });
    await expect(tell()).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await cloud.call('events', 'PutPermission', {
      EventBusName: 'bus',
      Action: 'events:PutEvents',
      Principal: customer,
      StatementId: 'customer',
    });
    expect(await tell()).toMatchObject({ FailedEntryCount: 0 });
    await cloud.call('events', 'RemovePermission', { EventBusName: 'bus', StatementId: 'customer' });
    await expect(tell()).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('refuses more than ten entries and a request of a mebibyte', async () => {
    const cloud = await withBus();
    await expect(put(cloud, ...Array.from({ length: 11 }, () => event()))).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(put(cloud, event({ Detail: JSON.stringify({ long: 'x'.repeat(1_048_576) }) }))).rejects.toMatchObject({
      code: 'ValidationException',
    });
  });
});

describe('delivery', () => {
  it('hands the whole envelope to a queue', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales');
      return [{ Id: 'queue', Arn: queueArn('sales'), SqsParameters: { MessageGroupId: 'group' } }];
    });
    const { Entries } = await put(cloud, event(), event({ Source: 'mall' }));
    expect(await cloud.kernel.idle(5000)).toBe(true);
    const [message, ...others] = await receive(cloud, 'sales');
    expect(others).toEqual([]);
    expect(message?.Attributes).toMatchObject({ SenderId: 'events.amazonaws.com', MessageGroupId: 'group' });
    expect(JSON.parse(message?.Body ?? '')).toEqual({
      version: '0',
      id: (Entries as { EventId: string }[])[0]?.EventId,
      'detail-type': 'Sold',
      source: 'shop',
      account,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region,
      resources: [],
      detail: { price: 3 },
    });
  });

  it('goes to the target’s dead-letter queue when the queue’s policy does not let the rule in', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales', policy(allow('sqs:SendMessage', queueArn('sales'), { Principal: { Service: 's3.amazonaws.com' } })));
      await makeQueue(made, 'dead');
      return [{ Id: 'queue', Arn: queueArn('sales'), DeadLetterConfig: { Arn: queueArn('dead') } }];
    });
    await put(cloud, event());
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await receive(cloud, 'sales')).toEqual([]);
    expect((await receive(cloud, 'dead'))[0]?.MessageAttributes).toMatchObject({
      RULE_ARN: { StringValue: ruleArn },
      ERROR_CODE: { StringValue: 'AccessDeniedException' },
    });
  });

  it('says so when an event is dropped, without showing it', async () => {
    const cloud = await withRule(async () => [{ Id: 'queue', Arn: queueArn('nowhere') }]);
    await put(cloud, event({ Detail: '{"canary":"canary-1234"}' }));
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(cloud.reports).toEqual([expect.stringContaining(`dropped an event of ${ruleArn}`)]);
    expect(cloud.reports.join()).not.toContain('canary-1234');
  });

  it('is tried again when the target fails', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales');
      return [{ Id: 'queue', Arn: queueArn('sales') }];
    });
    cloud.kernel.faults.add({ service: 'sqs', action: 'SendMessage', nth: 1, mode: 'before' });
    await put(cloud, event());
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await receive(cloud, 'sales')).toHaveLength(1);
  });

  it('happens twice with one event ID when a duplicate fault hits PutEvents', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales');
      return [{ Id: 'queue', Arn: queueArn('sales') }];
    });
    cloud.kernel.faults.add({ service: 'events', action: 'PutEvents', nth: 1, mode: 'duplicate' });
    await put(cloud, event());
    expect(await cloud.kernel.idle(5000)).toBe(true);
    const ids = (await receive(cloud, 'sales')).map((message) => JSON.parse(message.Body).id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  it('reaches a log group only when a logs resource policy lets the rule in', async () => {
    const logGroup = `arn:aws:logs:${region}:${account}:log-group:events:*`;
    const cloud = await withRule(async (made) => {
      await made.call('logs', 'CreateLogGroup', { logGroupName: 'events' });
      return [{ Id: 'log', Arn: logGroup }];
    });
    await put(cloud, event());
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(cloud.reports).toHaveLength(1);
    await cloud.call('logs', 'PutResourcePolicy', {
      policyName: 'events',
      policyDocument: policy(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup, fromRule)),
    });
    await put(cloud, event({ Detail: '{"price":4}' }));
    expect(await cloud.kernel.idle(5000)).toBe(true);
    const { events } = await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'events' });
    expect(events).toEqual([expect.objectContaining({ message: expect.stringContaining('"detail":{"price":4}') })]);
  });
});

describe('rules', () => {
  it('are described, switched off, and removed after their targets', async () => {
    const cloud = await withRule(async (made) => {
      await makeQueue(made, 'sales');
      return [{ Id: 'queue', Arn: queueArn('sales') }];
    });
    const rule = { Name: 'rule', EventBusName: 'bus' };
    await cloud.call('events', 'PutRule', { ...rule, EventPattern: '{"source":["shop"]}', State: 'DISABLED' });
    await put(cloud, event());
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await receive(cloud, 'sales')).toEqual([]);
    expect(await cloud.call('events', 'DescribeRule', rule)).toMatchObject({ Arn: ruleArn, State: 'DISABLED' });
    expect(await cloud.call('events', 'ListTargetsByRule', { Rule: 'rule', EventBusName: 'bus' })).toMatchObject({
      Targets: [{ Id: 'queue' }],
    });
    await expect(cloud.call('events', 'DeleteRule', rule)).rejects.toMatchObject({ code: 'ValidationException' });
    await cloud.call('events', 'RemoveTargets', { Rule: 'rule', EventBusName: 'bus', Ids: ['queue'] });
    await cloud.call('events', 'DeleteRule', rule);
    expect(await cloud.call('events', 'ListRules', { EventBusName: 'bus' })).toEqual({ Rules: [] });
    await cloud.call('events', 'DeleteEventBus', { Name: 'bus' });
    await expect(cloud.call('events', 'DescribeEventBus', { Name: 'bus' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it.each([
    ['InputPath', '$.detail'],
    ['InputTransformer', { InputTemplate: '""' }],
    ['Input', '{}'],
  ])('refuse a target with %s, which would change what is delivered', async (member, value) => {
    const cloud = await withBus();
    const Targets = [{ Id: 'queue', Arn: queueArn('sales'), [member]: value }];
    await expect(cloud.call('events', 'PutTargets', { Rule: 'rule', EventBusName: 'bus', Targets })).rejects.toMatchObject({
      code: 'NotImplemented',
    });
  });

  it('refuse a schedule', async () => {
    const cloud = await withBus();
    await expect(
      cloud.call('events', 'PutRule', {
        Name: 'rule',
        EventBusName: 'bus',
        EventPattern: '{"source":["shop"]}',
        ScheduleExpression: 'rate(1 day)',
      }),
    ).rejects.toMatchObject({ code: 'NotImplemented' });
  });
});
