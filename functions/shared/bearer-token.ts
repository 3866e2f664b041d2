import type { APIGatewayProxyEvent } from 'aws-lambda';
import { CordonError } from './errors.ts';

/**
 * The token in an `Authorization` header. Source: RFC 6750, section 2.1; the scheme's name compares without case (RFC 9110, section 11.1).
 *
 * @throws CordonError TOKEN_REFUSED
 */
export function bearerToken(authorization: string | undefined): string {
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw new CordonError('TOKEN_REFUSED', 'the header authorization holds no bearer token');
  return token;
}

/**
 * The token in a request's one `Authorization` header. API Gateway hands names over as the client wrote them.
 *
 * @throws CordonError TOKEN_REFUSED
 */
export function bearerOf({ headers }: Pick<APIGatewayProxyEvent, 'headers'>): string {
  const values = Object.entries(headers ?? {}).flatMap(([name, value]) => (name.toLowerCase() === 'authorization' ? [value] : []));
  if (values.length > 1) throw new CordonError('TOKEN_REFUSED', 'the header authorization is there more than once');
  return bearerToken(values[0]);
}
