/** What S3's REST-XML has of its own around an operation: response headers, and errors as XML. Source: S3 API Reference, "Error responses". */
import type { AwsError } from './aws-error.ts';
import { escapeXml } from './query-protocol.ts';

export function restXmlHeaders(requestId: string): Record<string, string> {
  return { 'x-amz-request-id': requestId };
}

export function restXmlError(error: AwsError, resource: string, requestId: string): string {
  const members = { Code: error.code, Message: error.message, Resource: resource, RequestId: requestId };
  const elements = Object.entries(members).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements.join('')}</Error>`;
}

/** S3's codes and statuses for what the query protocol calls otherwise ("List of error codes"). */
export const restXmlCodes: Readonly<Record<string, readonly [code: string, status: number]>> = {
  MissingAuthenticationToken: ['AccessDenied', 403],
  IncompleteSignature: ['AuthorizationHeaderMalformed', 400],
  InvalidClientTokenId: ['InvalidAccessKeyId', 403],
  ExpiredToken: ['ExpiredToken', 400],
  InternalFailure: ['InternalError', 500],
};
