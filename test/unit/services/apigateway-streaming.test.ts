import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiCloud, bufferedUri, startApiCloud, streamingUri } from './api-cloud.ts';
import { printed } from './event-cloud.ts';

const stream = (body: string): string => `
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
    const begin = (prelude) => (stream = awslambda.HttpResponseStream.from(stream, prelude));
    ${body}
  });`;

async function withStream(source: string, integration: object = {}, settings: object = {}): Promise<ApiCloud> {
  const cloud = await startApiCloud();
  await cloud.addFunction('work', source, settings);
  await cloud.addMethod({
    path: '/stream',
    integration: { uri: streamingUri('work'), responseTransferMode: 'STREAM', timeoutInMillis: 900_000, ...integration },
  });
  await cloud.deploy();
  return cloud;
}
const logged = async (cloud: ApiCloud): Promise<string[]> => {
  const { events } = await cloud.call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/work' }).catch(() => ({ events: [] }));
  return z
    .array(z.object({ message: z.string() }))
    .parse(events)
    .map(({ message }) => printed(message));
};

describe('a streamed response at the gateway (G4)', () => {
  it('reaches the client before the function writes its last', async () => {
    const cloud = await withStream(
      stream(`begin({ statusCode: 200, headers: { 'content-type': 'text/event-stream' }, cookies: ['a=1', 'b=2'] });
        stream.write('data: one\\n\\n'); await pause(300); stream.write('data: two\\n\\n'); stream.end();`),
    );
    const { incoming } = await cloud.open('/v1/stream');
    expect(incoming.statusCode).toBe(200);
    expect(incoming.headers).toMatchObject({ 'content-type': 'text/event-stream', 'set-cookie': ['a=1', 'b=2'] });
    const [first] = await once(incoming, 'data');
    expect(String(first)).toBe('data: one\n\n');
    expect(cloud.lambda.busy?.()).toBe(true);
    const rest: string[] = [];
    for await (const chunk of incoming) rest.push(String(chunk));
    expect(rest.join('')).toBe('data: two\n\n');
  });

  it('has its head as soon as the prelude is there', async () => {
    const cloud = await withStream(stream(`begin({ statusCode: 202 }); stream.write(''); await pause(300); stream.end();`));
    const { incoming } = await cloud.open('/v1/stream');
    expect([incoming.statusCode, incoming.headers['content-type']]).toEqual([202, 'application/octet-stream']);
    expect(cloud.lambda.busy?.()).toBe(true);
    incoming.resume();
    await once(incoming, 'end');
  });

  it('passes bytes on as they are, also when the delimiter is split between writes', async () => {
    const cloud = await withStream(
      stream(
        `stream.write('{"statusCode":200}\\0\\0\\0'); await pause(5); stream.write('\\0\\0\\0\\0'); await pause(5); stream.write(Buffer.from([0, 255, 0, 254])); stream.end();`,
      ),
    );
    const { incoming } = await cloud.open('/v1/stream');
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    expect([...Buffer.concat(chunks)]).toEqual([255, 0, 254]);
  });

  it.each([
    ['a plain handler', `export const handler = async () => ({ statusCode: 200, body: 'x' });`],
    ['a prelude that is no JSON', stream(`stream.write('nonsense' + '\\0'.repeat(8)); stream.end();`)],
    ['a prelude without status', stream(`begin({ headers: {} }); stream.write('x'); stream.end();`)],
    ['no prelude within 16 KB', stream(`stream.write('x'.repeat(20000)); stream.end();`)],
    ['an end without a write', stream(`begin({ statusCode: 200 }); stream.end('x');`)],
    ['an error before the first byte', stream(`throw new Error('canary-77');`)],
  ])('is 502 after %s', async (_, source) => {
    const cloud = await withStream(source);
    expect(await cloud.send('/v1/stream')).toMatchObject({ status: 502, text: '{"message":"Internal server error"}' });
    expect(cloud.defects).toEqual([]);
  });

  it('breaks off, and does not end, when the function fails half way', async () => {
    const cloud = await withStream(stream(`begin({ statusCode: 200 }); stream.write('half'); throw new Error('no more');`));
    const { incoming } = await cloud.open('/v1/stream');
    incoming.resume();
    const [error] = await once(incoming, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  it.each([
    ['before the first byte', stream(`await pause(1200);`), 504],
    ['after it', stream(`begin({ statusCode: 200 }); stream.write('x'); await pause(1200); stream.end();`), 200],
  ])('is cut at the integration’s timeout %s', async (_, source, status) => {
    const cloud = await withStream(source, { timeoutInMillis: 500 });
    const { incoming } = await cloud.open('/v1/stream');
    expect(incoming.statusCode).toBe(status);
    const ended = incoming.resume();
    if (status === 200) await once(ended, 'error');
    else await once(ended, 'end');
  });

  it('goes on in the function when the client has left, whose stream then fails', async () => {
    const cloud = await withStream(
      stream(`stream.on('close', () => console.log('closed')); stream.on('error', (error) => console.log(error.code));
        begin({ statusCode: 200 }); stream.write('one'); await pause(200); console.log('still at work'); stream.write('two', (error) => console.log(error ? 'refused' : 'taken'));`),
    );
    const { incoming, leave } = await cloud.open('/v1/stream');
    incoming.on('error', () => undefined);
    await once(incoming, 'data');
    leave();
    await cloud.until(async () => (await logged(cloud)).includes('refused'));
    const lines = await logged(cloud);
    expect(lines.slice(0, 2)).toEqual(['ECONNRESET', 'closed']);
    expect(lines).toContain('still at work');
    expect(cloud.defects).toEqual([]);
  });

  it('tells a function that has not written yet that the client has left', async () => {
    const cloud = await withStream(
      stream(
        `console.log('begun'); stream.on('close', () => console.log('closed')); await new Promise((gone) => stream.once('close', gone));`,
      ),
    );
    const outgoing = request(`${cloud.gateway.url}/v1/stream`).on('error', () => undefined);
    outgoing.end();
    await cloud.until(async () => (await logged(cloud)).includes('begun'));
    outgoing.destroy();
    await cloud.until(async () => (await logged(cloud)).includes('closed'));
    expect(await cloud.kernel.idle(5000)).toBe(true);
  });

  it('is held back by a client that does not read', async () => {
    const cloud = await withStream(
      stream(`begin({ statusCode: 200 });
        for (let sent = 1; sent <= 800; sent++) {
          if (stream.write(Buffer.alloc(65536))) continue;
          const drained = new Promise((go) => stream.once('drain', () => go(true)));
          if (await Promise.race([drained, pause(400)]) !== true) { console.log('held back after ' + sent); await drained; }
        }
        stream.end();`),
      {},
      { Timeout: 30 },
    );
    const { incoming } = await cloud.open('/v1/stream');
    await cloud.until(async () => (await logged(cloud)).length > 0);
    expect(Number(/^held back after (\d+)$/.exec((await logged(cloud))[0] ?? '')?.[1])).toBeLessThan(200);
    let bytes = 0;
    for await (const chunk of incoming) bytes += Buffer.from(chunk).length;
    expect(bytes).toBe(800 * 65536);
  });

  it('is for the tenant that the authorizer names', async () => {
    const cloud = await startApiCloud();
    await cloud.addFunction('work', stream(`begin({ statusCode: 200 }); stream.write(context.tenantId); stream.end();`), {
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
    });
    await cloud.addFunction(
      'auth',
      `export const handler = async ({ headers }) => ({ principalId: 'u', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: '*' }] }, context: { tenantId: headers.Authorization } });`,
    );
    await cloud.addMethod({
      path: '/stream',
      authorizer: await cloud.addAuthorizer(),
      integration: {
        uri: streamingUri('work'),
        responseTransferMode: 'STREAM',
        requestParameters: { 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.tenantId' },
      },
    });
    await cloud.deploy();
    const asked = (Authorization: string) => cloud.send('/v1/stream', { headers: { Authorization, 'X-Amz-Tenant-Id': 'victim' } });
    expect(await asked('acme')).toMatchObject({ status: 200, text: 'acme' });
    expect(await asked('acme-2')).toMatchObject({ status: 200, text: 'acme-2' });
    expect(await asked('not/a;tenant')).toMatchObject({ status: 400 });
  });

  it.each([
    [bufferedUri('work'), 'STREAM'],
    [streamingUri('work'), 'BUFFERED'],
  ])('needs URI and transfer mode that agree: %s with %s', async (uri, responseTransferMode) => {
    const cloud = await startApiCloud();
    await expect(cloud.addMethod({ path: '/x', integration: { uri, responseTransferMode } })).rejects.toMatchObject({
      code: 'BadRequestException',
    });
  });
});
