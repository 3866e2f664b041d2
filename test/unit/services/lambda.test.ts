import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { respond, route } from '../../../local/services/lambda-routes.ts';
import { allow, makeRole, makeUser, policy, trust } from '../core/cloud.ts';
import { account, type EventCloud, printed, queueArn, queueUrl, receive, region, startEventCloud } from './event-cloud.ts';

const functionArn = `arn:aws:lambda:${region}:${account}:function:work`;
const logGroup = `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/work:*`;
const mayLog = allow(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], logGroup);
const mayConsume = allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queueArn('work'));
const trustLambda = trust({ Service: 'lambda.amazonaws.com' });

interface Options {
  readonly rights?: object[];
  readonly settings?: object;
  readonly concurrencyPerFunction?: number;
}
/** A function `work` with the given bundle, and a role that has the given rights. */
async function withFunction(source: string, { rights = [mayLog], settings = {}, ...options }: Options = {}): Promise<EventCloud> {
  const cloud = startEventCloud(options);
  cloud.writeBundle('work', source);
  const Role = await makeRole(cloud.kernel, 'worker', trustLambda, policy(...rights));
  await cloud.call('lambda', 'CreateFunction', {
    FunctionName: 'work',
    Code: { S3Bucket: 'assets', S3Key: 'work.zip' },
    Role,
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    ...settings,
  });
  return cloud;
}
const invoke = (cloud: EventCloud, payload: unknown = {}) =>
  cloud.call('lambda', 'Invoke', { FunctionName: 'work', Payload: JSON.stringify(payload) });
const parsed = (answer: Record<string, unknown>): unknown => JSON.parse(z.string().parse(answer['Payload']));
const run = async (cloud: EventCloud, payload: unknown = {}): Promise<unknown> => parsed(await invoke(cloud, payload));
async function logLines(cloud: EventCloud): Promise<string[]> {
  const { events } = await cloud.call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/work' });
  return z
    .array(z.object({ message: z.string() }))
    .parse(events)
    .map(({ message }) => printed(message));
}

describe('an invocation', () => {
  it('runs the bundle with the event and a context', async () => {
    const cloud = await withFunction(
      `export const handler = async (event, context) => ({ event, name: context.functionName, arn: context.invokedFunctionArn, id: context.awsRequestId, left: context.getRemainingTimeInMillis() });`,
      { settings: { Timeout: 7 } },
    );
    const answer = await invoke(cloud, { a: 1 });
    expect(answer).toMatchObject({ StatusCode: 200 });
    expect(answer).not.toHaveProperty('FunctionError');
    const result = z.object({ left: z.number(), id: z.uuid() }).loose().parse(parsed(answer));
    expect(result).toMatchObject({ event: { a: 1 }, name: 'work', arn: functionArn });
    expect(result.left).toBeGreaterThan(6000);
    expect(result.left).toBeLessThanOrEqual(7000);
  });

  it('sees its own variables and nothing of the host’s', async () => {
    process.env['HOST_SECRET'] = 'canary-1234';
    const cloud = await withFunction(`export const handler = async () => process.env;`, {
      settings: { Environment: { Variables: { OWN: 'yes' } } },
    });
    const seen = await run(cloud);
    expect(seen).toMatchObject({
      OWN: 'yes',
      AWS_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: 'work',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    });
    expect(JSON.stringify(seen)).not.toContain('canary-1234');
    expect(seen).not.toHaveProperty('HOME');
    expect(seen).not.toHaveProperty('PATH');
  });

  it('has the credentials of a session of the function’s role', async () => {
    const cloud = await withFunction(`export const handler = async () => process.env.AWS_ACCESS_KEY_ID;`);
    const caller = cloud.kernel.callerOf(String(await run(cloud)));
    expect(caller?.principal).toMatchObject({
      arn: `arn:aws:sts::${account}:assumed-role/worker/work`,
      roleArn: `arn:aws:iam::${account}:role/worker`,
    });
    const own = await cloud.lambda.functionCredentials('work');
    expect(cloud.kernel.callerOf(own.accessKeyId)?.principal).toMatchObject({ arn: caller?.principal.arn });
    expect(own.expiresAt).toBeGreaterThan(cloud.kernel.clock.now());
  });

  it('moves with the cloud’s clock, and only "now" does', async () => {
    const cloud = await withFunction(
      `const loaded = Date.now();
       export const handler = async () => ({ loaded, now: Date.now(), fresh: new Date().getTime(), again: new (new Date().constructor)().getTime(), text: Date.parse(Date()),
         fixed: new Date(5).getTime(), utc: Date.UTC(2020, 0), is: new Date() instanceof Date });`,
    );
    const day = 86_400_000;
    cloud.kernel.clock.advance(day);
    const seen = z.record(z.string(), z.union([z.number(), z.boolean()])).parse(await run(cloud));
    for (const name of ['loaded', 'now', 'fresh', 'again', 'text'])
      expect(Math.abs(Number(seen[name]) - cloud.kernel.clock.now()), name).toBeLessThan(5000);
    expect(seen).toMatchObject({ fixed: 5, utc: Date.UTC(2020, 0), is: true });
    cloud.kernel.clock.advance(day);
    expect(Number(z.record(z.string(), z.unknown()).parse(await run(cloud))['now'])).toBeGreaterThan(cloud.kernel.clock.now() - 5000);
  });

  it.each([
    [
      'throws',
      `export const handler = async () => { throw Object.assign(new Error('no'), { name: 'Refused' }); };`,
      { errorType: 'Refused', errorMessage: 'no', trace: expect.any(Array) },
    ],
    ['throws something else', `export const handler = async () => { throw 'no'; };`, { errorType: 'string', errorMessage: 'no' }],
    ['cannot be loaded', `throw new TypeError('broken');`, { errorType: 'TypeError', errorMessage: 'broken' }],
    ['has no handler', `export const other = 1;`, { errorType: 'Runtime.HandlerNotFound' }],
    ['exits', `export const handler = async () => process.exit(3);`, { errorType: 'Runtime.ExitError' }],
    [
      'rejects where nobody waits',
      `export const handler = () => new Promise(() => { Promise.reject(new RangeError('lost')); });`,
      { errorType: 'RangeError', errorMessage: 'lost' },
    ],
  ])('answers as Lambda does when the function %s', async (_, source, error) => {
    const cloud = await withFunction(source);
    const answer = await invoke(cloud);
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(parsed(answer)).toMatchObject(error);
  });

  it('ends at the function’s timeout, and the next one starts afresh', async () => {
    const cloud = await withFunction(
      `let count = 0; export const handler = (event) => event.hang ? new Promise(() => setInterval(() => {}, 1000)) : ++count;`,
      { settings: { Timeout: 1 } },
    );
    expect(await run(cloud)).toBe(1);
    const answer = await invoke(cloud, { hang: true });
    expect(parsed(answer)).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/Task timed out after 1\.00 seconds$/),
    });
    expect(await run(cloud)).toBe(1);
  });

  it('reuses a warm environment, but never for two at once, and has at most as many as allowed', async () => {
    const source = `import { threadId } from 'node:worker_threads';
      let inside = 0;
      export const handler = async () => { inside++; await new Promise((done) => setTimeout(done, 50)); const seen = inside; inside--; return { seen, threadId }; };`;
    const cloud = await withFunction(source, { concurrencyPerFunction: 2 });
    const seen = z
      .array(z.object({ seen: z.number(), threadId: z.number() }))
      .parse(await Promise.all(Array.from({ length: 6 }, () => run(cloud))));
    expect(seen.map((one) => one.seen)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(new Set(seen.map((one) => one.threadId)).size).toBe(2);
  });

  it('gets new credentials before the old ones end', async () => {
    const cloud = await withFunction(`export const handler = async () => process.env.AWS_ACCESS_KEY_ID;`);
    const first = await run(cloud);
    expect(await run(cloud)).toBe(first);
    cloud.kernel.clock.advance(3_600_000 - 30_000);
    const second = await run(cloud);
    expect(second).not.toBe(first);
    expect(cloud.kernel.callerOf(String(second))).toBeDefined();
  });

  it('sees a changed configuration', async () => {
    const cloud = await withFunction(`export const handler = async () => process.env.OWN ?? null;`);
    expect(await run(cloud)).toBeNull();
    await cloud.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: 'work', Environment: { Variables: { OWN: 'new' } } });
    expect(await run(cloud)).toBe('new');
  });

  it('is refused when Lambda may not assume the role', async () => {
    const cloud = await withFunction(`export const handler = async () => 1;`);
    await cloud.call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'worker', PolicyDocument: trust({ Service: 'ec2.amazonaws.com' }) });
    await expect(invoke(cloud)).rejects.toMatchObject({ code: expect.stringContaining('AccessDenied') });
  });

  it('runs later, and again after an error, when it is asynchronous', async () => {
    const cloud = await withFunction(
      `let count = 0; export const handler = async () => { console.log('attempt ' + ++count); if (count < 2) throw new Error('once'); };`,
    );
    expect(await cloud.call('lambda', 'Invoke', { FunctionName: 'work', InvocationType: 'Event', Payload: '{}' })).toEqual({
      StatusCode: 202,
    });
    await cloud.until(async () => (await logLines(cloud).catch(() => [])).some((line) => line === 'attempt 1'));
    await cloud.until(() => {
      cloud.kernel.clock.advance(60_000);
      return cloud.lambda.busy?.() === false;
    });
    expect(await logLines(cloud)).toContain('attempt 2');
    expect(await cloud.call('lambda', 'Invoke', { FunctionName: 'work', InvocationType: 'DryRun' })).toEqual({ StatusCode: 204 });
  });
});

describe('the log of a function', () => {
  it('has what it printed, and its errors', async () => {
    const cloud = await withFunction(
      `export const handler = async (event) => { console.log('out', 1); console.error('err\\nsecond line'); if (event.fail) throw new Error('bad'); };`,
    );
    await invoke(cloud, { fail: true });
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await logLines(cloud)).toEqual([
      'out 1',
      'err\rsecond line',
      expect.stringMatching(/ERROR Invoke Error .*"errorMessage":"bad"/),
    ]);
  });

  it('is written with the function’s role: without the right it stays empty, and people are told once', async () => {
    const cloud = await withFunction(`export const handler = async () => console.log('canary-1234');`, {
      rights: [allow('sqs:ListQueues')],
    });
    await invoke(cloud);
    await invoke(cloud);
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(cloud.reports).toHaveLength(1);
    expect(cloud.reports[0]).toMatch(/logs:CreateLogStream/);
    expect(cloud.reports[0]).not.toContain('canary-1234');
  });

  it('goes to the group that LoggingConfig names', async () => {
    const arn = `arn:aws:logs:${region}:${account}:log-group:own:*`;
    const cloud = await withFunction(
      `export const handler = async (_, context) => { console.log('here'); return context.logGroupName; };`,
      {
        rights: [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], arn)],
        settings: { LoggingConfig: { LogGroup: 'own' } },
      },
    );
    await cloud.call('logs', 'CreateLogGroup', { logGroupName: 'own' });
    expect(await run(cloud)).toBe('own');
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await cloud.call('logs', 'FilterLogEvents', { logGroupName: 'own' })).toMatchObject({
      events: [{ message: expect.stringMatching(/\there$/) }],
    });
  });
});

describe('who may invoke a function', () => {
  it('is decided by identity policies, and by the function’s policy for an AWS service', async () => {
    const cloud = await withFunction(`export const handler = async () => 1;`);
    const nobody = await makeUser(cloud.kernel, 'nobody', policy(allow('lambda:GetFunction')));
    await expect(cloud.kernel.call(nobody, 'lambda', 'Invoke', { FunctionName: 'work' })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    const SourceArn = `arn:aws:events:${region}:${account}:rule/bus/rule`;
    const events = cloud.kernel.serviceCaller('events.amazonaws.com', account, { 'aws:SourceArn': SourceArn });
    const asEvents = () => cloud.kernel.call(events, 'lambda', 'Invoke', { FunctionName: functionArn });
    await expect(asEvents()).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await cloud.call('lambda', 'AddPermission', {
      FunctionName: 'work',
      StatementId: 'rule',
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceArn,
    });
    expect(await asEvents()).toMatchObject({ Payload: '1' });
    await cloud.call('lambda', 'RemovePermission', { FunctionName: 'work', StatementId: 'rule' });
    await expect(cloud.call('lambda', 'GetPolicy', { FunctionName: 'work' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await expect(asEvents()).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('is nobody who could only make one: a role must be passed', async () => {
    const cloud = await withFunction(`export const handler = async () => 1;`);
    const maker = await makeUser(cloud.kernel, 'maker', policy(allow('lambda:*')));
    const input = {
      FunctionName: 'other',
      Code: { S3Bucket: 'assets', S3Key: 'work.zip' },
      Role: `arn:aws:iam::${account}:role/worker`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
    };
    await expect(cloud.kernel.call(maker, 'lambda', 'CreateFunction', input)).rejects.toThrow('iam:PassRole');
  });

  it.each([
    ['another runtime', { Runtime: 'python3.13' }, 'ValidationException'],
    ['a layer', { Layers: ['arn:x'] }, 'NotImplemented'],
    ['a bundle that is not there', { Code: { S3Bucket: 'assets', S3Key: 'missing.zip' } }, 'InvalidParameterValueException'],
    ['a bundle outside the folder', { Code: { S3Bucket: 'assets', S3Key: '../work.zip' } }, 'InvalidParameterValueException'],
  ])('cannot be made with %s', async (_, change, code) => {
    const cloud = await withFunction(`export const handler = async () => 1;`);
    const input = {
      FunctionName: 'other',
      Code: { S3Bucket: 'assets', S3Key: 'work.zip' },
      Role: `arn:aws:iam::${account}:role/worker`,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
    };
    await expect(cloud.call('lambda', 'CreateFunction', { ...input, ...change })).rejects.toMatchObject({ code });
  });
});

describe('a queue as event source', () => {
  const bundle = `export const handler = async ({ Records }) => {
    for (const record of Records) console.log(record.body + ' ' + record.attributes.ApproximateReceiveCount);
    const bad = Records.filter((record) => record.body.startsWith('bad'));
    if (Records.some((record) => record.body === 'throw')) throw new Error('whole batch');
    if (Records.some((record) => record.body === 'malformed')) return { batchItemFailures: [{ itemIdentifier: '' }] };
    return { batchItemFailures: bad.map((record) => ({ itemIdentifier: record.messageId })) };
  };`;
  async function withMapping(options: Options & { mapping?: object } = {}): Promise<EventCloud> {
    const cloud = await withFunction(bundle, { rights: [mayLog, mayConsume], ...options });
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'work', Attributes: { VisibilityTimeout: '30' } });
    await cloud.call('lambda', 'CreateEventSourceMapping', {
      FunctionName: 'work',
      EventSourceArn: queueArn('work'),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ...options.mapping,
    });
    return cloud;
  }
  const send = (cloud: EventCloud, ...bodies: string[]) =>
    cloud.call('sqs', 'SendMessageBatch', {
      QueueUrl: queueUrl('work'),
      Entries: bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody })),
    });
  const left = async (cloud: EventCloud): Promise<unknown> =>
    (
      await cloud.call('sqs', 'GetQueueAttributes', {
        QueueUrl: queueUrl('work'),
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      })
    )['Attributes'];
  const handled = (cloud: EventCloud, line: string) =>
    cloud.until(async () => (await logLines(cloud).catch((): string[] => [])).includes(line));
  const ended = (cloud: EventCloud) => cloud.until(async () => (await logLines(cloud)).some((line) => line.includes('Invoke Error')));

  it('hands a batch over and deletes what was done', async () => {
    const cloud = await withMapping();
    expect(cloud.kernel.service('lambda')?.busy?.()).toBe(false);
    await send(cloud, 'a', 'b');
    expect(cloud.kernel.service('lambda')?.busy?.()).toBe(true);
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(await logLines(cloud)).toEqual(['a 1', 'b 1']);
    expect(await left(cloud)).toEqual({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
    const actions = cloud.kernel.journal
      .since(0)
      .filter((entry) => entry.principal.includes('assumed-role/worker/work') && entry.service === 'sqs');
    expect(actions.map((entry) => entry.action)).toEqual(['sqs:ReceiveMessage', 'sqs:DeleteMessage']);
  });

  it('gives Lambda’s event shape', async () => {
    const cloud = await withMapping();
    cloud.writeBundle('shape', `export const handler = async (event) => { console.log(JSON.stringify(event)); };`);
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'shape' });
    const Role = await makeRole(cloud.kernel, 'shaper', trustLambda, policy(allow(['sqs:*', 'logs:*'])));
    await cloud.call('lambda', 'CreateFunction', {
      FunctionName: 'shape',
      Code: { S3Bucket: 'assets', S3Key: 'shape.zip' },
      Role,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
    });
    await cloud.call('lambda', 'CreateEventSourceMapping', { FunctionName: 'shape', EventSourceArn: queueArn('shape') });
    await cloud.call('sqs', 'SendMessage', {
      QueueUrl: queueUrl('shape'),
      MessageBody: 'x',
      MessageGroupId: 'acme',
      MessageAttributes: { reason: { DataType: 'String', StringValue: 'why' } },
    });
    expect(await cloud.kernel.idle(5000)).toBe(true);
    const { events } = await cloud.call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/shape' });
    const [{ message }] = z.tuple([z.object({ message: z.string() })]).parse(events);
    expect(JSON.parse(printed(message)).Records).toEqual([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: 'x',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          MessageGroupId: 'acme',
        },
        messageAttributes: { reason: { stringValue: 'why', stringListValues: [], binaryListValues: [], dataType: 'String' } },
        md5OfBody: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: queueArn('shape'),
        awsRegion: region,
      },
    ]);
  });

  it('keeps only what the function could not do, until its visibility ends', async () => {
    const cloud = await withMapping();
    await send(cloud, 'good', 'bad');
    await handled(cloud, 'bad 1');
    await cloud.until(
      async () =>
        JSON.stringify(await left(cloud)) ===
        JSON.stringify({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '1' }),
    );
    expect(await cloud.kernel.idle(100)).toBe(false);
    cloud.kernel.clock.advance(30_000);
    await handled(cloud, 'bad 2');
    expect(await logLines(cloud)).not.toContain('good 2');
  });

  it.each(['throw', 'malformed'])('keeps the whole batch when the function does "%s"', async (body) => {
    const cloud = await withMapping();
    await send(cloud, 'good', body);
    await handled(cloud, `${body} 1`);
    if (body === 'throw') await ended(cloud);
    cloud.kernel.clock.advance(30_000);
    await handled(cloud, 'good 2');
  });

  it('runs with the function’s role: without the right it takes nothing and says so', async () => {
    const cloud = await withMapping({ rights: [mayLog, allow('sqs:DeleteMessage', queueArn('work'))] });
    await send(cloud, 'a');
    await cloud.until(() => cloud.reports.length > 0);
    expect(cloud.reports[0]).toContain('sqs:ReceiveMessage');
    expect(await left(cloud)).toMatchObject({ ApproximateNumberOfMessages: '1' });
    await cloud.call('iam', 'PutRolePolicy', { RoleName: 'worker', PolicyName: 'Own', PolicyDocument: policy(mayLog, mayConsume) });
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect(cloud.reports).toHaveLength(1);
  });

  it('works on no more batches at once than ScalingConfig allows', async () => {
    const cloud = await withMapping({ concurrencyPerFunction: 10, mapping: { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } } });
    const inFlight: number[] = [];
    await send(cloud, ...Array.from({ length: 8 }, (_, index) => `m${index}`));
    await cloud.until(async () => {
      const attributes = z.record(z.string(), z.string()).parse(await left(cloud));
      inFlight.push(Number(attributes['ApproximateNumberOfMessagesNotVisible']));
      return cloud.lambda.busy?.() === false;
    });
    expect(Math.max(...inFlight)).toBe(2);
  });

  it('waits for more messages as long as the batching window says', async () => {
    const cloud = await withMapping({ mapping: { MaximumBatchingWindowInSeconds: 60 } });
    await send(cloud, 'a');
    await cloud.until(async () => JSON.stringify(await left(cloud)).includes('"ApproximateNumberOfMessagesNotVisible":"1"'));
    await send(cloud, 'b');
    await cloud.until(async () => JSON.stringify(await left(cloud)).includes('"ApproximateNumberOfMessagesNotVisible":"2"'));
    await expect(logLines(cloud)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    cloud.kernel.clock.advance(60_000);
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect((await logLines(cloud)).slice(0, 2)).toEqual(['a 1', 'b 1']);
  });

  it('gives the messages of a crashed worker back after their visibility timeout', async () => {
    const cloud = await withFunction(
      `export const handler = async ({ Records }) => { console.log('got ' + Records[0].attributes.ApproximateReceiveCount); if (Records[0].attributes.ApproximateReceiveCount === '1') await new Promise(() => setInterval(() => {}, 1000)); };`,
      {
        rights: [mayLog, mayConsume],
        settings: { Timeout: 60 },
      },
    );
    await cloud.call('sqs', 'CreateQueue', { QueueName: 'work' });
    await cloud.call('lambda', 'CreateEventSourceMapping', { FunctionName: 'work', EventSourceArn: queueArn('work') });
    // The worker's own call is the log it writes: the fault hits when that is done.
    cloud.kernel.faults.add({ service: 'logs', action: 'PutLogEvents', nth: 1, mode: 'crash' });
    await send(cloud, 'a');
    await handled(cloud, 'got 1');
    await cloud.until(() => cloud.reports.length === 1);
    cloud.kernel.clock.advance(30_000);
    await handled(cloud, 'got 2');
    expect(await cloud.kernel.idle(5000)).toBe(true);
  });

  it('is listed, and stops when it is deleted', async () => {
    const cloud = await withMapping();
    const { EventSourceMappings } = await cloud.call('lambda', 'ListEventSourceMappings', { FunctionName: 'work' });
    const [mapping] = z.tuple([z.looseObject({ UUID: z.string() })]).parse(EventSourceMappings);
    expect(mapping).toMatchObject({ EventSourceArn: queueArn('work'), FunctionArn: functionArn, BatchSize: 10, State: 'Enabled' });
    await cloud.call('lambda', 'DeleteEventSourceMapping', { UUID: mapping.UUID });
    await send(cloud, 'a');
    expect(await receive(cloud, 'work')).toHaveLength(1);
    expect(await cloud.kernel.idle(1000)).toBe(true);
  });
});

describe('the HTTP binding', () => {
  const query = new URLSearchParams();
  it('finds invocation type, function and payload', () => {
    const path = `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`;
    expect(route('POST', path, query, Buffer.from('{"a":1}'), { 'x-amz-invocation-type': 'Event' })).toEqual({
      operation: 'Invoke',
      input: { FunctionName: functionArn, InvocationType: 'Event', Payload: '{"a":1}' },
    });
    expect(route('PATCH', path, query, Buffer.from(''), {})).toBeUndefined();
  });

  it('joins path, query and body', () => {
    expect(route('GET', '/2015-03-31/event-source-mappings/', new URLSearchParams('FunctionName=work'), Buffer.from(''), {})).toEqual({
      operation: 'ListEventSourceMappings',
      input: { FunctionName: 'work' },
    });
    expect(route('POST', '/2015-03-31/functions/work/policy', query, Buffer.from('{"StatementId":"x"}'), {})).toEqual({
      operation: 'AddPermission',
      input: { FunctionName: 'work', StatementId: 'x' },
    });
    expect(() => route('POST', '/2015-03-31/functions', query, Buffer.from('{'), {})).toThrow(
      expect.objectContaining({ code: 'InvalidRequestContentException' }),
    );
  });

  it('sends a payload as the raw body and an error of the function as a header', () => {
    expect(respond('Invoke', { StatusCode: 200, FunctionError: 'Unhandled', Payload: '{"errorType":"x"}' })).toMatchObject({
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: '{"errorType":"x"}',
    });
    expect(respond('DeleteFunction', {})).toEqual({ status: 204, body: '' });
  });
});
