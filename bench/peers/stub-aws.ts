/**
 * The few AWS calls of the broker, answered at once and counted. `GET /counts` tells how many of each, and when the first insert was answered (milliseconds since the
 * epoch, `firstInsertAt`); `POST /counts` starts anew.
 */
import { createServer } from 'node:http';
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

const answers: Readonly<Record<string, (table: string) => object>> = {
  BatchGetItem: (table) => ({ Responses: { [table]: [tenant, credential] }, UnprocessedKeys: {} }),
  GetItem: () => ({ Item: tenant }),
  Query: () => ({ Items: [credential], Count: 1 }),
  ExecuteStatement: () => ({ Items: [] }),
  GetSecretValue: () => ({ SecretString: JSON.stringify({ apiKey: 'sk-bench-0123456789abcdef' }) }),
  Invoke: () => session,
};

let counts: Record<string, number> = {};
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const send = (value: object): void => {
      const body = Buffer.from(JSON.stringify(value));
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': body.length });
      response.end(body);
    };
    if (request.url === '/counts') {
      send(counts);
      if (request.method === 'POST') counts = {};
      return;
    }
    const target = String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? 'Invoke';
    counts[target] = (counts[target] ?? 0) + 1;
    const [table = ''] = target === 'BatchGetItem' ? Object.keys(JSON.parse(Buffer.concat(chunks).toString()).RequestItems) : [];
    const answer = answers[target];
    if (answer === undefined) throw new Error(`the broker called ${target}`);
    send(answer(table));
    if (target === 'ExecuteStatement') counts['firstInsertAt'] ??= performance.timeOrigin + performance.now();
  });
});
server.keepAliveTimeout = 60_000;
announce(server);
