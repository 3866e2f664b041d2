/**
 * Run as `node first-call.ts import|broker|sdk`, in a fresh process: tells its parent the milliseconds from before the bundle's import to its end, to the end of the
 * broker's whole first call (session, gate, rules, secret, intent, provider, outcome), or to the end of one insert.
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
process.send?.({ ms: performance.now() - start });
process.exit();
