import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ApiCloud, bufferedUri, functionArn, type MethodSpec, startApiCloud } from './api-cloud.ts';
import { account, region } from './event-cloud.ts';

/** Lets in who says `allow …`, as the tenant named behind; anything else does what it says. */
const authorizer = `
  let calls = 0;
  const policy = (Effect, Resource) => ({ Version: '2012-10-17', Statement: [{ Effect, Action: 'execute-api:Invoke', Resource }] });
  export const handler = async (event) => {
    calls += 1;
    const token = Object.entries(event.headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '';
    const [what, tenantId] = token.split(' ');
    if (what === 'unauthorized') throw new Error('Unauthorized');
    if (what === 'throw') throw new Error('canary-77');
    if (what === 'nothing') return null;
    if (what === 'nested') return { principalId: 'u', policyDocument: policy('Allow', '*'), context: { list: ['x'] } };
    if (what === 'nonsense') return { principalId: 'u', policyDocument: policy('Allow', '*'), context: {}, ...{ policyDocument: { Statement: [{ Effect: 'Allow', Action: 'execute-api:Everything', Resource: '*' }] } } };
    const only = event.methodArn.split('/').slice(0, 2).join('/');
    const resource = what === 'exact' ? event.methodArn : what === 'elsewhere' ? only.replace('/v1', '/v2') + '/*' : only + '/*';
    return { principalId: 'user-1', policyDocument: policy(what === 'deny' ? 'Deny' : 'Allow', resource), context: { tenantId, calls, isAgent: true, gone: null, event: JSON.stringify(event) } };
  };`;
const echo = `export const handler = async (event, context) => ({ statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ authorizer: event.requestContext.authorizer, tenantId: context.tenantId, headers: event.headers }) });`;
const seenBy = z.object({
  authorizer: z.record(z.string(), z.string()),
  tenantId: z.string().optional(),
  headers: z.record(z.string(), z.string()),
});

interface Options {
  readonly settings?: object;
  readonly restApi?: object;
  readonly method?: Partial<MethodSpec>;
  readonly isolated?: boolean;
}
async function withAuthorizer({ settings = {}, restApi = {}, method = {}, isolated = false }: Options = {}): Promise<ApiCloud> {
  const cloud = await startApiCloud(restApi);
  await cloud.addFunction('auth', authorizer);
  await cloud.addFunction('work', echo, isolated ? { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } : {});
  await cloud.addMethod({ path: '/proxy/{path+}', authorizer: await cloud.addAuthorizer(settings), ...method });
  await cloud.deploy();
  return cloud;
}
const as = (Authorization: string, more: object = {}) => ({ headers: { Authorization, ...more } });
const seen = async (cloud: ApiCloud, token: string, path = '/v1/proxy/x'): Promise<z.output<typeof seenBy>> =>
  seenBy.parse(JSON.parse((await cloud.send(path, as(token))).text));
const message = (text: string): string => JSON.stringify({ message: text });

describe('a REQUEST authorizer', () => {
  it('lets a request through and tells the function who asks, in texts', async () => {
    const cloud = await withAuthorizer();
    const { authorizer: context } = await seen(cloud, 'allow acme');
    expect(context).toMatchObject({ principalId: 'user-1', tenantId: 'acme', calls: '1', isAgent: 'true' });
    expect(context).not.toHaveProperty('gone');
    expect(JSON.parse(context['event'] ?? '')).toMatchObject({
      type: 'REQUEST',
      methodArn: `arn:aws:execute-api:${region}:${account}:${cloud.restApiId}/v1/GET/proxy/x`,
      resource: '/proxy/{path+}',
      path: '/proxy/x',
      httpMethod: 'GET',
      pathParameters: { path: 'x' },
      requestContext: { stage: 'v1', apiId: cloud.restApiId, identity: { sourceIp: '127.0.0.1' } },
    });
  });

  it.each([
    ['no identity', {}, 401, 'Unauthorized'],
    ['an empty identity', as(''), 401, 'Unauthorized'],
    ['an identity the function refuses', as('unauthorized'), 401, 'Unauthorized'],
    ['a Deny', as('deny acme'), 403, 'User is not authorized to access this resource with an explicit deny'],
    ['an Allow for another stage', as('elsewhere acme'), 403, 'User is not authorized to access this resource'],
    ['an error of the function', as('throw'), 500, 'Internal server error'],
    ['no answer', as('nothing'), 500, 'Internal server error'],
    ['a context that is not flat', as('nested'), 500, 'Internal server error'],
    ['a policy that is not understood', as('nonsense'), 500, 'Internal server error'],
  ])('refuses after %s, and the function behind it is not called', async (_, options, status, text) => {
    const cloud = await withAuthorizer();
    expect(await cloud.send('/v1/proxy/x', options)).toMatchObject({ status, text: message(text) });
    const invoked = cloud.kernel.journal.since(0).filter(({ action }) => action === 'lambda:InvokeFunction');
    expect(invoked.map(({ resource }) => resource)).not.toContain(functionArn('work'));
  });

  it('is not called without an identity, and only that header is one', async () => {
    const cloud = await withAuthorizer();
    for (const name of ['x-nothing', 'x-api-key', 'x-authorization'])
      expect((await cloud.send('/v1/proxy/x', { headers: { [name]: 'allow acme' } })).status, name).toBe(401);
    expect(cloud.kernel.journal.since(0).some(({ action }) => action === 'lambda:InvokeFunction')).toBe(false);
  });

  it('is remembered by identity until its time is over, by the cloud’s clock', async () => {
    const cloud = await withAuthorizer({ settings: { authorizerResultTtlInSeconds: 300 } });
    const calls = async (token: string): Promise<string | undefined> => (await seen(cloud, token)).authorizer['calls'];
    expect([await calls('allow acme'), await calls('allow acme')]).toEqual(['1', '1']);
    expect(await calls('allow other')).toBe('2');
    cloud.kernel.clock.advance(299_000);
    expect(await calls('allow acme')).toBe('1');
    cloud.kernel.clock.advance(1_000);
    expect(await calls('allow acme')).toBe('3');
  });

  it('has its remembered policy applied to each path anew', async () => {
    const cloud = await withAuthorizer();
    expect((await cloud.send('/v1/proxy/x', as('exact acme'))).status).toBe(200);
    expect((await cloud.send('/v1/proxy/y', as('exact acme'))).status).toBe(403);
    expect((await cloud.send('/v1/proxy/x', as('exact acme'))).status).toBe(200);
  });

  it('is asked each time when nothing is to be remembered, and a refusal is not remembered', async () => {
    const cloud = await withAuthorizer({ settings: { authorizerResultTtlInSeconds: 0 } });
    expect((await seen(cloud, 'allow acme')).authorizer['calls']).toBe('1');
    expect((await cloud.send('/v1/proxy/x', as('unauthorized'))).status).toBe(401);
    expect((await cloud.send('/v1/proxy/x', as('unauthorized'))).status).toBe(401);
    expect((await seen(cloud, 'allow acme')).authorizer['calls']).toBe('4');
  });

  it('shares nothing it remembers with another authorizer, also with the same function', async () => {
    const cloud = await withAuthorizer();
    const other = await cloud.addAuthorizer({ name: 'other', identitySource: 'method.request.header.x-api-key' });
    await cloud.addMethod({ path: '/other', authorizer: other });
    await cloud.deploy();
    await seen(cloud, 'allow acme');
    const { status } = await cloud.send('/v1/other', { headers: { 'x-api-key': 'allow acme' } });
    // The function finds no Authorization header and answers for nobody: what was remembered for the other one would have let it in as acme.
    const { authorizer: context } = seenBy.parse(
      JSON.parse((await cloud.send('/v1/other', { headers: { 'x-api-key': 'allow acme' } })).text),
    );
    expect(status).toBe(200);
    expect(context['tenantId']).toBeUndefined();
  });

  it('needs all of several identity sources', async () => {
    const cloud = await withAuthorizer({
      settings: { identitySource: 'method.request.header.Authorization, method.request.querystring.t' },
    });
    expect((await cloud.send('/v1/proxy/x', as('allow acme'))).status).toBe(401);
    expect((await cloud.send('/v1/proxy/x?t=1', as('allow acme'))).status).toBe(200);
  });

  it('is invoked as API Gateway, by its own ARN: without that in the function’s policy nobody gets in', async () => {
    const cloud = await withAuthorizer();
    await cloud.call('lambda', 'RemovePermission', { FunctionName: 'auth', StatementId: 'api' });
    expect((await cloud.send('/v1/proxy/x', as('allow acme'))).status).toBe(500);
    await cloud.call('lambda', 'AddPermission', {
      FunctionName: 'auth',
      StatementId: 'authorizer',
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: `arn:aws:execute-api:${region}:${account}:${cloud.restApiId}/authorizers/*`,
    });
    expect((await cloud.send('/v1/proxy/x', as('allow acme'))).status).toBe(200);
  });

  it('refuses in the shape of the gateway response', async () => {
    const cloud = await withAuthorizer();
    await cloud.api('PutGatewayResponse', {
      restApiId: cloud.restApiId,
      responseType: 'UNAUTHORIZED',
      statusCode: '401',
      responseTemplates: {
        'application/json': '{"error":{"code":"UNAUTHENTICATED","message":$context.error.messageString,"requestId":"$context.requestId"}}',
      },
    });
    await cloud.deploy();
    const { status, text, headers } = await cloud.send('/v1/proxy/x');
    expect(status).toBe(401);
    expect(JSON.parse(text)).toEqual({
      error: { code: 'UNAUTHENTICATED', message: 'Unauthorized', requestId: headers['x-amzn-requestid'] },
    });
  });
});

describe('the policy of an API', () => {
  const policy = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
  const everyone = { Principal: '*', Action: 'execute-api:Invoke' };

  it('refuses by its Deny before the authorizer is asked', async () => {
    const deny = { ...everyone, Effect: 'Deny', Resource: 'execute-api:/*', Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } };
    const cloud = await withAuthorizer({ restApi: { policy: policy({ ...deny, Resource: '*' }) } });
    expect((await cloud.send('/v1/proxy/x', as('allow acme'))).status).toBe(403);
    expect(cloud.kernel.journal.since(0).some(({ action }) => action === 'lambda:InvokeFunction')).toBe(false);
  });

  it('is enough where there is no authorizer, and must then allow', async () => {
    const cloud = await startApiCloud({
      policy: policy({ ...everyone, Effect: 'Allow', Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    });
    await cloud.addFunction('work', echo);
    await cloud.addMethod({ path: '/open' });
    await cloud.deploy();
    expect((await cloud.send('/v1/open')).status).toBe(403);
    const open = await startApiCloud({ policy: policy({ ...everyone, Effect: 'Allow', Resource: '*' }) });
    await open.addFunction('work', echo);
    await open.addMethod({ path: '/open' });
    await open.deploy();
    expect((await open.send('/v1/open')).status).toBe(200);
  });
});

describe('the tenant of an invocation (I6)', () => {
  const integration = { requestParameters: { 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.tenantId' } };

  it('is the one the authorizer names, whatever the client sends', async () => {
    const cloud = await withAuthorizer({ isolated: true, method: { integration } });
    for (const header of ['X-Amz-Tenant-Id', 'x-amz-tenant-id']) {
      const { status, text } = await cloud.send('/v1/proxy/x', as('allow acme', { [header]: 'victim' }));
      expect(status).toBe(200);
      expect(seenBy.parse(JSON.parse(text)).tenantId).toBe('acme');
    }
    expect((await seen(cloud, 'allow other')).tenantId).toBe('other');
  });

  it.each(['allow', 'allow te\u00efnant', `allow ${'x'.repeat(257)}`])(
    'must be a tenant ID: with %j the request is refused',
    async (token) => {
      const cloud = await withAuthorizer({ isolated: true, method: { integration } });
      expect(
        (
          await cloud.send('/v1/proxy/x', {
            headers: { Authorization: Buffer.from(token).toString('latin1'), 'X-Amz-Tenant-Id': 'victim' },
          })
        ).status,
      ).toBe(400);
    },
  );

  it('is nobody without the mapping: the client’s header is not passed on', async () => {
    const cloud = await withAuthorizer({ isolated: true });
    expect((await cloud.send('/v1/proxy/x', as('allow acme', { 'X-Amz-Tenant-Id': 'victim' }))).status).toBe(400);
  });

  it.each([
    [{ 'integration.request.header.X-Amz-Tenant-Id': 'method.request.header.X-Tenant' }, 'BadRequestException'],
    [{ 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.claims.sub' }, 'BadRequestException'],
    [{ 'integration.request.header.X-Other': "'x'" }, 'NotImplemented'],
    [{ 'integration.request.path.proxy': 'method.request.path.proxy' }, 'NotImplemented'],
  ])('cannot be mapped by %j', async (requestParameters, code) => {
    const cloud = await startApiCloud();
    await expect(cloud.addMethod({ path: '/x', integration: { requestParameters } })).rejects.toMatchObject({ code });
  });

  it('can be a header of the request only when the method declares it', async () => {
    const cloud = await startApiCloud();
    await cloud.addFunction('work', echo, { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } });
    const source = 'method.request.header.X-Tenant';
    await cloud.addMethod({
      path: '/x',
      requestParameters: { [source]: true },
      integration: { uri: bufferedUri('work'), requestParameters: { 'integration.request.header.X-Amz-Tenant-Id': source } },
    });
    await cloud.deploy();
    const { text } = await cloud.send('/v1/x', { headers: { 'x-tenant': 'acme' } });
    expect(JSON.parse(text)).toMatchObject({ tenantId: 'acme' });
  });
});
