import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiCloud, functionArn, startApiCloud } from './api-cloud.ts';
import { account, region } from './event-cloud.ts';

const echo = `export const handler = async (event, context) => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ event, tenantId: context.tenantId }) });`;
const seenBy = z.object({ event: z.looseObject({ body: z.string().nullable() }), tenantId: z.string().optional() });

/** An API whose every path reaches `echo`. */
async function withEcho(source = echo, restApi: object = {}): Promise<ApiCloud> {
  const cloud = await startApiCloud(restApi);
  await cloud.addFunction('work', source);
  await cloud.addMethod({ path: '/proxy/{provider}/{path+}' });
  await cloud.deploy();
  return cloud;
}
const event = (text: string): z.output<typeof seenBy>['event'] => seenBy.parse(JSON.parse(text)).event;

describe('the event of a proxy integration', () => {
  it('tells the request as REST APIs do', async () => {
    const cloud = await withEcho();
    const path = '/v1/proxy/openai/chat/comple%20tions?a=1&a=2&b=x%2By';
    const { text, headers } = await cloud.send(path, {
      method: 'POST',
      headers: {
        'X-Many': ['1', '2'],
        'Content-Type': 'application/json',
        'X-Forwarded-For': '203.0.113.9',
        Connection: 'keep-alive, X-Hop',
        'X-Hop': '1',
        TE: 'trailers',
      },
      body: '{"q":1}',
    });
    const seen = event(text);
    expect(seen).toMatchObject({
      resource: '/proxy/{provider}/{path+}',
      path: '/proxy/openai/chat/comple%20tions',
      httpMethod: 'POST',
      headers: {
        'X-Many': '2',
        'Content-Type': 'application/json',
        'X-Forwarded-For': '203.0.113.9, 127.0.0.1',
        'X-Forwarded-Proto': 'https',
      },
      multiValueHeaders: { 'X-Many': ['1', '2'] },
      queryStringParameters: { a: '2', b: 'x+y' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: ['x+y'] },
      pathParameters: { provider: 'openai', path: 'chat/comple tions' },
      stageVariables: null,
      body: '{"q":1}',
      isBase64Encoded: false,
      requestContext: {
        accountId: account,
        apiId: cloud.restApiId,
        domainName: `${cloud.restApiId}.execute-api.${region}.amazonaws.com`,
        httpMethod: 'POST',
        identity: { sourceIp: '127.0.0.1', userArn: null },
        path: '/v1/proxy/openai/chat/comple%20tions',
        protocol: 'HTTP/1.1',
        requestId: headers['x-amzn-requestid'],
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        resourcePath: '/proxy/{provider}/{path+}',
        stage: 'v1',
      },
    });
    expect(seen['requestContext']).not.toHaveProperty('authorizer');
    for (const hop of ['Connection', 'X-Hop', 'TE']) expect(seen['headers']).not.toHaveProperty(hop);
  });

  it('has nulls where there is nothing', async () => {
    const cloud = await withEcho();
    expect(event((await cloud.send('/v1/proxy/a/b')).text)).toMatchObject({
      body: null,
      queryStringParameters: null,
      isBase64Encoded: false,
    });
  });

  it.each([
    ['image/png', 'image/png', true],
    ['image/*', 'image/png', true],
    ['image/*', 'text/plain', false],
    ['*/*', 'text/plain', true],
    ['application/json', 'application/json; charset=utf-8', true],
  ])('has the body in base64 when %s is binary and %s is sent: %j', async (binary, type, encoded) => {
    const cloud = await withEcho(echo, { binaryMediaTypes: [binary] });
    const seen = event(
      (await cloud.send('/v1/proxy/a/b', { method: 'POST', headers: { 'content-type': type, accept: 'application/xml' }, body: 'hi' }))
        .text,
    );
    expect(seen).toMatchObject({ isBase64Encoded: encoded, body: encoded ? Buffer.from('hi').toString('base64') : 'hi' });
  });
});

describe('the way to a method', () => {
  it('prefers a literal to a variable and that to a greedy one, and the method to ANY', async () => {
    const cloud = await startApiCloud();
    await cloud.addFunction('work', echo);
    for (const path of [
      '/proxy/{provider}/{path+}',
      '/proxy/anthropic/{path+}',
      '/proxy/anthropic/models/{id}',
      '/credentials/public-key',
      '/credentials/{id}/secret',
    ])
      await cloud.addMethod({ path });
    await cloud.addMethod({ path: '/{rest+}', httpMethod: 'POST' });
    await cloud.addMethod({ path: '', httpMethod: 'GET' });
    await cloud.deploy();
    const at = async (path: string, method = 'GET'): Promise<unknown> => {
      const { status, text } = await cloud.send(path, { method });
      return status === 200 ? event(text)['resource'] : status;
    };
    expect(await at('/v1/proxy/openai/a/b')).toBe('/proxy/{provider}/{path+}');
    expect(await at('/v1/proxy/anthropic/v1/messages')).toBe('/proxy/anthropic/{path+}');
    expect(await at('/v1/proxy/anthropic/models/x')).toBe('/proxy/anthropic/models/{id}');
    expect(await at('/v1/proxy/anthropic/models/x/y')).toBe('/proxy/anthropic/{path+}');
    expect(await at('/v1/credentials/public-key')).toBe('/credentials/public-key');
    expect(await at('/v1/credentials/public-key/secret')).toBe('/credentials/{id}/secret');
    expect(await at('/v1/credentials/public-key/')).toBe('/credentials/public-key');
    expect(await at('/v1/other/x', 'POST')).toBe('/{rest+}');
    expect(await at('/v1')).toBe('/');
    for (const path of ['/v1/other/x', '/v1/proxy/%E0%A4%A', '/v2/proxy/a/b', '/proxy/a/b', '/']) expect(await at(path), path).toBe(403);
  });

  it('answers Missing Authentication Token where there is none, and Forbidden for an unknown stage', async () => {
    const cloud = await withEcho();
    expect(await cloud.send('/v1/nothing')).toMatchObject({ status: 403, text: '{"message":"Missing Authentication Token"}' });
    expect(await cloud.send('/v9/proxy/a/b')).toMatchObject({ status: 403, text: '{"message":"Forbidden"}' });
  });

  it('changes only with a deployment', async () => {
    const cloud = await withEcho();
    await cloud.addMethod({ path: '/new', httpMethod: 'GET' });
    expect((await cloud.send('/v1/new')).status).toBe(403);
    await cloud.deploy();
    expect((await cloud.send('/v1/new')).status).toBe(200);
    await cloud.addMethod({ path: '/new', httpMethod: 'POST' });
    expect((await cloud.send('/v1/new', { method: 'POST' })).status).toBe(403);
    await cloud.deploy();
    expect((await cloud.send('/v1/new', { method: 'POST' })).status).toBe(200);
  });

  it('tells two APIs with a stage of the same name by the host', async () => {
    const cloud = await withEcho();
    const { id, rootResourceId } = z
      .object({ id: z.string(), rootResourceId: z.string() })
      .parse(await cloud.api('CreateRestApi', { name: 'other' }));
    await cloud.api('PutMethod', { restApiId: id, resourceId: rootResourceId, httpMethod: 'GET', authorizationType: 'NONE' });
    await cloud.api('PutIntegration', {
      restApiId: id,
      resourceId: rootResourceId,
      httpMethod: 'GET',
      type: 'AWS_PROXY',
      integrationHttpMethod: 'POST',
      uri: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn('work')}/invocations`,
    });
    const { id: deploymentId } = await cloud.api('CreateDeployment', { restApiId: id });
    await cloud.api('CreateStage', { restApiId: id, stageName: 'v1', deploymentId });
    expect((await cloud.send('/v1/proxy/a/b')).status).toBe(403);
    expect(
      (await cloud.send('/v1/proxy/a/b', { headers: { Host: `${cloud.restApiId}.execute-api.${region}.amazonaws.com` } })).status,
    ).toBe(200);
  });
});

describe('the answer of a function', () => {
  it('brings status, headers and body, but not the headers that are the gateway’s', async () => {
    const cloud = await withEcho(
      `export const handler = async () => ({ statusCode: 418, headers: { a: '1', 'WWW-Authenticate': 'Basic', Connection: 'close', 'Content-Length': '999' }, multiValueHeaders: { 'Set-Cookie': ['x=1', 'y=2'] }, body: 'short' });`,
    );
    const { status, headers, text } = await cloud.send('/v1/proxy/a/b');
    expect([status, text]).toEqual([418, 'short']);
    expect(headers).toMatchObject({
      a: '1',
      'x-amzn-remapped-www-authenticate': 'Basic',
      'x-amzn-remapped-content-length': '999',
      'set-cookie': ['x=1', 'y=2'],
    });
    expect(headers).not.toHaveProperty('www-authenticate');
    expect(headers).not.toMatchObject({ connection: 'close' });
  });

  it.each([
    ['*/*', 'anything', 'hi'],
    ['image/png', 'image/png', 'hi'],
    ['image/png', 'text/html', Buffer.from('hi').toString('base64')],
  ])('is decoded when %s is binary and %s is accepted', async (binary, accept, body) => {
    const cloud = await withEcho(`export const handler = async () => ({ statusCode: 200, isBase64Encoded: true, body: btoa('hi') });`, {
      binaryMediaTypes: [binary],
    });
    expect((await cloud.send('/v1/proxy/a/b', { headers: { accept } })).text).toBe(body);
  });

  it.each([
    ['throws', `export const handler = async () => { throw new Error('canary-77'); };`],
    ['answers no response', `export const handler = async () => 'canary-77';`],
    ['answers an unknown member', `export const handler = async () => ({ statusCode: 200, boddy: 'canary-77' });`],
    ['has no status', `export const handler = async () => ({ body: 'canary-77' });`],
  ])('is 502 without a word of why when it %s', async (_, source) => {
    const cloud = await withEcho(source);
    expect(await cloud.send('/v1/proxy/a/b')).toMatchObject({
      status: 502,
      text: '{"message": "Internal server error"}'.replace(': ', ':'),
    });
    expect(cloud.defects).toEqual([]);
  });

  it('is 504 when it comes too late', async () => {
    const cloud = await startApiCloud();
    await cloud.addFunction('work', `export const handler = () => new Promise((done) => setTimeout(done, 1500));`);
    await cloud.addMethod({ path: '/slow', integration: { timeoutInMillis: 300 } });
    await cloud.deploy();
    expect(await cloud.send('/v1/slow')).toMatchObject({ status: 504, text: '{"message":"Endpoint request timed out"}' });
  });

  it('is 500 when the function’s policy does not let this API in', async () => {
    const cloud = await withEcho();
    await cloud.call('lambda', 'RemovePermission', { FunctionName: 'work', StatementId: 'api' });
    expect((await cloud.send('/v1/proxy/a/b')).status).toBe(500);
    await cloud.call('lambda', 'AddPermission', {
      FunctionName: 'work',
      StatementId: 'api',
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: `arn:aws:execute-api:${region}:${account}:${cloud.restApiId}/v1/GET/proxy/*/*`,
    });
    expect((await cloud.send('/v1/proxy/a/b')).status).toBe(200);
    expect((await cloud.send('/v1/proxy/a/b', { method: 'POST' })).status).toBe(500);
    const last = cloud.kernel.journal.since(0).at(-1);
    expect(last).toMatchObject({ principal: 'apigateway.amazonaws.com', action: 'lambda:InvokeFunction', decision: 'deny' });
  });
});

describe('limits', () => {
  it('are 10 MB for a body, 6 MB for the event it becomes, 10,240 bytes for headers', async () => {
    const cloud = await withEcho(`export const handler = async (event) => ({ statusCode: 200, body: String(event.body.length) });`);
    const post = (body: Buffer) => cloud.send('/v1/proxy/a/b', { method: 'POST', headers: { 'content-type': 'text/plain' }, body });
    expect(await post(Buffer.alloc(5_000_000, 'a'))).toMatchObject({ status: 200, text: '5000000' });
    expect(await post(Buffer.alloc(7_000_000, 'a'))).toMatchObject({ status: 413, text: '{"message":"Request Too Long"}' });
    expect(await post(Buffer.alloc(10 * 1024 * 1024 + 1, 'a'))).toMatchObject({ status: 413, text: '{"message":"Request Too Long"}' });
    expect((await cloud.send('/v1/proxy/a/b', { method: 'POST', headers: { a: 'x'.repeat(9000) }, body: 'x' })).status).toBe(200);
    expect((await cloud.send('/v1/proxy/a/b', { method: 'POST', headers: { a: 'x'.repeat(10_240) }, body: 'x' })).status).toBe(431);
  });
});
