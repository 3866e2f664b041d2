/**
 * Run as `node first-call.ts import|call`, in a fresh process: tells its parent when it started to import the bundle (milliseconds since the epoch), and how long the
 * import took, or the import and the first call of its handler.
 */
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const [, , what] = process.argv;
const from = (stream: Writable): Writable => stream;
Object.assign(globalThis, { awslambda: { streamifyResponse: (handler: object) => handler, HttpResponseStream: { from } } });
const event = {
  resource: '/proxy/{provider}/{path+}',
  path: '/proxy/openai/chat/completions',
  httpMethod: 'POST',
  headers: { authorization: 'Bearer a.jwt.of-the-caller', 'content-type': 'application/json' },
  pathParameters: { provider: 'openai' },
  requestContext: {
    requestId: 'request-1',
    authorizer: {
      tenantId: 'bench',
      userId: 'a'.repeat(26),
      issuer: 'i',
      subject: 's',
      exp: String(Math.floor(Date.now() / 1_000) + 3_600),
    },
  },
  body: '{"model":"gpt-5","messages":[]}',
  isBase64Encoded: false,
};

const start = performance.now();
const { handler } = (await import(pathToFileURL(process.env['BUNDLE'] ?? '').href)) as { handler: (...args: object[]) => Promise<void> };
if (what !== 'import') {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  await handler(event, stream, { tenantId: 'bench', getRemainingTimeInMillis: () => 60_000 });
}
process.send?.({ startedAt: performance.timeOrigin + start, ms: performance.now() - start });
process.exit();
