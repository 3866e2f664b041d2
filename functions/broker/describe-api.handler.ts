import type { APIGatewayProxyResult } from 'aws-lambda';

/** Answers the API's description, the same for everybody: it names no tenant. Source for the media type: RFC 9512. */
export function createHandler(document: string): () => Promise<APIGatewayProxyResult> {
  return async () => ({
    statusCode: 200,
    headers: { 'content-type': 'application/yaml', 'cache-control': 'public, max-age=300' },
    body: document,
  });
}
