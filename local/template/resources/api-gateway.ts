import { z } from 'zod';
import { policyDocument, type ResourceHandlers, resource, tagList, tagMap, textOf } from '../resource-handler.ts';

const strings = z.record(z.string(), z.string()).optional();
const integration = z.strictObject({
  Type: z.string(),
  IntegrationHttpMethod: z.string().optional(),
  Uri: z.string(),
  RequestParameters: strings,
  ResponseTransferMode: z.string().optional(),
  TimeoutInMillis: z.number().optional(),
  PassthroughBehavior: z.string().optional(),
});
const methodSetting = z.strictObject({
  HttpMethod: z.string(),
  /** Slashes within it are written `~1` (RFC 6901). */
  ResourcePath: z.string(),
  ThrottlingRateLimit: z.number().optional(),
  ThrottlingBurstLimit: z.number().optional(),
  MetricsEnabled: z.boolean().optional(),
  LoggingLevel: z.string().optional(),
  DataTraceEnabled: z.boolean().optional(),
  CachingEnabled: z.literal(false).optional(),
});

const settingPaths = [
  ['ThrottlingRateLimit', 'throttling/rateLimit'],
  ['ThrottlingBurstLimit', 'throttling/burstLimit'],
  ['MetricsEnabled', 'metrics/enabled'],
  ['LoggingLevel', 'logging/loglevel'],
  ['DataTraceEnabled', 'logging/dataTrace'],
  ['CachingEnabled', 'caching/enabled'],
] as const;
const replace = (path: string, value: unknown): object => ({ op: 'replace', path, value: String(value) });
const settingOperations = (setting: z.output<typeof methodSetting>): object[] =>
  settingPaths.flatMap(([name, path]) =>
    setting[name] === undefined
      ? []
      : [replace(`/${setting.ResourcePath.replace(/^\/(?=.)/, '')}/${setting.HttpMethod}/${path}`, setting[name])],
  );

export const apiGatewayResources: ResourceHandlers = {
  'AWS::ApiGateway::RestApi': resource(
    z.strictObject({
      Name: z.string(),
      Description: z.string().optional(),
      BinaryMediaTypes: z.array(z.string()).optional(),
      EndpointConfiguration: z.strictObject({ Types: z.array(z.string()) }).optional(),
      Policy: policyDocument.optional(),
      DisableExecuteApiEndpoint: z.boolean().optional(),
      Tags: tagList,
    }),
    {
      SecurityPolicy: 'the local cloud has no TLS',
      EndpointAccessMode: 'the local cloud has no custom domains',
    },
    async ({ Policy, EndpointConfiguration, Tags, ...properties }, { call }) => {
      const answer = await call('apigateway', 'CreateRestApi', {
        name: properties.Name,
        description: properties.Description,
        binaryMediaTypes: properties.BinaryMediaTypes,
        endpointConfiguration: EndpointConfiguration === undefined ? undefined : { types: EndpointConfiguration.Types },
        policy: Policy === undefined ? undefined : JSON.stringify(Policy),
        disableExecuteApiEndpoint: properties.DisableExecuteApiEndpoint,
        tags: tagMap(Tags),
      });
      const id = textOf(answer, 'id');
      return { physicalId: id, attributes: { RestApiId: id, RootResourceId: textOf(answer, 'rootResourceId') } };
    },
  ),
  'AWS::ApiGateway::Resource': resource(
    z.strictObject({ RestApiId: z.string(), ParentId: z.string(), PathPart: z.string() }),
    {},
    async ({ RestApiId, ParentId, PathPart }, { call }) => {
      const answer = await call('apigateway', 'CreateResource', { restApiId: RestApiId, parentId: ParentId, pathPart: PathPart });
      const id = textOf(answer, 'id');
      return { physicalId: id, attributes: { ResourceId: id } };
    },
  ),
  'AWS::ApiGateway::Method': resource(
    z.strictObject({
      RestApiId: z.string(),
      ResourceId: z.string(),
      HttpMethod: z.string(),
      AuthorizationType: z.string(),
      AuthorizerId: z.string().optional(),
      ApiKeyRequired: z.boolean().optional(),
      OperationName: z.string().optional(),
      RequestParameters: z.record(z.string(), z.boolean()).optional(),
      Integration: integration,
    }),
    {},
    async ({ RestApiId, ResourceId, HttpMethod, Integration, ...properties }, { call, physicalName }) => {
      const method = { restApiId: RestApiId, resourceId: ResourceId, httpMethod: HttpMethod };
      await call('apigateway', 'PutMethod', {
        ...method,
        authorizationType: properties.AuthorizationType,
        authorizerId: properties.AuthorizerId,
        apiKeyRequired: properties.ApiKeyRequired,
        operationName: properties.OperationName,
        requestParameters: properties.RequestParameters,
      });
      await call('apigateway', 'PutIntegration', {
        ...method,
        type: Integration.Type,
        integrationHttpMethod: Integration.IntegrationHttpMethod,
        uri: Integration.Uri,
        requestParameters: Integration.RequestParameters,
        responseTransferMode: Integration.ResponseTransferMode,
        timeoutInMillis: Integration.TimeoutInMillis,
        passthroughBehavior: Integration.PassthroughBehavior,
      });
      return { physicalId: physicalName(64), attributes: {} };
    },
  ),
  'AWS::ApiGateway::Authorizer': resource(
    z.strictObject({
      RestApiId: z.string(),
      Name: z.string(),
      Type: z.string(),
      AuthorizerUri: z.string(),
      IdentitySource: z.string().optional(),
      AuthorizerResultTtlInSeconds: z.number().optional(),
    }),
    {},
    async (properties, { call }) => {
      const answer = await call('apigateway', 'CreateAuthorizer', {
        restApiId: properties.RestApiId,
        name: properties.Name,
        type: properties.Type,
        authorizerUri: properties.AuthorizerUri,
        identitySource: properties.IdentitySource,
        authorizerResultTtlInSeconds: properties.AuthorizerResultTtlInSeconds,
      });
      const id = textOf(answer, 'id');
      return { physicalId: id, attributes: { AuthorizerId: id } };
    },
  ),
  'AWS::ApiGateway::GatewayResponse': resource(
    z.strictObject({
      RestApiId: z.string(),
      ResponseType: z.string(),
      StatusCode: z.string().optional(),
      ResponseParameters: strings,
      ResponseTemplates: strings,
    }),
    {},
    async (properties, { call, physicalName }) => {
      await call('apigateway', 'PutGatewayResponse', {
        restApiId: properties.RestApiId,
        responseType: properties.ResponseType,
        statusCode: properties.StatusCode,
        responseParameters: properties.ResponseParameters,
        responseTemplates: properties.ResponseTemplates,
      });
      return { physicalId: physicalName(64), attributes: {} };
    },
  ),
  'AWS::ApiGateway::Deployment': resource(
    z.strictObject({ RestApiId: z.string(), Description: z.string().optional() }),
    {},
    async ({ RestApiId, Description }, { call }) => {
      const id = textOf(await call('apigateway', 'CreateDeployment', { restApiId: RestApiId, description: Description }), 'id');
      return { physicalId: id, attributes: { DeploymentId: id } };
    },
  ),
  'AWS::ApiGateway::Stage': resource(
    z.strictObject({
      RestApiId: z.string(),
      StageName: z.string(),
      DeploymentId: z.string(),
      Description: z.string().optional(),
      TracingEnabled: z.boolean().optional(),
      Variables: strings,
      AccessLogSetting: z.strictObject({ DestinationArn: z.string(), Format: z.string() }).optional(),
      MethodSettings: z.array(methodSetting).default([]),
      Tags: tagList,
    }),
    {},
    async ({ AccessLogSetting, MethodSettings, Tags, ...properties }, { call }) => {
      const stage = { restApiId: properties.RestApiId, stageName: properties.StageName };
      await call('apigateway', 'CreateStage', {
        ...stage,
        deploymentId: properties.DeploymentId,
        description: properties.Description,
        tracingEnabled: properties.TracingEnabled,
        variables: properties.Variables,
        tags: tagMap(Tags),
      });
      const patchOperations = [
        ...(AccessLogSetting === undefined
          ? []
          : [
              replace('/accessLogSettings/destinationArn', AccessLogSetting.DestinationArn),
              replace('/accessLogSettings/format', AccessLogSetting.Format),
            ]),
        ...MethodSettings.flatMap(settingOperations),
      ];
      if (patchOperations.length > 0) await call('apigateway', 'UpdateStage', { ...stage, patchOperations });
      return { physicalId: properties.StageName, attributes: {} };
    },
  ),
};
