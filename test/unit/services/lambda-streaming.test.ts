import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { allow, makeRole, policy, trust } from '../core/cloud.ts';
import { type EventCloud, printed, startEventCloud } from './event-cloud.ts';

async function withFunction(source: string, settings: object = {}): Promise<EventCloud> {
  const cloud = startEventCloud();
  cloud.writeBundle('work', source);
  await cloud.call('lambda', 'CreateFunction', {
    FunctionName: 'work',
    Code: { S3Bucket: 'assets', S3Key: 'work.zip' },
    Role: await makeRole(cloud.kernel, 'worker', trust({ Service: 'lambda.amazonaws.com' }), policy(allow('logs:*'))),
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    ...settings,
  });
  return cloud;
}
const event = z.union([
  z.object({ PayloadChunk: z.object({ Payload: z.instanceof(Uint8Array) }) }),
  z.object({ InvokeComplete: z.object({ ErrorCode: z.string().optional(), ErrorDetails: z.string().optional() }) }),
]);
const isEvents = (value: unknown): value is AsyncIterableIterator<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
async function stream(cloud: EventCloud, payload: object = {}): Promise<AsyncIterableIterator<unknown>> {
  const { EventStream } = await cloud.call('lambda', 'InvokeWithResponseStream', {
    FunctionName: 'work',
    Payload: JSON.stringify(payload),
  });
  if (!isEvents(EventStream)) throw new Error('there is no stream');
  return EventStream;
}
/** The chunks as text, and what the end says. */
async function read(events: AsyncIterableIterator<unknown>): Promise<{ chunks: string[]; complete: unknown }> {
  const chunks: string[] = [];
  let complete: unknown;
  for await (const one of events) {
    const parsed = event.parse(one);
    if ('InvokeComplete' in parsed) complete = parsed.InvokeComplete;
    else chunks.push(Buffer.from(parsed.PayloadChunk.Payload).toString());
  }
  return { chunks, complete };
}
const logged = async (cloud: EventCloud): Promise<string[]> => {
  const { events } = await cloud.call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/work' }).catch(() => ({ events: [] }));
  return z
    .array(z.object({ message: z.string() }))
    .parse(events)
    .map(({ message }) => printed(message));
};
const streaming = (body: string): string =>
  `export const handler = awslambda.streamifyResponse(async (event, stream, context) => { ${body} });`;
const pause = 'const pause = (ms) => new Promise((done) => setTimeout(done, ms));';

describe('a streamed response', () => {
  it('arrives write by write, before the function has ended', async () => {
    const cloud = await withFunction(
      streaming(`${pause} stream.write('one'); await pause(50); stream.write(Buffer.from('two')); stream.end();`),
    );
    const events = await stream(cloud);
    const first = event.parse((await events.next()).value);
    expect('PayloadChunk' in first && Buffer.from(first.PayloadChunk.Payload).toString()).toBe('one');
    expect(cloud.lambda.busy?.()).toBe(true);
    expect(await read(events)).toEqual({ chunks: ['two'], complete: {} });
  });

  it('begins with the prelude and eight NUL bytes, which the first write sends', async () => {
    const cloud = await withFunction(
      streaming(
        `stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { a: 'b' } }); stream.write('body'); stream.end();`,
      ),
    );
    const { chunks } = await read(await stream(cloud));
    expect(chunks.join('')).toBe(`{"statusCode":201,"headers":{"a":"b"}}${'\0'.repeat(8)}body`);
  });

  it('has no prelude when there is no write but the end’s own, as in Lambda', async () => {
    const cloud = await withFunction(streaming(`awslambda.HttpResponseStream.from(stream, { statusCode: 201 }).end('body');`));
    expect(await read(await stream(cloud))).toEqual({ chunks: ['body'], complete: {} });
  });

  it('can be piped to', async () => {
    const cloud = await withFunction(
      `import { pipeline } from 'node:stream/promises'; import { Readable } from 'node:stream'; ${streaming(`await pipeline(Readable.from(['a', 'b', 'c']), awslambda.HttpResponseStream.from(stream, { statusCode: 200 }));`)}`,
    );
    const { chunks, complete } = await read(await stream(cloud));
    expect([chunks.join(''), complete]).toEqual([`{"statusCode":200}${'\0'.repeat(8)}abc`, {}]);
  });

  it('says at its end what went wrong, after what was written before', async () => {
    const cloud = await withFunction(streaming(`stream.write('begun'); throw new RangeError('half way');`));
    const { chunks, complete } = await read(await stream(cloud));
    expect(chunks).toEqual(['begun']);
    expect(complete).toMatchObject({ ErrorCode: 'Unhandled', ErrorDetails: expect.stringContaining('half way') });
  });

  it.each([
    [
      'a handler that is not async',
      `export const handler = awslambda.streamifyResponse((event, stream) => { stream.end('x'); });`,
      'non-async',
    ],
    ['a bundle that cannot be loaded', `throw new TypeError('broken');`, 'broken'],
    ['a timeout', streaming(`stream.write('x'); await new Promise(() => setInterval(() => {}, 1000));`), 'timed out'],
    ['an exit', streaming(`stream.write('x'); process.exit(1);`), 'exited'],
  ])('ends with an error after %s', async (_, source, text) => {
    const cloud = await withFunction(source, { Timeout: 1 });
    const { complete } = await read(await stream(cloud));
    expect(complete).toMatchObject({ ErrorCode: 'Unhandled', ErrorDetails: expect.stringContaining(text) });
  });

  it('is held back when nobody reads', async () => {
    const cloud = await withFunction(
      streaming(
        `stream.on('drain', () => console.log('drain')); let full = 0; while (stream.write(Buffer.alloc(8192))) full += 1; console.log('full after ' + full); await new Promise((go) => stream.once('drain', go)); stream.end();`,
      ),
      { Timeout: 30 },
    );
    const events = await stream(cloud);
    await cloud.until(async () => (await logged(cloud)).length > 0);
    await sleep(50);
    expect(await logged(cloud)).toEqual([expect.stringMatching(/^full after \d$/)]);
    await read(events);
    await cloud.until(async () => (await logged(cloud)).includes('drain'));
  });

  it('is refused to somebody who may not invoke', async () => {
    const cloud = await withFunction(streaming(`stream.end('x');`));
    const events = cloud.kernel.serviceCaller('apigateway.amazonaws.com', '111122223333', { 'aws:SourceArn': 'arn:aws:execute-api:x' });
    await expect(cloud.kernel.call(events, 'lambda', 'InvokeWithResponseStream', { FunctionName: 'work' })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });
});

describe('a response that nobody reads any more', () => {
  it('does not stop the function, whose stream emits error and close at once', async () => {
    const cloud = await withFunction(
      streaming(
        `${pause} stream.on('error', (error) => console.log('error ' + error.code)); stream.on('close', () => console.log('close ' + stream.destroyed));
         stream.write('one'); await pause(100); stream.write('two', (error) => console.log('write ' + (error ? 'failed' : 'done'))); console.log('still here');`,
      ),
    );
    const events = await stream(cloud);
    await events.next();
    await events.return?.();
    await cloud.until(async () => (await logged(cloud)).includes('still here'));
    const lines = await logged(cloud);
    expect(lines.slice(0, 2)).toEqual(['error ECONNRESET', 'close true']);
    await cloud.until(async () => (await logged(cloud)).includes('write failed'));
    expect(await cloud.kernel.idle(5000)).toBe(true);
  });

  it('leaves the environment fit for the next invocation', async () => {
    const cloud = await withFunction(
      `let count = 0; ${streaming(`count += 1; if (event.hold) { stream.write('x'); await new Promise((gone) => stream.once('close', gone)); } else stream.end(String(count));`)}`,
    );
    const events = await stream(cloud, { hold: true });
    await events.next();
    await events.return?.();
    expect(await cloud.kernel.idle(5000)).toBe(true);
    expect((await read(await stream(cloud))).chunks).toEqual(['2']);
  });
});

describe('the two kinds of handlers and invocations', () => {
  it('meet: Invoke waits for the whole stream, a stream has a plain result as its only chunk', async () => {
    const cloud = await withFunction(streaming(`stream.write('a'); stream.write({ b: 1 }); stream.end();`));
    expect(await cloud.call('lambda', 'Invoke', { FunctionName: 'work' })).toEqual({
      StatusCode: 200,
      ExecutedVersion: '$LATEST',
      Payload: 'a{"b":1}',
    });
    const plain = await withFunction(`export const handler = async (event, context) => ({ event, tenant: context.tenantId ?? null });`);
    expect(await read(await stream(plain, { a: 1 }))).toEqual({ chunks: ['{"event":{"a":1},"tenant":null}'], complete: {} });
  });

  it('have the payload limits of Lambda', async () => {
    const cloud = await withFunction(`export const handler = async (event) => 'x'.repeat(event.length);`);
    const Payload = JSON.stringify({ text: 'x'.repeat(6 * 1024 * 1024) });
    await expect(cloud.call('lambda', 'Invoke', { FunctionName: 'work', Payload })).rejects.toMatchObject({
      code: 'RequestTooLargeException',
      status: 413,
    });
    expect(await cloud.call('lambda', 'Invoke', { FunctionName: 'work', Payload: `{"length":${6 * 1024 * 1024}}` })).toMatchObject({
      FunctionError: 'Unhandled',
      Payload: expect.stringContaining('Function.ResponseSizeTooLarge'),
    });
  });
});
