import type { ServiceName } from '../../byoc/service-name.ts';
import { CordonError } from '../../shared/errors.ts';
import type { CredentialSettings, EgressAdapter, EgressRequest, HeaderMap, UsageReader } from '../egress-adapter.ts';
import { awsSignature } from './aws-signature.ts';

interface AwsApi {
  readonly service: ServiceName;
  /** Path to send for what follows `{service}/{region}/`, with a leading slash; undefined when it is not among the uses. */
  readonly path: (rest: string, request: EgressRequest) => string | undefined;
  /** Of services that are told by a header what to do. */
  readonly operations?: ReadonlySet<string>;
}

const regionPattern = /^[a-z]{2}(-[a-z]+){1,2}-\d$/;
/** Source: S3 User Guide, "General purpose bucket naming rules". The customer decides by naming what an agent may reach. */
const bucketPattern = /^cordon-(?!.*\.\.)[a-z0-9.-]{0,55}[a-z0-9]$/;
/** Neither control characters, nor what another reader of the path could take for a separator or for one more layer of encoding. */
const keyPartPattern = /^[^\p{C}/\\%]+$/u;
const maxPathLength = 2048;

/** The JSON protocols have one path, and `X-Amz-Target` says what is done. */
const rootOnly: AwsApi['path'] = (rest, { method, query }) => (rest === '' && method === 'POST' && query === '' ? '/' : undefined);

/**
 * What a connected account may be used for. Nothing is listed, written over or deleted; the customer's role and the session's policy say the same once more.
 * Source: API references of Amazon DynamoDB, Amazon S3 (REST, path-style requests) and Amazon SQS (AWS JSON protocol).
 */
const apis: ReadonlyMap<string, AwsApi> = new Map(
  (
    [
      {
        service: 'dynamodb',
        path: rootOnly,
        operations: new Set(['GetItem', 'BatchGetItem', 'Query'].map((name) => `DynamoDB_20120810.${name}`)),
      },
      { service: 's3', path: objectPath },
      { service: 'sqs', path: rootOnly, operations: new Set(['SendMessage', 'GetQueueUrl'].map((name) => `AmazonSQS.${name}`)) },
    ] satisfies readonly AwsApi[]
  ).map((api) => [api.service, api]),
);

/** AWS's own clients name the operation once more in the query; S3 needs nothing of it, and every other parameter would change what is answered. */
function objectPath(rest: string, { method, query }: EgressRequest): string | undefined {
  if (method !== 'GET' || (query !== '' && query !== 'x-id=GetObject') || rest.length > maxPathLength) return undefined;
  const [bucket = '', ...key] = rest.split('/');
  if (!bucketPattern.test(bucket) || key.length === 0) return undefined;
  let path = `/${bucket}`;
  for (const part of key) {
    const text = decoded(part);
    if (text === undefined || !keyPartPattern.test(text) || /^\.+$/.test(text)) return undefined;
    path += `/${encoded(text)}`;
  }
  return path;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** As it is signed: all but unreserved characters (IAM User Guide, "Create a canonical request"). */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function settingsOf({ regions, services }: CredentialSettings): {
  readonly regions: readonly string[];
  readonly services: readonly string[];
} {
  if (regions === undefined || services === undefined || !regions.every((region) => regionPattern.test(region)))
    throw new CordonError('EGRESS_NOT_CONFIGURED', 'the credential for aws needs the settings regions and services');
  return { regions, services };
}

const hostOf = (service: string, region: string): string => `${service}.${region}.amazonaws.com`;
/** A credential's settings are one object as long as they are in memory. */
const hostsOf = new WeakMap<CredentialSettings, readonly string[]>();
const noUsage: UsageReader = { push: () => undefined, end: () => undefined };

/** `{service}/{region}/{rest}`: AWS APIs in a customer's own account, with a session of the customer's role and with nothing else. */
export const aws: EgressAdapter = {
  provider: 'aws',
  basePath: '',
  callerHeaders: ['x-amz-target'],
  hosts(settings) {
    const known = hostsOf.get(settings);
    if (known !== undefined) return known;
    const { regions, services } = settingsOf(settings);
    const hosts = services.filter((service) => apis.has(service)).flatMap((service) => regions.map((region) => hostOf(service, region)));
    hostsOf.set(settings, hosts);
    return hosts;
  },
  target(request, settings, baseUrl) {
    const { regions, services } = settingsOf(settings);
    const [, service = '', region = '', rest = ''] = /^([a-z0-9]+)\/([a-z0-9-]+)(?:\/(.*))?$/s.exec(request.path) ?? [];
    const api = apis.get(service);
    if (api === undefined || !services.includes(service) || !regions.includes(region)) return undefined;
    const path = api.path(rest, request);
    if (path === undefined) return undefined;
    const url = new URL(`${baseUrl?.replace(/\/+$/, '') ?? `https://${hostOf(service, region)}`}${path}`);
    // What is sent is what was understood, whatever a URL makes of a path.
    return url.pathname === path ? { url, scope: { service: api.service, region } } : undefined;
  },
  authHeaders(secret, request) {
    const { scope, headers } = request;
    if (secret.kind !== 'aws-session' || scope === undefined)
      throw new CordonError('EGRESS_NOT_CONFIGURED', 'aws takes a session of a customer’s role and nothing else');
    refuseOther(apis.get(scope.service)?.operations, headers);
    return awsSignature(secret, request, scope, ['content-type', 'x-amz-target']);
  },
  // Nothing here is counted in tokens, and an object may say anything.
  usage: () => noUsage,
};

/** SQS would take another protocol's body, in which another operation stands, if the type said so. */
function refuseOther(operations: ReadonlySet<string> | undefined, headers: HeaderMap): void {
  if (operations === undefined) {
    if (headers['x-amz-target'] === undefined) return;
  } else if (operations.has(headers['x-amz-target'] ?? '') && /^application\/x-amz-json-1\.[01]$/.test(headers['content-type'] ?? ''))
    return;
  throw new CordonError('PATH_NOT_ALLOWED', 'This operation of aws is not open through the broker; see the documented ones.');
}
