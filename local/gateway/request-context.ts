/**
 * What a request's functions, mappings and templates are told about it. Source: API Gateway Developer Guide, "Input format of a Lambda
 * function for proxy integration" (REST, format 1.0), "Input to an API Gateway Lambda authorizer", "Context variables".
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ExpressionInput } from '../services/apigateway-expressions.ts';
import type { DeployedStage } from '../services/apigateway-model.ts';
import type { Route } from './match-route.ts';
import type { GatewayRequest } from './read-request.ts';

/** The result of an authorizer that let the request through. */
export interface Authorization {
  readonly principalId: string;
  readonly context: Readonly<Record<string, string>>;
}

export interface RequestFacts extends ExpressionInput {
  readonly requestId: string;
  /** `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{method}/{path}`: what a policy speaks about, with the path that was asked for. */
  readonly methodArn: string;
  /** The members that both kinds of event have. */
  readonly event: Readonly<Record<string, unknown>>;
  readonly requestContext: Readonly<Record<string, unknown>>;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function requestFacts(
  request: GatewayRequest,
  { api, stage }: DeployedStage,
  where: {
    readonly region: string;
    readonly now: number;
    readonly route: Route | undefined;
    readonly authorization?: Authorization | undefined;
  },
  ids: RequestIds,
): RequestFacts {
  const { route, authorization, now, region } = where;
  const headers = withForwarded(request);
  const header = (name: string): string | undefined => headers.findLast(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
  const domainName = `${api.id}.execute-api.${region}.amazonaws.com`;
  const context: Readonly<Record<string, string | undefined>> = {
    accountId: api.accountId,
    apiId: api.id,
    domainName,
    domainPrefix: api.id,
    extendedRequestId: ids.extendedRequestId,
    httpMethod: request.method,
    path: request.fullPath,
    protocol: request.protocol,
    requestId: ids.requestId,
    requestTime: commonLogTime(now),
    resourceId: route?.resource.id,
    resourcePath: route?.resource.path,
    stage: stage.name,
  };
  const identity = { sourceIp: request.sourceIp, userAgent: header('user-agent') };
  const values = new Map<string, string | undefined>([
    ...Object.entries(context),
    ['requestTimeEpoch', String(now)],
    ['identity.sourceIp', identity.sourceIp],
    ['identity.userAgent', identity.userAgent],
    ...Object.entries(authorization?.context ?? {}).map(([name, value]) => [`authorizer.${name}`, value] as const),
    ['authorizer.principalId', authorization?.principalId],
  ]);
  const nulls = Object.fromEntries(
    [
      'accessKey',
      'accountId',
      'caller',
      'cognitoAuthenticationProvider',
      'cognitoIdentityId',
      'cognitoIdentityPoolId',
      'user',
      'userArn',
    ].map((name) => [name, null]),
  );
  return {
    requestId: ids.requestId,
    methodArn: `arn:aws:execute-api:${region}:${api.accountId}:${api.id}/${stage.name}/${request.method}${request.path}`,
    context: (name) => values.get(name),
    header,
    querystring: (name) => request.query.getAll(name).at(-1),
    path: (name) => route?.parameters[name],
    event: {
      resource: route?.resource.path,
      path: request.path,
      httpMethod: request.method,
      headers: Object.fromEntries(headers),
      multiValueHeaders: grouped(headers),
      queryStringParameters: orNull(Object.fromEntries(request.query)),
      multiValueQueryStringParameters: orNull(grouped([...request.query])),
      pathParameters: orNull(route?.parameters ?? {}),
      stageVariables: orNull(stage.variables),
    },
    requestContext: {
      ...context,
      requestTimeEpoch: now,
      identity: { ...nulls, ...identity },
      ...(authorization === undefined ? {} : { authorizer: { ...authorization.context, principalId: authorization.principalId } }),
    },
  };
}

export interface RequestIds {
  readonly requestId: string;
  readonly extendedRequestId: string;
}
export const newRequestIds = (): RequestIds => ({
  requestId: randomUUID(),
  extendedRequestId: `${randomBytes(8).toString('base64url').slice(0, 11)}=`,
});

/** The hop from the client is appended to what the client claims to have come through. */
function withForwarded({ headers, sourceIp }: GatewayRequest): readonly (readonly [string, string])[] {
  const before = headers.filter(([name]) => name.toLowerCase() === 'x-forwarded-for').map(([, value]) => value);
  const others = headers.filter(([name]) => !/^x-forwarded-(for|port|proto)$/i.test(name));
  return [...others, ['X-Forwarded-For', [...before, sourceIp].join(', ')], ['X-Forwarded-Port', '443'], ['X-Forwarded-Proto', 'https']];
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, value] of pairs) groups[name] = [...(Object.hasOwn(groups, name) ? (groups[name] ?? []) : []), value];
  return groups;
}

const orNull = <T extends object>(values: T): T | null => (Object.keys(values).length === 0 ? null : values);

/** E.g. `21/Nov/2026:22:30:00 +0000`. */
function commonLogTime(now: number): string {
  const date = new Date(now);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${months[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}
