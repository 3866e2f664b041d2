/** From an HTTP request to an operation and its input, and from its result or error to the HTTP answer, in the service's protocol. */
import { AwsError, notImplemented } from './aws-error.ts';
import { jsonBody, jsonError, parseJsonBody } from './json-protocol.ts';
import { parseQuery, queryAnswer, queryError } from './query-protocol.ts';
import { restXmlError, restXmlHeaders } from './rest-xml-protocol.ts';
import type { Input, LocalService } from './service.ts';

export interface HttpRequest {
  readonly method: string;
  /** As received: path and query, still encoded. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Throws AwsError when the request names no operation or its body is malformed. */
export function parseRequest(service: LocalService, request: HttpRequest): { operation: string; input: Input } {
  if (service.protocol === 'json') return parseJsonRequest(service, request);
  if (service.protocol === 'query') {
    if (request.method !== 'POST') throw notImplemented(`${service.signingName} by HTTP ${request.method}`);
    const { action, input } = parseQuery(Buffer.from(request.body).toString('utf8'));
    if (action === '') throw new AwsError('MissingAction', 'The request is missing an Action.', 400);
    return { operation: action, input };
  }
  const [path = '/', query = ''] = splitTarget(request.target);
  const routed = service.route?.(request.method, path, new URLSearchParams(query), request.body, request.headers);
  if (routed === undefined) throw notImplemented(`${service.signingName} ${request.method} ${path}`);
  return routed;
}

function parseJsonRequest(service: LocalService, request: HttpRequest): { operation: string; input: Input } {
  const target = request.headers['x-amz-target'] ?? '';
  const dot = target.lastIndexOf('.');
  const prefix = target.slice(0, Math.max(0, dot));
  const operation = target.slice(dot + 1);
  // A signature for one service must not reach another one by its target.
  if (request.method !== 'POST' || operation === '' || prefix !== service.targetPrefix) {
    throw new AwsError(
      'UnknownOperationException',
      `${service.signingName} has no operation ${target === '' ? '(X-Amz-Target is missing)' : target}.`,
    );
  }
  return { operation, input: parseJsonBody(request.body) };
}

export function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

export function answerOf(
  service: LocalService,
  operation: string,
  result: Readonly<Record<string, unknown>>,
  request: HttpRequest,
  requestId: string,
): HttpAnswer {
  if (service.protocol === 'query') {
    return { status: 200, headers: xmlHeaders(requestId), body: queryAnswer(operation, service.xmlNamespace ?? '', result, requestId) };
  }
  const custom = service.respond?.(operation, result);
  if (custom !== undefined) {
    const headers = service.protocol === 'rest-xml' ? restXmlHeaders(requestId) : jsonHeaders(request, requestId);
    return { status: custom.status, headers: { ...headers, ...custom.headers }, body: custom.body ?? '' };
  }
  return { status: 200, headers: jsonHeaders(request, requestId), body: jsonBody(result) };
}

/** `service` is undefined when the request was refused before its service was known: then the request's own form tells the protocol. */
export function errorAnswerOf(service: LocalService | undefined, error: AwsError, request: HttpRequest, requestId: string): HttpAnswer {
  if (isQuery(service, request)) {
    return { status: error.status, headers: xmlHeaders(requestId), body: queryError(error, service?.xmlNamespace ?? '', requestId) };
  }
  if (service?.protocol === 'rest-xml') {
    const headers = { ...restXmlHeaders(requestId), 'content-type': 'application/xml' };
    return { status: error.status, headers, body: restXmlError(error, splitTarget(request.target)[0], requestId) };
  }
  const headers = { ...jsonHeaders(request, requestId), 'x-amzn-errortype': error.code };
  return { status: error.status, headers, body: jsonError(error) };
}

export function isQuery(service: LocalService | undefined, request: HttpRequest): boolean {
  if (service !== undefined) return service.protocol === 'query';
  return (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
}

function xmlHeaders(requestId: string): Record<string, string> {
  return { 'content-type': 'text/xml', 'x-amzn-requestid': requestId };
}

function jsonHeaders(request: HttpRequest, requestId: string): Record<string, string> {
  const asked = request.headers['content-type'] ?? '';
  const type = asked.startsWith('application/x-amz-json-') ? asked : 'application/json';
  return { 'content-type': type, 'x-amzn-requestid': requestId };
}
