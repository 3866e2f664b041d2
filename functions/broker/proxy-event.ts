import type { HeaderMap } from '../providers/egress-adapter.ts';
import { isRecord } from '../shared/aws-signed-json.ts';
import { CordonError } from '../shared/errors.ts';
import { type Caller, callerOf } from './caller.ts';
import { identityHeaders, identityTokenOf } from './identity-sources.ts';

/** A call as it came through API Gateway. */
export interface ProxyCall {
  readonly requestId: string;
  readonly caller: Caller;
  /** The caller's own, from the header that the authorizer read. */
  readonly token: string;
  readonly provider: string;
  readonly method: string;
  /** Below `/proxy/{provider}/`, percent-encoded as it came. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: HeaderMap;
  readonly body: Buffer;
}

/** API Gateway's own limit for a request. Source: API Gateway Developer Guide, "Quotas". */
export const maxBodyBytes = 10 * 1024 * 1024;

/** The ID for messages, whatever else the event holds. */
export function requestIdOf(event: unknown): string {
  const context = isRecord(event) ? event['requestContext'] : undefined;
  const requestId = isRecord(context) ? context['requestId'] : undefined;
  return typeof requestId === 'string' ? requestId : '';
}

/**
 * Reads the event of a REST API's proxy integration. Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
 *
 * @throws CordonError TOKEN_REFUSED | CALL_INVALID | REQUEST_TOO_LARGE
 */
export function proxyCallOf(event: unknown): ProxyCall {
  if (!isRecord(event)) throw invalid('The call is not one of the proxy.');
  const { resource, path, httpMethod, requestContext } = event;
  const authorizer = isRecord(requestContext) ? requestContext['authorizer'] : undefined;
  const caller = callerOf(isRecord(authorizer) ? authorizer : {});
  if (typeof resource !== 'string' || typeof path !== 'string' || typeof httpMethod !== 'string')
    throw invalid('The call is not one of the proxy.');
  const headers = headersOf(event);
  const provider = providerOf(resource, event['pathParameters']);
  return {
    requestId: requestIdOf(event),
    caller,
    token: identityTokenOf(resource, (name) => (headers[name] === undefined ? [] : [headers[name]])),
    provider,
    method: httpMethod.toUpperCase(),
    path: restOf(path, provider),
    query: queryOf(event),
    headers,
    body: bodyOf(event),
  };
}

/** `/proxy/anthropic/{path+}` names the provider itself, `/proxy/{provider}/{path+}` by its variable. */
function providerOf(resource: string, pathParameters: unknown): string {
  const named = /^\/proxy\/([a-z0-9-]+)\/\{[a-z]+\+\}$/.exec(resource)?.[1];
  const taken = isRecord(pathParameters) ? pathParameters['provider'] : undefined;
  const provider = named ?? taken;
  if (typeof provider !== 'string' || !/^[a-z0-9-]{1,64}$/.test(provider))
    throw new CordonError('PROVIDER_UNKNOWN', 'The path names no provider.');
  // Its token comes in a header of its own, which only its own resource has checked.
  if (named === undefined && Object.hasOwn(identityHeaders, provider)) throw invalid('The path is not well formed.');
  return provider;
}

/** The path as it came, because `pathParameters` are decoded: an encoded slash must stay one. A custom domain puts its mapping in front. */
function restOf(path: string, provider: string): string {
  const rest = /^(?:\/[^/]+)?\/proxy\/([^/]+)\/(.+)$/.exec(path);
  if (rest?.[1] !== provider || rest[2] === undefined) throw invalid('The path is not well formed.');
  return rest[2];
}

function headersOf({ headers, multiValueHeaders }: Readonly<Record<string, unknown>>): HeaderMap {
  // Without a prototype, so that no header's name means anything but itself.
  const found: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(isRecord(headers) ? headers : {})) {
    if (typeof value === 'string') found[name.toLowerCase()] = value;
  }
  // `headers` has only the last of several values.
  for (const [name, values] of Object.entries(isRecord(multiValueHeaders) ? multiValueHeaders : {})) {
    if (Array.isArray(values) && values.length > 1) found[name.toLowerCase()] = values.join(', ');
  }
  return found;
}

/** API Gateway hands the parameters over decoded. */
function queryOf({ queryStringParameters, multiValueQueryStringParameters }: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  const all: Record<string, unknown> = {
    ...(isRecord(queryStringParameters) ? queryStringParameters : {}),
    ...(isRecord(multiValueQueryStringParameters) ? multiValueQueryStringParameters : {}),
  };
  for (const [name, values] of Object.entries(all))
    for (const value of Array.isArray(values) ? values : [values]) if (typeof value === 'string') query.append(name, value);
  return query.toString();
}

function bodyOf({ body, isBase64Encoded }: Readonly<Record<string, unknown>>): Buffer {
  if (typeof body !== 'string') return Buffer.alloc(0);
  const bytes = isBase64Encoded === true ? Math.floor((body.length * 3) / 4) - 2 : Buffer.byteLength(body);
  const decoded = bytes > maxBodyBytes ? undefined : Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8');
  if (decoded === undefined || decoded.length > maxBodyBytes) {
    throw new CordonError('REQUEST_TOO_LARGE', `A request may have at most ${maxBodyBytes} bytes.`);
  }
  return decoded;
}

function invalid(message: string): CordonError {
  return new CordonError('CALL_INVALID', message);
}
