/** The synthesized broker bundle behind a plain HTTP server: its core, without API Gateway and without Lambda's runtime. */
import { createServer, type ServerResponse } from 'node:http';
import { pathToFileURL } from 'node:url';
import { announce } from './announce.ts';

type Handler = (event: object, stream: object, context: object) => Promise<void>;

/** The runtime's global, without what it costs: the response itself is the stream, and the prelude is its head. */
Object.assign(globalThis, {
  awslambda: {
    streamifyResponse: (handler: object) => handler,
    HttpResponseStream: {
      from(response: ServerResponse, { statusCode, headers }: { statusCode: number; headers: Record<string, string> }): ServerResponse {
        response.writeHead(statusCode, headers);
        return response;
      },
    },
  },
});
const { handler } = (await import(pathToFileURL(process.env['BROKER_BUNDLE'] ?? '').href)) as { handler: Handler };
const authorizer = {
  tenantId: 'bench',
  userId: 'a'.repeat(26),
  issuer: 'https://issuer.example.com',
  subject: 'bench',
  agentId: 'agent-1',
  sessionId: 'session-1',
  role: '',
  exp: String(Math.floor(Date.now() / 1_000) + 3_600),
};

let calls = 0;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    calls += 1;
    const path = request.url ?? '/';
    const event = {
      resource: '/proxy/{provider}/{path+}',
      path: path.replace(/^\/v1/, ''),
      httpMethod: request.method,
      headers: request.headers,
      pathParameters: { provider: 'openai' },
      requestContext: { requestId: `request-${calls}`, authorizer },
      body: Buffer.concat(chunks).toString('base64'),
      isBase64Encoded: true,
    };
    const context = { tenantId: 'bench', getRemainingTimeInMillis: () => 60_000 };
    handler(event, response, context).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
});
server.keepAliveTimeout = 60_000;
announce(server);
process.on('SIGINT', () => process.exit());
