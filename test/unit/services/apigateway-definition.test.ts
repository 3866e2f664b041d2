import { describe, expect, it } from 'vitest';
import { functionArn, startApiCloud } from './api-cloud.ts';

describe('a gateway response', () => {
  it('has the template, status and headers of its type, or else of its class', async () => {
    const cloud = await startApiCloud();
    await cloud.addFunction('work', `export const handler = async () => 1;`);
    await cloud.addMethod({ path: '/broken' });
    const template =
      '{"error":{"code":"$context.error.responseType","message":$context.error.messageString,"requestId":"$context.requestId"}}';
    const put = (input: object) =>
      cloud.api('PutGatewayResponse', { restApiId: cloud.restApiId, responseTemplates: { 'application/json': template }, ...input });
    await put({
      responseType: 'MISSING_AUTHENTICATION_TOKEN',
      statusCode: '404',
      responseParameters: { 'gatewayresponse.header.X-From': "'gateway'" },
    });
    await put({ responseType: 'DEFAULT_5XX' });
    await cloud.deploy();
    const missing = await cloud.send('/v1/nothing');
    expect(missing).toMatchObject({ status: 404, headers: { 'x-from': 'gateway', 'content-type': 'application/json' } });
    expect(JSON.parse(missing.text)).toEqual({
      error: {
        code: 'MISSING_AUTHENTICATION_TOKEN',
        message: 'Missing Authentication Token',
        requestId: missing.headers['x-amzn-requestid'],
      },
    });
    const broken = await cloud.send('/v1/broken');
    expect(broken.status).toBe(502);
    expect(JSON.parse(broken.text)).toMatchObject({ error: { message: 'Internal server error' } });
  });

  it.each(['$input.body', '$util.escapeJavaScript($context.x)', '#set($a = 1) $a', '$context.unknown', '$stageVariables.a'])(
    'with %s in its template is refused when it is written',
    async (template) => {
      const cloud = await startApiCloud();
      await expect(
        cloud.api('PutGatewayResponse', {
          restApiId: cloud.restApiId,
          responseType: 'UNAUTHORIZED',
          responseTemplates: { 'application/json': template },
        }),
      ).rejects.toMatchObject({ code: 'NotImplemented' });
    },
  );
});

describe('what an API may be made of', () => {
  it.each([
    ['PutMethod', { authorizationType: 'AWS_IAM' }, 'ValidationException'],
    ['PutMethod', { authorizationType: 'CUSTOM' }, 'BadRequestException'],
    ['PutMethod', { authorizationType: 'NONE', apiKeyRequired: true }, 'ValidationException'],
    ['PutMethod', { authorizationType: 'NONE', requestValidatorId: 'x' }, 'NotImplemented'],
    ['PutIntegration', { type: 'MOCK', integrationHttpMethod: 'POST', uri: 'x' }, 'ValidationException'],
    [
      'PutIntegration',
      { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: 'arn:aws:apigateway:us-east-1:s3:path/x' },
      'BadRequestException',
    ],
    ['CreateAuthorizer', { name: 'a', type: 'TOKEN', authorizerUri: 'x' }, 'ValidationException'],
    [
      'CreateAuthorizer',
      {
        name: 'a',
        type: 'REQUEST',
        authorizerUri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${functionArn('a')}/invocations`,
      },
      'BadRequestException',
    ],
    ['CreateRestApi', { name: 'a', minimumCompressionSize: 0 }, 'NotImplemented'],
    ['CreateRestApi', { name: 'a', endpointConfiguration: { types: ['PRIVATE'] } }, 'ValidationException'],
    [
      'CreateRestApi',
      { name: 'a', policy: '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Everything"}]}' },
      'BadRequestException',
    ],
  ])('%s %j is refused', async (operation, input, code) => {
    const cloud = await startApiCloud();
    const { rootResourceId } = await cloud.api('GetRestApi', { restApiId: cloud.restApiId });
    const method = { restApiId: cloud.restApiId, resourceId: rootResourceId, httpMethod: 'GET' };
    if (operation === 'PutIntegration') await cloud.api('PutMethod', { ...method, authorizationType: 'NONE' });
    const on = operation.startsWith('Put') ? method : operation === 'CreateAuthorizer' ? { restApiId: cloud.restApiId } : {};
    await expect(cloud.api(operation, { ...on, ...input })).rejects.toMatchObject({ code });
  });

  it('is not deployed without an integration behind every method', async () => {
    const cloud = await startApiCloud();
    await expect(cloud.deploy()).rejects.toMatchObject({ code: 'BadRequestException' });
    const { rootResourceId } = await cloud.api('GetRestApi', { restApiId: cloud.restApiId });
    await cloud.api('PutMethod', { restApiId: cloud.restApiId, resourceId: rootResourceId, httpMethod: 'GET', authorizationType: 'NONE' });
    await expect(cloud.deploy()).rejects.toMatchObject({ code: 'BadRequestException' });
  });
});
