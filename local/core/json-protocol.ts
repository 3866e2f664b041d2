/** The AWS JSON protocols 1.0 and 1.1 and the JSON bodies of rest-json. Source: Smithy, "AWS JSON 1.1 protocol". */
import { AwsError } from './aws-error.ts';
import type { Input } from './service.ts';

/** An empty body is an empty input. Throws AwsError `SerializationException`. */
export function parseJsonBody(body: Uint8Array): Input {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    // The parser's message would quote the body, which may hold a secret.
    throw new AwsError('SerializationException', 'The request body is not JSON in UTF-8.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AwsError('SerializationException', 'The request body is not a JSON object.');
  }
  return Object.fromEntries(Object.entries(value));
}

/** Dates become seconds since the epoch, bytes base64; undefined members are left out. */
export function jsonBody(result: object): string {
  return JSON.stringify(wire(result));
}

function wire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(wire);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, wire(child)]));
  return value;
}

/** `extra` members (e.g. CancellationReasons) stand beside `__type` and `message`. */
export function jsonError(error: AwsError): string {
  return jsonBody({ ...error.extra, __type: error.code, message: error.message });
}
