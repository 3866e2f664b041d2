import type { APIGatewayProxyEvent } from 'aws-lambda';
import { jsonIn } from '../../shared/json-in.ts';
import { likelyDecoysIn, maxNamesTold } from './decoy-shape.ts';

/** Characters of a body that are looked at. No API of Cordon's takes a longer one. */
const maxBody = 32 * 1024;

type Named = Pick<
  APIGatewayProxyEvent,
  'pathParameters' | 'queryStringParameters' | 'multiValueQueryStringParameters' | 'body' | 'isBase64Encoded'
>;

/** Names by which a request to one of the APIs asks, that may be decoys': in its path, its query or its body, whatever else is in there. */
export function namedInRequest(event: Partial<Named>): readonly string[] {
  const { pathParameters, queryStringParameters, multiValueQueryStringParameters, body, isBase64Encoded } = event;
  const sent = body?.slice(0, maxBody) ?? '';
  const parameters = [pathParameters, queryStringParameters, multiValueQueryStringParameters].map((one) => JSON.stringify(one ?? {}));
  const text = isBase64Encoded === true ? Buffer.from(sent, 'base64').toString('utf8') : sent;
  // JSON may write any character in another way.
  return likelyDecoysIn([text, JSON.stringify(jsonIn(text)) ?? '', ...parameters]).slice(0, maxNamesTold);
}
