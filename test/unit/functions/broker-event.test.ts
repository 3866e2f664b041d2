import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { errorAnswer } from '../../../functions/broker/broker-error.ts';
import { createClientStream } from '../../../functions/broker/client-stream.response-stream.ts';
import { readBrokerEnv } from '../../../functions/broker/env.ts';
import { createHandler } from '../../../functions/broker/proxy-call.handler.ts';
import { maxBodyBytes, proxyCallOf } from '../../../functions/broker/proxy-event.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { acme, ann, createBrokerWorld, issuer, startProvider } from './broker-world.ts';

const authorizer = {
  tenantId: acme,
  userId: ann,
  issuer,
  subject: 'ann',
  agentId: 'bot',
  sessionId: '',
  role: '',
  exp: '1795262400',
  principalId: 'acme.x',
  integrationLatency: 12,
};
const event = (over: object = {}) => ({
  resource: '/proxy/{provider}/{path+}',
  path: '/proxy/openai/v1/chat/completions',
  httpMethod: 'POST',
  headers: { Authorization: 'Bearer jwt.of.ann', 'Content-Type': 'application/json' },
  multiValueHeaders: { Authorization: ['Bearer jwt.of.ann'], 'Content-Type': ['application/json'] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: { provider: 'openai', path: 'v1/chat/completions' },
  requestContext: { requestId: 'r-1', authorizer },
  body: null,
  isBase64Encoded: false,
  ...over,
});

describe('an event of API Gateway', () => {
  it('is read as a call: who by the authorizer, what by path, query, headers and body', () => {
    const call = proxyCallOf(event());
    expect(call).toMatchObject({
      requestId: 'r-1',
      token: 'jwt.of.ann',
      provider: 'openai',
      method: 'POST',
      path: 'v1/chat/completions',
      query: '',
      headers: { authorization: 'Bearer jwt.of.ann', 'content-type': 'application/json' },
      caller: { tenantId: 'acme', userId: ann, agentId: 'bot', sessionId: undefined, role: undefined, expiresAt: 1795262400_000 },
    });
  });

  it('keeps every value of a query and every byte of a body', () => {
    const body = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const call = proxyCallOf(
      event({
        body: body.toString('base64'),
        isBase64Encoded: true,
        queryStringParameters: { a: '2', 'b c': 'ü&=' },
        multiValueQueryStringParameters: { a: ['1', '2'], 'b c': ['ü&='] },
      }),
    );
    expect(call.body.equals(body)).toBe(true);
    expect([...new URLSearchParams(call.query)]).toEqual([
      ['a', '1'],
      ['a', '2'],
      ['b c', 'ü&='],
    ]);
    expect(proxyCallOf(event({ body: 'grüße' })).body.toString()).toBe('grüße');
  });

  it('keeps the path as it came, also behind a custom domain’s mapping', () => {
    const encoded = { path: '/proxy/openai/v1/models/a%2Fb', pathParameters: { provider: 'openai', path: 'v1/models/a/b' } };
    expect(proxyCallOf(event(encoded)).path).toBe('v1/models/a%2Fb');
    expect(proxyCallOf(event({ path: '/cordon/proxy/openai/v1/models' })).path).toBe('v1/models');
  });

  it('takes the token from the header of the resource alone', () => {
    const gemini = {
      resource: '/proxy/gemini/{path+}',
      path: '/proxy/gemini/v1beta/models',
      pathParameters: { path: 'v1beta/models' },
      headers: { 'X-Goog-Api-Key': 'jwt.of.ann', Authorization: 'Bearer jwt.of.bob' },
      multiValueHeaders: null,
    };
    expect(proxyCallOf(event(gemini))).toMatchObject({ provider: 'gemini', token: 'jwt.of.ann' });
    expect(() => proxyCallOf(event({ ...gemini, headers: { Authorization: 'Bearer jwt.of.bob' } }))).toThrow(
      expect.objectContaining({ code: 'TOKEN_REFUSED' }),
    );
  });

  it.each([
    ['no authorizer', { requestContext: { requestId: 'r-1' } }, 'TOKEN_REFUSED'],
    ['a tenant that is none', { requestContext: { authorizer: { ...authorizer, tenantId: 'A*' } } }, 'TOKEN_REFUSED'],
    ['no end of the token', { requestContext: { authorizer: { ...authorizer, exp: '' } } }, 'TOKEN_REFUSED'],
    ['no token', { headers: {}, multiValueHeaders: {} }, 'TOKEN_REFUSED'],
    ['a token twice', { multiValueHeaders: { Authorization: ['Bearer a', 'Bearer b'] } }, 'TOKEN_REFUSED'],
    ['a provider in disguise', { path: '/proxy/%6fpenai/v1/models' }, 'CALL_INVALID'],
    [
      'a provider with a resource of its own through the general one',
      { path: '/proxy/gemini/v1beta/models', pathParameters: { provider: 'gemini', path: 'v1beta/models' } },
      'CALL_INVALID',
    ],
    ['another path than the proxy’s', { path: '/other/openai/v1/models' }, 'CALL_INVALID'],
    ['too large a body', { body: 'x'.repeat(maxBodyBytes + 1) }, 'REQUEST_TOO_LARGE'],
    ['too large a body in base64', { body: Buffer.alloc(maxBodyBytes + 1).toString('base64'), isBase64Encoded: true }, 'REQUEST_TOO_LARGE'],
  ])('is refused with %s', (_what, over, code) => {
    expect(() => proxyCallOf(event(over))).toThrow(expect.objectContaining({ code }));
  });

  it('may have a body of exactly the limit', () => {
    const body = Buffer.alloc(maxBodyBytes).toString('base64');
    expect(proxyCallOf(event({ body, isBase64Encoded: true })).body).toHaveLength(maxBodyBytes);
  });
});

function collecting(written: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
}

describe('the handler', () => {
  it('sends status and headers before the provider’s first byte, and the answer after', async () => {
    const provider = await startProvider(
      (_request, response) => void response.writeHead(201, { 'content-type': 'text/plain' }).end('hello'),
    );
    const world = createBrokerWorld({ providerUrl: provider.url });
    const written: string[] = [];
    const out = collecting(written);
    const handler = createHandler(world.deps, (stream, metadata) => {
      written.push(JSON.stringify(metadata.statusCode));
      return stream;
    });
    const inTime = { ...authorizer, exp: String(Math.floor(world.time.now / 1000) + 60) };
    await handler(event({ requestContext: { requestId: 'r-1', authorizer: inTime } }), out, {
      tenantId: 'acme',
      getRemainingTimeInMillis: () => 60_000,
    });
    expect(written.filter((text) => text !== '')).toEqual(['201', 'hello']);
    expect(out.writableEnded).toBe(true);
    await provider.close();
  });

  it('fails when the answer broke off, so that the caller does not take it for whole', async () => {
    const provider = await startProvider((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      setTimeout(() => response.destroy(), 20);
    });
    const world = createBrokerWorld({ providerUrl: provider.url });
    const out = collecting([]);
    const inTime = { ...authorizer, exp: String(Math.floor(world.time.now / 1000) + 60) };
    const over = { requestContext: { requestId: 'r-1', authorizer: inTime } };
    const handling = createHandler(world.deps, (stream) => stream)(event(over), out, {
      tenantId: 'acme',
      getRemainingTimeInMillis: () => 60_000,
    });
    await expect(handling).rejects.toMatchObject({ code: 'UPSTREAM_BROKEN' });
    expect(out.writableEnded).toBe(false);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code: 'UPSTREAM_BROKEN' } });
    await provider.close();
  });

  it('answers an event that is none without its content', async () => {
    const world = createBrokerWorld();
    const written: string[] = [];
    const out = collecting(written);
    await createHandler(world.deps, (stream) => stream)({ canary: 1 }, out, { getRemainingTimeInMillis: () => 1000 });
    expect(written.join('')).toBe('{"error":{"code":"TOKEN_REFUSED","message":"The token was not accepted.","requestId":""}}');
  });
});

describe('the way back to the caller', () => {
  it('sends status and headers at once, also of an answer without a body', () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
    const write = vi.spyOn(stream, 'write');
    createClientStream(stream, (same) => same).begin(204, {});
    expect(write.mock.calls.map(([chunk]) => chunk)).toEqual(['']);
  });

  it('says that the caller has gone when its stream breaks, and not when it ends', async () => {
    const breaks = new Writable({ write: (_chunk, _encoding, done) => done() });
    const broken = createClientStream(breaks, (stream) => stream);
    broken.begin(200, {});
    breaks.destroy(new Error('gone'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(broken.gone.reason).toMatchObject({ code: 'CLIENT_GONE' });
    const ends = new Writable({ write: (_chunk, _encoding, done) => done() });
    const ended = createClientStream(ends, (stream) => stream);
    ended.begin(200, {});
    ended.end();
    await new Promise((resolve) => ends.once('close', resolve));
    expect(ended.gone.aborted).toBe(false);
  });

  it('holds back until the stream takes more, or has gone', async () => {
    const taken: (() => void)[] = [];
    const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taken.push(done) });
    const client = createClientStream(stream, (same) => same);
    const held = client.write('xx');
    expect(held).toBeInstanceOf(Promise);
    stream.destroy();
    await held;
    expect(client.gone.aborted).toBe(true);
  });
});

describe('errors', () => {
  it('show nothing of AWS, of another tenant, or of what is not known', () => {
    const secret = new CordonError('AWS_REFUSED', 'arn:aws:iam::1:role/x');
    expect(JSON.parse(errorAnswer(secret, 'r').body)).toEqual({
      error: { code: 'INTERNAL', message: 'The call could not be made.', requestId: 'r' },
    });
    const inactive = errorAnswer(new CordonError('TENANT_NOT_ACTIVE', 'The tenant is not active.'), 'r');
    expect(inactive).toEqual(errorAnswer(new CordonError('TOKEN_REFUSED', 'anything'), 'r'));
  });
});

describe('G7 the environment variables', () => {
  const variables = {
    SESSIONS_FUNCTION_NAME: 'sessions',
    REGISTRY_TABLE: 'r',
    ATTRIBUTION_TABLE: 'a',
    TENANT_READER_ROLE_ARN: 'arn:aws:iam::1:role/r',
    DEDICATED_ROLE_ARN_PREFIX: 'arn:aws:iam::1:role/d-',
    BYOC_CONNECTOR_ROLE_ARN: 'arn:aws:iam::1:role/c',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'A',
    AWS_SECRET_ACCESS_KEY: 'S',
    PROVIDER_BASE_URLS: '{"openai":"http://127.0.0.1:1/v1"}',
    ALLOW_LOOPBACK_EGRESS: 'true',
  };
  it('open the way to the local cloud’s simulators in development only', () => {
    expect(readBrokerEnv(variables)).toMatchObject({ allowLoopbackEgress: true, providerBaseUrls: { openai: 'http://127.0.0.1:1/v1' } });
    const deployed = { allowLoopbackEgress: false, providerBaseUrls: {} };
    expect(readBrokerEnv({ ...variables, AWS_LAMBDA_RUNTIME_API: '169.254.100.1:9001' })).toMatchObject(deployed);
    expect(readBrokerEnv({ ...variables, ALLOW_LOOPBACK_EGRESS: 'false' })).toMatchObject(deployed);
  });
  it('let customers’ accounts be where the local cloud is, in development only', () => {
    const local = { ...variables, AWS_ENDPOINT_URL: 'http://127.0.0.1:2' };
    expect(readBrokerEnv(local).providerBaseUrls).toEqual({ openai: 'http://127.0.0.1:1/v1', aws: 'http://127.0.0.1:2' });
    expect(readBrokerEnv({ ...local, AWS_LAMBDA_RUNTIME_API: '169.254.100.1:9001' }).providerBaseUrls).toEqual({});
  });
  it.each(['REGISTRY_TABLE', 'TENANT_READER_ROLE_ARN', 'AWS_REGION'])('are refused without %s', (name) => {
    expect(() => readBrokerEnv({ ...variables, [name]: undefined })).toThrow(name);
  });
});
