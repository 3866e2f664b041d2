/** Inputs of the API Gateway operations the template loader uses. What is accepted without effect says so; anything else is refused. */
import { z } from 'zod';
import { gatewayResponseTypes } from './apigateway-model.ts';

const onApi = z.strictObject({ restApiId: z.string() });
const onMethod = onApi.extend({
  resourceId: z.string(),
  httpMethod: z.enum(['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']),
});
const stageName = z.string().regex(/^[\w-]{1,128}$/);

export const createRestApiInput = z.strictObject({
  name: z.string().min(1),
  description: z.string().optional(),
  binaryMediaTypes: z.array(z.string().regex(/^[^/\s]+\/[^/\s]+$/)).default([]),
  /** Regional or edge makes no difference on a loopback. A private API is reached through a VPC endpoint: there is none. */
  endpointConfiguration: z.strictObject({ types: z.array(z.enum(['REGIONAL', 'EDGE'])).length(1) }).optional(),
  policy: z.string().optional(),
  /** True would leave only a custom domain. */
  disableExecuteApiEndpoint: z.literal(false).optional(),
  tags: z.record(z.string(), z.string()).default({}),
});
export const onRestApiInput = onApi;
export const createResourceInput = onApi.extend({
  parentId: z.string(),
  pathPart: z.string().regex(/^(\{[\w.-]+\+?\}|[\w.~:!$&'()*+,;=@-]+)$/, 'must be a literal, {name} or {name+}'),
});
export const putMethodInput = onMethod.extend({
  authorizationType: z.enum(['NONE', 'CUSTOM'], 'the local cloud knows NONE and CUSTOM'),
  authorizerId: z.string().optional(),
  apiKeyRequired: z.literal(false).optional(),
  operationName: z.string().optional(),
  requestParameters: z.record(z.string().regex(/^method\.request\.(header|querystring|path)\.[\w.$-]+$/), z.boolean()).default({}),
});
export const putIntegrationInput = onMethod.extend({
  type: z.literal('AWS_PROXY', 'the local cloud has Lambda proxy integrations only'),
  integrationHttpMethod: z.literal('POST', 'a Lambda function is invoked by POST'),
  uri: z.string(),
  requestParameters: z.record(z.string(), z.string()).default({}),
  responseTransferMode: z.enum(['BUFFERED', 'STREAM']).default('BUFFERED'),
  timeoutInMillis: z.number().int().min(50).max(900_000).default(29_000),
  /** Of integrations that map bodies; a proxy integration passes everything through. */
  passthroughBehavior: z.literal('WHEN_NO_MATCH').optional(),
});
export const createAuthorizerInput = onApi.extend({
  name: z.string().min(1),
  type: z.literal('REQUEST', 'the local cloud has REQUEST authorizers only'),
  authorizerUri: z.string(),
  identitySource: z.string().default(''),
  authorizerResultTtlInSeconds: z.number().int().min(0).max(3600).default(300),
});
export const putGatewayResponseInput = onApi.extend({
  responseType: z.enum(gatewayResponseTypes),
  statusCode: z
    .string()
    .regex(/^[1-5]\d\d$/)
    .optional(),
  responseParameters: z.record(z.string().regex(/^gatewayresponse\.header\.[\w-]+$/), z.string()).default({}),
  responseTemplates: z.record(z.string(), z.string()).default({}),
});
export const createDeploymentInput = onApi.extend({ description: z.string().optional() });
export const createStageInput = onApi.extend({
  stageName,
  deploymentId: z.string(),
  description: z.string().optional(),
  tracingEnabled: z.boolean().optional(),
  variables: z.record(z.string(), z.string()).default({}),
  tags: z.record(z.string(), z.string()).default({}),
});
const methodSetting =
  /^\/([^/]+)\/([^/]+)\/(throttling\/(rateLimit|burstLimit)|metrics\/enabled|logging\/(loglevel|dataTrace)|caching\/enabled)$/;
export const updateStageInput = onApi.extend({
  stageName,
  patchOperations: z.array(
    z.strictObject({
      op: z.literal('replace'),
      path: z
        .string()
        .refine((path) => /^\/(accessLogSettings\/(destinationArn|format)|deploymentId)$/.test(path) || methodSetting.test(path), {
          error: 'is no setting that is known here',
        }),
      value: z.string(),
    }),
  ),
});
export const getStageInput = onApi.extend({ stageName });
