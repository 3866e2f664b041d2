/**
 * The few AWS calls of the broker, answered at once and counted, over bare sockets: what this costs is in every time that is measured and is not Cordon's. `GET /counts`
 * tells how many of each, and when the first insert was answered (milliseconds since the epoch, `firstInsertAt`); `POST /counts` starts anew.
 */
import { createServer } from 'node:net';
import { announce } from './announce.ts';

const tenantId = 'bench';
const item = (sk: string, members: object) => ({
  pk: { S: `TENANT#${tenantId}#` },
  sk: { S: sk },
  status: { S: 'active' },
  epoch: { N: '0' },
  version: { N: '1' },
  ...members,
});
const match = { M: { provider: { S: 'openai' }, environment: { S: 'production' } } };
const tenant = item('TENANT', { rulesVersion: { N: '1' }, rules: { L: [{ M: { match, use: { S: 'openai-main' } } }] } });
const credential = item('CREDENTIAL#openai-main', {
  tenantId: { S: tenantId },
  credentialId: { S: 'openai-main' },
  provider: { S: 'openai' },
  environment: { S: 'production' },
  source: { S: 'platform-issued' },
  secretVersionId: { S: 'v1' },
});
const session = {
  tenantId,
  tier: 'pool',
  credentials: {
    accessKeyId: 'ASIABENCH',
    secretAccessKey: 'secret',
    sessionToken: 'token',
    expiresAt: new Date(Date.now() + 900_000).toISOString(),
  },
};

const whole = (value: object): Buffer => {
  const body = JSON.stringify(value);
  return Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
};
const answers: Readonly<Record<string, Buffer>> = {
  BatchGetItem: whole({ Responses: { registry: [tenant, credential] }, UnprocessedKeys: {} }),
  GetItem: whole({ Item: tenant }),
  Query: whole({ Items: [credential], Count: 1 }),
  ExecuteStatement: whole({ Items: [] }),
  GetSecretValue: whole({ SecretString: JSON.stringify({ apiKey: 'sk-bench-0123456789abcdef' }) }),
  Invoke: whole(session),
};

let counts: Record<string, number> = {};

/** @param request its head and body: the broker sends each in one piece, and waits for the answer */
function answer(request: string): Buffer {
  const [, method, path] = /^(\w+) (\S+)/.exec(request) ?? [];
  if (path === '/counts') {
    const told = whole(counts);
    if (method === 'POST') counts = {};
    return told;
  }
  const target = /x-amz-target: \w+\.(\w+)/.exec(request)?.[1] ?? 'Invoke';
  counts[target] = (counts[target] ?? 0) + 1;
  if (target === 'ExecuteStatement') counts['firstInsertAt'] ??= performance.timeOrigin + performance.now();
  const made = answers[target];
  if (made === undefined) throw new Error(`the broker called ${target}`);
  return made;
}
const server = createServer((socket) => {
  let received = '';
  socket.setNoDelay(true).on('error', () => undefined);
  socket.on('data', (piece) => {
    received += piece.toString('latin1');
    for (let end = endOf(received); end > 0 && received.length >= end; end = endOf(received)) {
      socket.write(answer(received.slice(0, end)));
      received = received.slice(end);
    }
  });
});
/** How long the first request is, in bytes; -1 as long as its head is not whole. */
function endOf(received: string): number {
  const head = received.indexOf('\r\n\r\n');
  return head < 0 ? -1 : head + 4 + Number(/^content-length: (\d+)/im.exec(received.slice(0, head))?.[1] ?? 0);
}
announce(server);
