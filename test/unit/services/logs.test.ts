import { describe, expect, it } from 'vitest';
import { allow, makeUser, policy } from '../core/cloud.ts';
import { account, type EventCloud, region, startEventCloud } from './event-cloud.ts';

const stream = { logGroupName: 'group', logStreamName: 'stream' };
async function withStream(): Promise<EventCloud> {
  const cloud = startEventCloud();
  await cloud.call('logs', 'CreateLogGroup', { logGroupName: 'group' });
  await cloud.call('logs', 'CreateLogStream', stream);
  return cloud;
}
const write = (cloud: EventCloud, ...messages: string[]) =>
  cloud.call('logs', 'PutLogEvents', { ...stream, logEvents: messages.map((message, index) => ({ timestamp: 1000 + index, message })) });

describe('log events', () => {
  it('are found by a quoted text, in the order of their time', async () => {
    const cloud = await withStream();
    await write(cloud, 'second "tenant" line', 'third', 'fourth tenant');
    expect(await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'group', filterPattern: '"tenant"' })).toMatchObject({
      events: [{ message: 'second "tenant" line', logStreamName: 'stream' }, { message: 'fourth tenant' }],
    });
    expect(await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'group', startTime: 1001, endTime: 1002 })).toMatchObject({
      events: [{ message: 'third' }],
    });
  });

  it('come page by page, and from one stream', async () => {
    const cloud = await withStream();
    await write(cloud, 'a', 'b', 'c');
    const first = await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'group', limit: 2 });
    expect(first).toMatchObject({ events: [{ message: 'a' }, { message: 'b' }], nextToken: expect.any(String) });
    const second = await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'group', limit: 2, nextToken: first['nextToken'] });
    expect(second).toMatchObject({ events: [{ message: 'c' }] });
    expect(second).not.toHaveProperty('nextToken');
    const head = await cloud.call('logs', 'GetLogEvents', { ...stream, startFromHead: true, limit: 2 });
    expect(head).toMatchObject({ events: [{ message: 'a' }, { message: 'b' }] });
    expect(await cloud.call('logs', 'GetLogEvents', { ...stream, nextToken: head['nextForwardToken'] })).toMatchObject({
      events: [{ message: 'c' }],
    });
  });

  it('are kept within bounds: the oldest go', async () => {
    const cloud = await withStream();
    for (let round = 0; round < 4; round++) await write(cloud, ...Array.from({ length: 5000 }, (_, index) => `${round}/${index}`));
    const { events } = await cloud.call('logs', 'GetLogEvents', { ...stream, startFromHead: true, limit: 1 });
    expect(events).not.toMatchObject([{ message: '0/0' }]);
    expect(await cloud.call('logs', 'GetLogEvents', { ...stream, limit: 1 })).toMatchObject({ events: [{ message: '3/4999' }] });
  });

  it.each(['{ $.level = "ERROR" }', '?a ?b', '-absent', '"a" "b"'])(
    'refuse the filter pattern %s, which is more than one text',
    async (filterPattern) => {
      const cloud = await withStream();
      await expect(cloud.call('logs', 'FilterLogEvents', { logGroupName: 'group', filterPattern })).rejects.toMatchObject({
        code: 'NotImplemented',
      });
    },
  );

  it('need a group and a stream that exist', async () => {
    const cloud = await withStream();
    await expect(write(startEventCloud(), 'a')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await expect(cloud.call('logs', 'CreateLogStream', stream)).rejects.toMatchObject({ code: 'ResourceAlreadyExistsException' });
  });
});

describe('who may write and read logs', () => {
  it('is decided by the stream’s ARN, which a grant on the group with `:*` covers', async () => {
    const cloud = await withStream();
    const arn = `arn:aws:logs:${region}:${account}:log-group:group:*`;
    const writer = await makeUser(cloud.kernel, 'writer', policy(allow(['logs:CreateLogStream', 'logs:PutLogEvents'], arn)));
    const putEvents = { ...stream, logEvents: [{ timestamp: 1, message: 'a' }] };
    await cloud.kernel.call(writer, 'logs', 'PutLogEvents', putEvents);
    await expect(cloud.kernel.call(writer, 'logs', 'GetLogEvents', stream)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await cloud.call('logs', 'CreateLogGroup', { logGroupName: 'group-2' });
    await expect(cloud.kernel.call(writer, 'logs', 'CreateLogStream', { ...stream, logGroupName: 'group-2' })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  it('can be granted to a service by resource policies, which add up', async () => {
    const cloud = await withStream();
    const grant = (service: string) => policy(allow('logs:PutLogEvents', '*', { Principal: { Service: service } }));
    const writeAs = (service: string) =>
      cloud.kernel.call(cloud.kernel.serviceCaller(service, account), 'logs', 'PutLogEvents', {
        ...stream,
        logEvents: [{ timestamp: 1, message: service }],
      });
    await cloud.call('logs', 'PutResourcePolicy', { policyName: 'one', policyDocument: grant('events.amazonaws.com') });
    await expect(writeAs('delivery.logs.amazonaws.com')).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await cloud.call('logs', 'PutResourcePolicy', { policyName: 'two', policyDocument: grant('delivery.logs.amazonaws.com') });
    await writeAs('events.amazonaws.com');
    await writeAs('delivery.logs.amazonaws.com');
    expect(await cloud.call('logs', 'DescribeResourcePolicies')).toMatchObject({
      resourcePolicies: [{ policyName: 'one' }, { policyName: 'two' }],
    });
  });
});

describe('log groups', () => {
  it('are described with retention and tags, and deleted', async () => {
    const cloud = await withStream();
    const resourceArn = `arn:aws:logs:${region}:${account}:log-group:group`;
    await cloud.call('logs', 'PutRetentionPolicy', { logGroupName: 'group', retentionInDays: 90 });
    await cloud.call('logs', 'TagResource', { resourceArn, tags: { team: 'a' } });
    expect(await cloud.call('logs', 'DescribeLogGroups', { logGroupNamePrefix: 'gr' })).toMatchObject({
      logGroups: [{ logGroupName: 'group', arn: `${resourceArn}:*`, retentionInDays: 90 }],
    });
    expect(await cloud.call('logs', 'ListTagsForResource', { resourceArn })).toEqual({ tags: { team: 'a' } });
    expect(await cloud.call('logs', 'DescribeLogStreams', { logGroupName: 'group' })).toMatchObject({
      logStreams: [{ logStreamName: 'stream' }],
    });
    await cloud.call('logs', 'DeleteLogGroup', { logGroupName: 'group' });
    await expect(write(cloud, 'a')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });
});
