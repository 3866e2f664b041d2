/** A REST API as CDK synthesizes it, loaded and called. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import { startGateway } from '../../../local/gateway/gateway.ts';
import { registerServices } from '../../../local/services.ts';
import { type LoadedStack, loadTemplate } from '../../../local/template/load-template.ts';
import { policiesOf } from '../../../local/template/policies.ts';

const ref = (name: string) => ({ Ref: name });
const getAtt = (id: string, attribute = 'Arn') => ({ 'Fn::GetAtt': [id, attribute] });
const joined = (...parts: unknown[]) => ({ 'Fn::Join': ['', parts] });
const uri = (fn: string, version = '2015-03-31', action = 'invocations') =>
  joined('arn:', ref('AWS::Partition'), ':apigateway:', ref('AWS::Region'), `:lambda:path/${version}/functions/`, getAtt(fn), `/${action}`);
const mayInvoke = (fn: string, ...source: unknown[]) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: getAtt(fn),
    Principal: 'apigateway.amazonaws.com',
    SourceArn: joined(
      'arn:',
      ref('AWS::Partition'),
      ':execute-api:',
      ref('AWS::Region'),
      ':',
      ref('AWS::AccountId'),
      ':',
      ref('Api'),
      ...source,
    ),
  },
});
const fn = (bundle: string, more: object = {}) => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'assets', S3Key: `${bundle}.zip` },
    Role: getAtt('Role'),
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    ...more,
  },
});

const resources = {
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
      },
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
    },
  },
  Broker: fn('broker', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } }),
  Authorize: fn('authorize'),
  AccessLog: { Type: 'AWS::Logs::LogGroup', Properties: {} },
  Api: {
    Type: 'AWS::ApiGateway::RestApi',
    Properties: {
      Name: 'cordon',
      BinaryMediaTypes: ['*/*'],
      DisableExecuteApiEndpoint: false,
      EndpointConfiguration: { Types: ['REGIONAL'] },
    },
  },
  Account: { Type: 'AWS::ApiGateway::Account', Properties: { CloudWatchRoleArn: getAtt('Role') }, DependsOn: ['Api'] },
  Bearer: {
    Type: 'AWS::ApiGateway::Authorizer',
    Properties: {
      RestApiId: ref('Api'),
      Name: 'bearer',
      Type: 'REQUEST',
      AuthorizerResultTtlInSeconds: 300,
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerUri: uri('Authorize'),
    },
  },
  BearerPermission: mayInvoke('Authorize', '/authorizers/', ref('Bearer')),
  Proxy: {
    Type: 'AWS::ApiGateway::Resource',
    Properties: { RestApiId: ref('Api'), ParentId: getAtt('Api', 'RootResourceId'), PathPart: 'proxy' },
  },
  ProxyPath: { Type: 'AWS::ApiGateway::Resource', Properties: { RestApiId: ref('Api'), ParentId: ref('Proxy'), PathPart: '{path+}' } },
  ProxyAny: {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      RestApiId: ref('Api'),
      ResourceId: ref('ProxyPath'),
      HttpMethod: 'ANY',
      AuthorizationType: 'CUSTOM',
      AuthorizerId: ref('Bearer'),
      Integration: {
        Type: 'AWS_PROXY',
        IntegrationHttpMethod: 'POST',
        ResponseTransferMode: 'STREAM',
        TimeoutInMillis: 900_000,
        RequestParameters: { 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.tenantId' },
        Uri: uri('Broker', '2021-11-15', 'response-streaming-invocations'),
      },
    },
  },
  ProxyPermission: mayInvoke('Broker', '/', ref('Stage'), '/*/proxy/*'),
  Unauthorized: {
    Type: 'AWS::ApiGateway::GatewayResponse',
    Properties: {
      RestApiId: ref('Api'),
      ResponseType: 'UNAUTHORIZED',
      StatusCode: '401',
      ResponseParameters: { 'gatewayresponse.header.Cache-Control': "'no-store'" },
      ResponseTemplates: {
        'application/json': '{"error":{"code":"UNAUTHORIZED","message":$context.error.messageString,"requestId":"$context.requestId"}}',
      },
    },
  },
  Deployment: {
    Type: 'AWS::ApiGateway::Deployment',
    Properties: { RestApiId: ref('Api'), Description: 'd' },
    DependsOn: ['ProxyAny', 'Unauthorized'],
  },
  Stage: {
    Type: 'AWS::ApiGateway::Stage',
    Properties: {
      RestApiId: ref('Api'),
      DeploymentId: ref('Deployment'),
      StageName: 'v1',
      TracingEnabled: true,
      AccessLogSetting: { DestinationArn: getAtt('AccessLog'), Format: '{"requestId":"$context.requestId"}' },
      MethodSettings: [
        {
          HttpMethod: '*',
          ResourcePath: '/*',
          ThrottlingRateLimit: 100,
          ThrottlingBurstLimit: 50,
          LoggingLevel: 'ERROR',
          DataTraceEnabled: false,
          MetricsEnabled: true,
        },
        { HttpMethod: '*', ResourcePath: '/~1proxy', ThrottlingRateLimit: 3 },
      ],
    },
    DependsOn: ['Account'],
  },
};
const bundles = {
  broker: `export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
    stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200, headers: { 'content-type': 'text/plain' } });
    stream.write(context.tenantId + ' ' + event.pathParameters.path); stream.end();
  });`,
  authorize: `export const handler = async ({ headers, methodArn }) => {
    const tenantId = /^Bearer (.+)$/.exec(headers.Authorization)?.[1];
    if (tenantId === undefined) throw new Error('Unauthorized');
    return { principalId: tenantId, policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn.split('/').slice(0, 2).join('/') + '/*' }] }, context: { tenantId } };
  };`,
};

async function load(Resources: object): Promise<{ kernel: LocalKernel; stack: LoadedStack; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'cordon-api-'));
  for (const [name, source] of Object.entries(bundles)) {
    mkdirSync(join(folder, `asset.${name}`));
    writeFileSync(join(folder, `asset.${name}`, 'index.mjs'), source);
  }
  const templatePath = join(folder, 'template.json');
  writeFileSync(
    templatePath,
    JSON.stringify({ Resources, Outputs: { Url: { Value: joined('https://', ref('Api'), '/', ref('Stage'), '/') } } }),
  );
  const kernel = createKernel({ clock: createClock() });
  const { apiGateway } = registerServices(kernel, { endpoint: () => 'http://127.0.0.1:4566', assetRoot: folder });
  const gateway = await startGateway(kernel, { stagesNamed: apiGateway.stagesNamed });
  onTestFinished(async () => {
    await gateway.close();
    await kernel.close();
    rmSync(folder, { recursive: true });
  });
  return { kernel, stack: await loadTemplate(kernel, { templatePath }), url: gateway.url };
}

describe('a template with a REST API', () => {
  it('is loaded and answers: authorizer, tenant, stream and gateway response', async () => {
    const { url, stack, kernel } = await load(resources);
    const answer = await fetch(`${url}/v1/proxy/openai/v1/models`, {
      headers: { Authorization: 'Bearer acme', 'X-Amz-Tenant-Id': 'victim' },
    });
    expect([answer.status, await answer.text()]).toEqual([200, 'acme openai/v1/models']);
    const refused = await fetch(`${url}/v1/proxy/x`, { headers: { Authorization: 'Basic acme' } });
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([401, 'no-store']);
    expect(await refused.json()).toMatchObject({ error: { code: 'UNAUTHORIZED', message: 'Unauthorized' } });
    const id = stack.resources['Api']?.physicalId;
    expect(stack.outputs['Url']).toBe(`https://${id}/v1/`);
    const stage = await kernel.call(kernel.rootCaller('111122223333'), 'apigateway', 'GetStage', { restApiId: id, stageName: 'v1' });
    expect(stage['settings']).toMatchObject({
      '/tracingEnabled': 'true',
      '/accessLogSettings/format': '{"requestId":"$context.requestId"}',
      '/*/*/throttling/rateLimit': '100',
      '/*/*/logging/dataTrace': 'false',
      '/~1proxy/*/throttling/rateLimit': '3',
    });
  });

  it.each([
    ['RequestModels', 'ProxyAny', { RequestModels: {} }],
    ['MinimumCompressionSize', 'Api', { MinimumCompressionSize: 0 }],
    ['CanarySetting', 'Stage', { CanarySetting: {} }],
    ['ProviderARNs', 'Bearer', { ProviderARNs: [] }],
  ])('is refused for the property %s', async (name, on, properties) => {
    const changed = structuredClone<Record<string, { Type: string; Properties: object }>>(resources);
    Object.assign(changed[on]?.Properties ?? {}, properties);
    await expect(load(changed)).rejects.toThrow(`the property ${name} is not known here`);
  });

  it.each(['AWS::WAFv2::WebACL', 'AWS::WAFv2::WebACLAssociation', 'AWS::ApiGateway::RequestValidator', 'AWS::ApiGateway::UsagePlan'])(
    'is refused for the type %s',
    async (Type) => {
      await expect(load({ ...resources, Other: { Type, Properties: {} } })).rejects.toThrow(`the resource type ${Type} is not known here`);
    },
  );

  it('has the API’s policy among its policies', () => {
    const Policy = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Principal: '*', Action: 'execute-api:Invoke', Resource: '*' }] };
    const template = { Resources: { Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'cordon', Policy } } } };
    expect(policiesOf(template)).toMatchObject([{ name: 'cordon', kind: 'resource', logicalId: 'Api', document: Policy }]);
  });
});
