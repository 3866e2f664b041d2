import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { allow, makeUser, policy } from '../core/cloud.ts';
import { account, customer, type EventCloud, messagesOf, queueArn, queueUrl, receive, startEventCloud } from './event-cloud.ts';

const url = queueUrl('work');

async function withQueue(attributes: Record<string, string> = {}): Promise<EventCloud> {
  const cloud = startEventCloud();
  await cloud.call('sqs', 'CreateQueue', { QueueName: 'work', Attributes: attributes });
  return cloud;
}
const send = (cloud: EventCloud, body: string, more: object = {}) =>
  cloud.call('sqs', 'SendMessage', { QueueUrl: url, MessageBody: body, ...more });

async function withDeadLetters(maxReceiveCount = 2): Promise<EventCloud> {
  const cloud = startEventCloud();
  await cloud.call('sqs', 'CreateQueue', { QueueName: 'dead' });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('dead'), maxReceiveCount });
  await cloud.call('sqs', 'CreateQueue', { QueueName: 'work', Attributes: { RedrivePolicy, VisibilityTimeout: '1' } });
  return cloud;
}
/** Receives the message until it goes to the dead-letter queue. */
async function exhaust(cloud: EventCloud): Promise<void> {
  while ((await receive(cloud, 'work')).length > 0) cloud.kernel.clock.advance(1000);
}

describe('messages', () => {
  it('gives what was sent, with the digests that clients check', async () => {
    const cloud = await withQueue();
    const digest = createHash('md5').update('hello').digest('hex');
    const sent = await send(cloud, 'hello', { MessageGroupId: 'acme' });
    const [message, ...others] = await receive(cloud, 'work');
    expect(sent).toMatchObject({ MD5OfMessageBody: digest, MessageId: message?.MessageId });
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      Body: 'hello',
      MD5OfBody: digest,
      Attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'acme' },
    });
  });

  it('digests message attributes as SQS documents it', async () => {
    const cloud = await withQueue();
    const MessageAttributes = {
      b: { DataType: 'Binary', BinaryValue: Buffer.from([1, 2]).toString('base64') },
      a: { DataType: 'String', StringValue: 'x' },
    };
    const sized = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    const parts = [sized(Buffer.from('a')), sized(Buffer.from('String')), Buffer.from([1]), sized(Buffer.from('x'))];
    const more = [sized(Buffer.from('b')), sized(Buffer.from('Binary')), Buffer.from([2]), sized(Buffer.from([1, 2]))];
    const digest = createHash('md5')
      .update(Buffer.concat([...parts, ...more]))
      .digest('hex');
    expect(await send(cloud, 'hello', { MessageAttributes })).toMatchObject({ MD5OfMessageAttributes: digest });
    expect((await receive(cloud, 'work'))[0]).toMatchObject({ MessageAttributes, MD5OfMessageAttributes: digest });
  });

  it('hides a received message until its visibility timeout has passed on the clock', async () => {
    const cloud = await withQueue({ VisibilityTimeout: '30' });
    await send(cloud, 'hello');
    expect(await receive(cloud, 'work')).toHaveLength(1);
    cloud.kernel.clock.advance(29_000);
    expect(await receive(cloud, 'work')).toEqual([]);
    cloud.kernel.clock.advance(1_100);
    expect((await receive(cloud, 'work'))[0]?.Attributes['ApproximateReceiveCount']).toBe('2');
  });

  it('delays a message by DelaySeconds and forgets it after the retention period', async () => {
    const cloud = await withQueue({ MessageRetentionPeriod: '60' });
    await send(cloud, 'later', { DelaySeconds: 20 });
    expect(await receive(cloud, 'work')).toEqual([]);
    cloud.kernel.clock.advance(20_000);
    expect(await receive(cloud, 'work', { VisibilityTimeout: 0 })).toHaveLength(1);
    cloud.kernel.clock.advance(40_000);
    expect(await receive(cloud, 'work')).toEqual([]);
  });

  it('ends a long poll as soon as a message comes', async () => {
    const cloud = await withQueue();
    const polling = receive(cloud, 'work', { WaitTimeSeconds: 20 });
    await send(cloud, 'hello');
    expect(await polling).toHaveLength(1);
  });

  it('ends a long poll empty when its time has passed on the clock', async () => {
    const cloud = await withQueue();
    const polling = receive(cloud, 'work', { WaitTimeSeconds: 20 });
    await Promise.resolve();
    cloud.kernel.clock.advance(20_000);
    expect(await polling).toEqual([]);
  });

  it('deletes by the handle of the latest delivery only', async () => {
    const cloud = await withQueue();
    await send(cloud, 'hello');
    const [first] = await receive(cloud, 'work', { VisibilityTimeout: 0 });
    const [second] = await receive(cloud, 'work', { VisibilityTimeout: 0 });
    await cloud.call('sqs', 'DeleteMessage', { QueueUrl: url, ReceiptHandle: first?.ReceiptHandle });
    expect(await receive(cloud, 'work', { VisibilityTimeout: 0 })).toHaveLength(1);
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    const [third] = await receive(cloud, 'work', { VisibilityTimeout: 0 });
    await cloud.call('sqs', 'DeleteMessage', { QueueUrl: url, ReceiptHandle: third?.ReceiptHandle });
    expect(await receive(cloud, 'work')).toEqual([]);
    await expect(cloud.call('sqs', 'DeleteMessage', { QueueUrl: url, ReceiptHandle: 'nonsense' })).rejects.toMatchObject({
      code: 'ReceiptHandleIsInvalid',
    });
  });

  it('changes how long a message in flight stays hidden, and refuses it for one that is not', async () => {
    const cloud = await withQueue();
    await send(cloud, 'hello');
    const [message] = await receive(cloud, 'work');
    await cloud.call('sqs', 'ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 });
    const again = { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 5 };
    await expect(cloud.call('sqs', 'ChangeMessageVisibility', again)).rejects.toMatchObject({ code: 'MessageNotInflight' });
    expect(await receive(cloud, 'work')).toHaveLength(1);
  });

  it('does a batch entry by entry', async () => {
    const cloud = await withQueue({ MaximumMessageSize: '1024' });
    const Entries = [
      { Id: 'good', MessageBody: 'a' },
      { Id: 'long', MessageBody: 'b'.repeat(2000) },
    ];
    const answer = await cloud.call('sqs', 'SendMessageBatch', { QueueUrl: url, Entries });
    expect(answer).toMatchObject({
      Successful: [{ Id: 'good' }],
      Failed: [{ Id: 'long', SenderFault: true, Code: 'InvalidParameterValue' }],
    });
    const twice = {
      QueueUrl: url,
      Entries: [
        { Id: 'x', MessageBody: 'a' },
        { Id: 'x', MessageBody: 'b' },
      ],
    };
    await expect(cloud.call('sqs', 'SendMessageBatch', twice)).rejects.toMatchObject({ code: 'BatchEntryIdsNotDistinct' });
  });

  it('serves a quiet group before the backlog of a busy one', async () => {
    const cloud = await withQueue();
    for (let index = 0; index < 5; index++) await send(cloud, `busy ${index}`, { MessageGroupId: 'busy' });
    await send(cloud, 'quiet', { MessageGroupId: 'quiet' });
    await receive(cloud, 'work', { MaxNumberOfMessages: 1 });
    expect((await receive(cloud, 'work', { MaxNumberOfMessages: 1 }))[0]?.Body).toBe('quiet');
  });

  it.each([['SendMessage'], ['ReceiveMessage']])(
    'delivers a message twice, with one ID, when a duplicate fault hits %s',
    async (action) => {
      const cloud = await withQueue();
      cloud.kernel.faults.add({ service: 'sqs', action, nth: 1, mode: 'duplicate' });
      await send(cloud, 'hello');
      const deliveries = [...(await receive(cloud, 'work')), ...(await receive(cloud, 'work'))];
      expect(deliveries.map((message) => message.Body)).toEqual(['hello', 'hello']);
      expect(new Set(deliveries.map((message) => message.MessageId)).size).toBe(1);
      expect(await receive(cloud, 'work')).toEqual([]);
    },
  );
});

describe('dead-letter queues', () => {
  it('take a message that was received maxReceiveCount times', async () => {
    const cloud = await withDeadLetters(2);
    await send(cloud, 'poison');
    await exhaust(cloud);
    const [dead] = await receive(cloud, 'dead');
    expect(dead).toMatchObject({
      Body: 'poison',
      Attributes: { DeadLetterQueueSourceArn: queueArn('work'), ApproximateReceiveCount: '3' },
    });
  });

  it('give their messages back to where they came from', async () => {
    const cloud = await withDeadLetters();
    await send(cloud, 'poison');
    await exhaust(cloud);
    await cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: queueArn('dead') });
    expect((await receive(cloud, 'work'))[0]).toMatchObject({ Body: 'poison', Attributes: { ApproximateReceiveCount: '1' } });
    expect(await cloud.call('sqs', 'ListMessageMoveTasks', { SourceArn: queueArn('dead') })).toMatchObject({
      Results: [{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }],
    });
  });

  it('cannot tell where a message sent to them directly belongs, unless told', async () => {
    const cloud = await withDeadLetters();
    await cloud.call('sqs', 'SendMessage', { QueueUrl: queueUrl('dead'), MessageBody: 'put aside' });
    await cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: queueArn('dead') });
    expect(await cloud.call('sqs', 'ListMessageMoveTasks', { SourceArn: queueArn('dead') })).toMatchObject({
      Results: [{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }],
    });
    await cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: queueArn('dead'), DestinationArn: queueArn('work') });
    expect(await receive(cloud, 'work')).toHaveLength(1);
  });

  it('let nobody move messages into a queue that he may not send to', async () => {
    const cloud = await withDeadLetters();
    const actions = ['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'SendMessage'].map(
      (action) => `sqs:${action}`,
    );
    const operator = await makeUser(cloud.kernel, 'operator', policy(allow(actions, queueArn('dead'))));
    const move = cloud.kernel.call(operator, 'sqs', 'StartMessageMoveTask', { SourceArn: queueArn('dead') });
    await expect(move).rejects.toThrow(`sqs:SendMessage on resource: ${queueArn('work')}`);
    await expect(cloud.call('sqs', 'StartMessageMoveTask', { SourceArn: queueArn('work') })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });
});

describe('queues', () => {
  it('have their URL at the cloud’s endpoint and are made once', async () => {
    const cloud = await withQueue({ VisibilityTimeout: '10' });
    expect(await cloud.call('sqs', 'CreateQueue', { QueueName: 'work', Attributes: { VisibilityTimeout: '10' } })).toEqual({
      QueueUrl: url,
    });
    await expect(cloud.call('sqs', 'CreateQueue', { QueueName: 'work', Attributes: { VisibilityTimeout: '11' } })).rejects.toMatchObject({
      code: 'QueueNameExists',
    });
    expect(await cloud.call('sqs', 'GetQueueUrl', { QueueName: 'work' })).toEqual({ QueueUrl: url });
    expect(await cloud.call('sqs', 'ListQueues')).toEqual({ QueueUrls: [url] });
  });

  it('count what is visible, in flight and delayed', async () => {
    const cloud = await withQueue();
    await send(cloud, 'in flight');
    await receive(cloud, 'work');
    await send(cloud, 'visible');
    await send(cloud, 'delayed', { DelaySeconds: 60 });
    const { Attributes } = await cloud.call('sqs', 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] });
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
      QueueArn: queueArn('work'),
    });
  });

  it.each([
    ['an unknown parameter', { QueueName: 'other', Surprise: 1 }, 'NotImplemented'],
    ['a FIFO queue', { QueueName: 'other', Attributes: { FifoQueue: 'true' } }, 'NotImplemented'],
    ['an unknown attribute', { QueueName: 'other', Attributes: { Surprise: '1' } }, 'InvalidAttributeName'],
    ['a value out of range', { QueueName: 'other', Attributes: { VisibilityTimeout: '43201' } }, 'InvalidAttributeValue'],
    [
      'a policy that is none',
      { QueueName: 'other', Attributes: { Policy: '{"Statement":[{"Effect":"Perhaps"}]}' } },
      'InvalidAttributeValue',
    ],
  ])('refuse %s', async (_, input, code) => {
    await expect(startEventCloud().call('sqs', 'CreateQueue', input)).rejects.toMatchObject({ code });
  });

  it('are tagged, purged and deleted', async () => {
    const cloud = await withQueue();
    await cloud.call('sqs', 'TagQueue', { QueueUrl: url, Tags: { team: 'a', other: 'b' } });
    await cloud.call('sqs', 'UntagQueue', { QueueUrl: url, TagKeys: ['other'] });
    expect(await cloud.call('sqs', 'ListQueueTags', { QueueUrl: url })).toEqual({ Tags: { team: 'a' } });
    await send(cloud, 'hello');
    await cloud.call('sqs', 'PurgeQueue', { QueueUrl: url });
    expect(await receive(cloud, 'work')).toEqual([]);
    await cloud.call('sqs', 'DeleteQueue', { QueueUrl: url });
    await expect(receive(cloud, 'work')).rejects.toMatchObject({ code: 'QueueDoesNotExist' });
  });
});

describe('who may use a queue', () => {
  it('is decided by identity policies in the same account', async () => {
    const cloud = await withQueue();
    const sender = await makeUser(cloud.kernel, 'sender', policy(allow('sqs:SendMessage', queueArn('work'))));
    await cloud.kernel.call(sender, 'sqs', 'SendMessageBatch', { QueueUrl: url, Entries: [{ Id: 'a', MessageBody: 'hello' }] });
    await expect(cloud.kernel.call(sender, 'sqs', 'ReceiveMessage', { QueueUrl: url })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await receive(cloud, 'work')).toHaveLength(1);
  });

  it('is decided by the queue’s policy for an AWS service', async () => {
    const rule = `arn:aws:events:us-east-1:${account}:rule/bus/rule`;
    const Policy = policy(
      allow('sqs:SendMessage', queueArn('work'), {
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': rule } },
      }),
    );
    const cloud = await withQueue({ Policy });
    const sendAs = (source: string) =>
      cloud.kernel.call(cloud.kernel.serviceCaller('events.amazonaws.com', account, { 'aws:SourceArn': source }), 'sqs', 'SendMessage', {
        QueueUrl: url,
        MessageBody: 'hello',
      });
    await expect(sendAs(`${rule}-2`)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await sendAs(rule);
    expect(await receive(cloud, 'work')).toHaveLength(1);
  });

  it('needs both sides from another account', async () => {
    const cloud = await withQueue();
    const stranger = await makeUser(cloud.kernel, 'stranger', policy(allow('sqs:*')), customer);
    const read = () => cloud.kernel.call(stranger, 'sqs', 'ReceiveMessage', { QueueUrl: url });
    await send(cloud, 'hello');
    await expect(read()).rejects.toMatchObject({ code: 'AccessDeniedException' });
    const Policy = policy(allow('sqs:ReceiveMessage', queueArn('work'), { Principal: { AWS: `arn:aws:iam::${customer}:root` } }));
    await cloud.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: { Policy } });
    expect(messagesOf(await read())).toHaveLength(1);
  });

  it('leaves no trace of a body in the journal or in an error', async () => {
    const cloud = await withQueue({ MaximumMessageSize: '1024' });
    await send(cloud, 'canary-1234');
    const refused = await send(cloud, 'canary-1234'.repeat(200)).catch((error: unknown) => String(error));
    expect(refused).toContain('shorter');
    expect(JSON.stringify([cloud.kernel.journal.since(0), refused])).not.toContain('canary-1234');
  });
});
