/** Resources of a REST API, their methods and integrations, authorizers and gateway responses. Source: Amazon API Gateway REST API Reference. */
import { randomBytes } from 'node:crypto';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { type Expression, parseExpression, unknownVariable } from './apigateway-expressions.ts';
import * as inputs from './apigateway-inputs.ts';
import type { Method, RestApi } from './apigateway-model.ts';
import { operation } from './typed-operation.ts';

/** Actions of API Gateway are HTTP methods on the paths of its own API. */
export const needOn = (region: string, method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string): readonly Need[] => [
  { action: `apigateway:${method}`, resource: `arn:aws:apigateway:${region}::${path}` },
];

/** Ten lower-case letters and digits, like those that stand in a REST API's host name. */
export const newApiId = (): string => [...randomBytes(10)].map((byte) => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % 36]).join('');
export const notFound = (message: string): AwsError => new AwsError('NotFoundException', message, 404);
const bad = (message: string): AwsError => new AwsError('BadRequestException', message);

/** How a function is named in the URI of an integration or authorizer, and whether its response is to be streamed. */
const invocationUri =
  /^arn:aws:apigateway:[\w-]+:lambda:path\/(?:2015-03-31\/functions\/([^/]+)\/invocations|2021-11-15\/functions\/([^/]+)\/response-streaming-invocations)$/;
const functionArn = /^arn:aws:lambda:[\w-]+:\d{12}:function:[\w-]+$/;
const tenantHeader = 'integration.request.header.X-Amz-Tenant-Id';

function functionOf(uri: string): { arn: string; streams: boolean } {
  const match = invocationUri.exec(uri);
  const arn = match?.[1] ?? match?.[2] ?? '';
  if (!functionArn.test(arn)) throw bad('Invalid function ARN or invocation path in the URI');
  return { arn, streams: match?.[2] !== undefined };
}

export function methodOperations(region: string, find: (scope: Scope, id: string) => RestApi): Record<string, Operation> {
  const methodOf = (api: RestApi, resourceId: string, httpMethod: string): Method => {
    const method = api.resources.get(resourceId)?.methods.get(httpMethod);
    if (method === undefined) throw notFound('Invalid Method identifier specified');
    return method;
  };
  const onMethod = ({ restApiId, resourceId, httpMethod }: { restApiId: string; resourceId: string; httpMethod: string }): string =>
    `/restapis/${restApiId}/resources/${resourceId}/methods/${httpMethod}`;

  return {
    CreateResource: operation(inputs.createResourceInput, {
      needs: ({ restApiId, parentId }) => needOn(region, 'POST', `/restapis/${restApiId}/resources/${parentId}`),
      run({ restApiId, parentId, pathPart }, scope) {
        const { resources } = find(scope, restApiId);
        const parent = resources.get(parentId);
        if (parent === undefined) throw notFound('Invalid Resource identifier specified');
        if (parent.pathPart.endsWith('+}')) throw bad('A greedy path variable must be the last part of a path');
        const siblings = [...resources.values()].filter((resource) => resource.parentId === parentId);
        const isVariable = (part: string): boolean => part.startsWith('{') && !part.endsWith('+}');
        if (siblings.some((sibling) => sibling.pathPart === pathPart || (isVariable(sibling.pathPart) && isVariable(pathPart))))
          throw new AwsError('ConflictException', `Another resource with the same parent already has this name: ${pathPart}`, 409);
        const path = `${parent.path === '/' ? '' : parent.path}/${pathPart}`;
        const resource = { id: newApiId(), parentId, pathPart, path, methods: new Map<string, Method>() };
        resources.set(resource.id, resource);
        return { id: resource.id, parentId, pathPart, path };
      },
    }),
    PutMethod: operation(inputs.putMethodInput, {
      needs: (input) => needOn(region, 'PUT', onMethod(input)),
      run(input, scope) {
        const api = find(scope, input.restApiId);
        const resource = api.resources.get(input.resourceId);
        if (resource === undefined) throw notFound('Invalid Resource identifier specified');
        if (resource.methods.has(input.httpMethod)) throw new AwsError('ConflictException', 'Method already exists for this resource', 409);
        const { authorizerId } = input;
        if ((input.authorizationType === 'CUSTOM') !== (authorizerId !== undefined))
          throw bad('An authorizer must be given with the authorization type CUSTOM, and only with it');
        if (authorizerId !== undefined && !api.authorizers.has(authorizerId)) throw notFound('Invalid authorizer ID specified');
        resource.methods.set(input.httpMethod, {
          httpMethod: input.httpMethod,
          authorizerId,
          requestParameters: new Set(Object.keys(input.requestParameters)),
          integration: undefined,
        });
        return { httpMethod: input.httpMethod, authorizationType: input.authorizationType };
      },
    }),
    PutIntegration: operation(inputs.putIntegrationInput, {
      needs: (input) => needOn(region, 'PUT', `${onMethod(input)}/integration`),
      run(input, scope) {
        const method = methodOf(find(scope, input.restApiId), input.resourceId, input.httpMethod);
        const { arn, streams } = functionOf(input.uri);
        if (streams !== (input.responseTransferMode === 'STREAM'))
          throw bad('The response transfer mode STREAM needs the URI of response-streaming-invocations, and that URI needs STREAM');
        method.integration = {
          functionArn: arn,
          transferMode: input.responseTransferMode,
          timeoutMs: input.timeoutInMillis,
          tenantId: tenantMapping(method, input.requestParameters),
        };
        return { type: input.type, uri: input.uri, responseTransferMode: input.responseTransferMode };
      },
    }),
    CreateAuthorizer: operation(inputs.createAuthorizerInput, {
      needs: ({ restApiId }) => needOn(region, 'POST', `/restapis/${restApiId}/authorizers`),
      run(input, scope) {
        const { authorizers } = find(scope, input.restApiId);
        const { arn, streams } = functionOf(input.authorizerUri);
        if (streams) throw bad('An authorizer does not stream its answer');
        const identitySources = input.identitySource
          .split(',')
          .map((source) => source.trim())
          .filter((source) => source !== '')
          .map(identitySource);
        if (identitySources.length === 0 && input.authorizerResultTtlInSeconds > 0)
          throw bad('An identity source is needed unless nothing is cached');
        const id = newApiId().slice(0, 6);
        authorizers.set(id, {
          id,
          name: input.name,
          functionArn: arn,
          identitySources,
          ttlSeconds: input.authorizerResultTtlInSeconds,
        });
        return { id, name: input.name, type: input.type };
      },
    }),
    PutGatewayResponse: operation(inputs.putGatewayResponseInput, {
      needs: ({ restApiId, responseType }) => needOn(region, 'PUT', `/restapis/${restApiId}/gatewayresponses/${responseType}`),
      run(input, scope) {
        const { responses } = find(scope, input.restApiId);
        for (const template of Object.values(input.responseTemplates)) {
          const unknown = unknownVariable(template);
          if (unknown !== undefined) throw notImplemented(`${unknown} in the template of a gateway response`);
        }
        const headers = Object.entries(input.responseParameters).map(([name, text]): [string, Expression] => {
          const expression = parseExpression(text);
          if (expression === undefined) throw notImplemented(`${text} as a parameter of a gateway response`);
          return [name.slice('gatewayresponse.header.'.length), expression];
        });
        responses.set(input.responseType, {
          statusCode: input.statusCode === undefined ? undefined : Number(input.statusCode),
          headers: Object.fromEntries(headers),
          templates: input.responseTemplates,
        });
        return { responseType: input.responseType, statusCode: input.statusCode };
      },
    }),
  };
}

/** The only request parameter of a Lambda proxy integration that means something here; a request value must be declared on the method first. */
function tenantMapping(method: Method, parameters: Readonly<Record<string, string>>): Expression | undefined {
  for (const [target, source] of Object.entries(parameters)) {
    if (target.toLowerCase() !== tenantHeader.toLowerCase()) throw notImplemented(`a mapping to ${target}`);
    const expression = parseExpression(source);
    if (expression === undefined || (source.startsWith('method.') && !method.requestParameters.has(source)))
      throw bad(`Invalid mapping expression specified: ${source}`);
    return expression;
  }
  return undefined;
}

function identitySource(text: string): Expression {
  const expression = parseExpression(text);
  if (expression === undefined || (expression.from !== 'header' && expression.from !== 'querystring'))
    throw notImplemented(`the identity source ${text}`);
  return expression;
}
