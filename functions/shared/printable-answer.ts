import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** Whoever names HTML and does not name JSON before it. */
export function wantsPage({ headers: sent }: Pick<APIGatewayProxyEvent, 'headers'>): boolean {
  const accept = Object.entries(sent ?? {}).find(([name]) => name.toLowerCase() === 'accept')?.[1] ?? '';
  const types = accept.split(',').map((type) => (type.split(';')[0] ?? '').trim().toLowerCase());
  return types.find((type) => type === 'text/html' || type === 'application/json') === 'text/html';
}

/** A JSON file to keep. */
export function downloadAnswer(body: string, fileName: string): APIGatewayProxyResult {
  const disposition = `attachment; filename="${fileName}"`;
  return { statusCode: 200, headers: { ...headers, 'content-type': 'application/json', 'content-disposition': disposition }, body };
}

/** A page of `printableDocument`. Nothing runs and nothing is loaded; the page's own policy says so too, once it is saved. */
export function printableAnswer(body: string): APIGatewayProxyResult {
  const policy = /content="(default-src [^"]+)"/.exec(body)?.[1] ?? "default-src 'none'";
  return {
    statusCode: 200,
    headers: {
      ...headers,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `${policy}; frame-ancestors 'none'; sandbox`,
      'x-frame-options': 'DENY',
    },
    body,
  };
}
