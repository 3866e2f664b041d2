/** The synthesized broker bundle behind a plain HTTP server: its core, without API Gateway and without a worker thread. */
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { createResponseStream, installAwslambda } from '../../local/lambda/response-stream.ts';
import { announce } from './announce.ts';

type Handler = (event: object, stream: object, context: object) => Promise<void>;

installAwslambda();
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
const zeros = Buffer.alloc(8);

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
    let begun = false;
    const stream = createResponseStream(async (bytes) => {
      let rest = Buffer.from(bytes);
      if (!begun) {
        const end = rest.indexOf(zeros);
        if (end < 0) return void pending.push(rest);
        const { statusCode, headers } = JSON.parse(Buffer.concat([...pending, rest.subarray(0, end)]).toString());
        response.writeHead(statusCode, headers);
        begun = true;
        rest = rest.subarray(end + 8);
      }
      if (rest.length > 0) response.write(rest);
    });
    const pending: Buffer[] = [];
    const context = { tenantId: 'bench', getRemainingTimeInMillis: () => 60_000 };
    handler(event, stream.facade, context)
      .then(() => stream.end())
      .then(() => response.end())
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
});
server.keepAliveTimeout = 60_000;
announce(server);
