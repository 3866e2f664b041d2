/** REST APIs as the control plane keeps them and the data plane reads them. Source: Amazon API Gateway REST API Reference. */
import type { PolicyDocument } from '../iam/policy.ts';
import type { Expression } from './apigateway-expressions.ts';

export interface Integration {
  /** The function behind it. */
  readonly functionArn: string;
  /** `STREAM`: the response goes out while the function still writes it. */
  readonly transferMode: 'BUFFERED' | 'STREAM';
  readonly timeoutMs: number;
  /** What `X-Amz-Tenant-Id` of the invocation is taken from; without it the invocation names no tenant, whatever the client sends. */
  readonly tenantId: Expression | undefined;
}

export interface Method {
  readonly httpMethod: string;
  readonly authorizerId: string | undefined;
  /** Request parameters that mappings may use, e.g. `method.request.header.X-Tenant`. */
  readonly requestParameters: ReadonlySet<string>;
  integration: Integration | undefined;
}

export interface Resource {
  readonly id: string;
  readonly parentId: string | undefined;
  /** A literal, `{name}` or `{name+}`; empty for the root. */
  readonly pathPart: string;
  /** E.g. `/proxy/{provider}/{path+}`; `/` for the root. */
  readonly path: string;
  /** By HTTP method, or `ANY`. */
  readonly methods: ReadonlyMap<string, Method>;
}

export interface Authorizer {
  readonly id: string;
  readonly name: string;
  readonly functionArn: string;
  /** All must be there, and together they are the key of the cache; may be empty only when nothing is cached. */
  readonly identitySources: readonly Expression[];
  readonly ttlSeconds: number;
}

export interface GatewayResponse {
  readonly statusCode: number | undefined;
  /** Header name → value. */
  readonly headers: Readonly<Record<string, Expression>>;
  /** Content type → template. */
  readonly templates: Readonly<Record<string, string>>;
}

/** What a deployment freezes: changes reach a stage only through another deployment. */
export interface Snapshot {
  readonly resources: readonly Resource[];
  readonly authorizers: ReadonlyMap<string, Authorizer>;
  readonly responses: ReadonlyMap<string, GatewayResponse>;
  readonly binaryMediaTypes: readonly string[];
  readonly policy: PolicyDocument | undefined;
}

export interface Stage {
  readonly name: string;
  deploymentId: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Kept as given and without effect: access log, tracing, metrics and throttling of methods. */
  readonly settings: Map<string, string>;
}

export interface RestApi {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly binaryMediaTypes: readonly string[];
  readonly policy: PolicyDocument | undefined;
  readonly createdAt: number;
  readonly rootResourceId: string;
  readonly resources: Map<string, Omit<Resource, 'methods'> & { readonly methods: Map<string, Method> }>;
  readonly authorizers: Map<string, Authorizer>;
  readonly responses: Map<string, GatewayResponse>;
  readonly deployments: Map<string, Snapshot>;
  readonly stages: Map<string, Stage>;
}

/** One stage with what is deployed to it. */
export interface DeployedStage {
  readonly api: RestApi;
  readonly stage: Stage;
  readonly snapshot: Snapshot;
}

/** Response types and their status where nothing else is said ("Gateway response types for API Gateway"). */
export const gatewayResponseDefaults = {
  ACCESS_DENIED: 403,
  API_CONFIGURATION_ERROR: 500,
  AUTHORIZER_CONFIGURATION_ERROR: 500,
  AUTHORIZER_FAILURE: 500,
  BAD_REQUEST_BODY: 400,
  BAD_REQUEST_PARAMETERS: 400,
  EXPIRED_TOKEN: 403,
  INTEGRATION_FAILURE: 504,
  INTEGRATION_TIMEOUT: 504,
  INVALID_API_KEY: 403,
  INVALID_SIGNATURE: 403,
  MISSING_AUTHENTICATION_TOKEN: 403,
  QUOTA_EXCEEDED: 429,
  REQUEST_TOO_LARGE: 413,
  RESOURCE_NOT_FOUND: 404,
  THROTTLED: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED_MEDIA_TYPE: 415,
  WAF_FILTERED: 403,
} as const;
export type GatewayResponseType = keyof typeof gatewayResponseDefaults | 'DEFAULT_4XX' | 'DEFAULT_5XX';
export const gatewayResponseTypes: readonly string[] = [...Object.keys(gatewayResponseDefaults), 'DEFAULT_4XX', 'DEFAULT_5XX'];
