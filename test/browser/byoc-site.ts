import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { ConnectionsHandler } from '../../functions/connections/serve-connections.handler.ts';
import { sealAlgorithm } from '../../functions/credentials/seal-secret.ts';
import { pageScript } from '../../infra/browser-script.ts';
import { type ConnectionsWorld, createConnectionsWorld } from '../support/connections-world.ts';

/** One answer of the door instead of taking the key. */
export interface DoorRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export interface Site {
  readonly world: ConnectionsWorld;
  /** Of the page, without a token. */
  readonly address: string;
  /** What came out of each ciphertext that was taken. */
  readonly supplied: { readonly credentialId: string; readonly content: unknown }[];
  /** Answers that the door gives next, before it takes anything. */
  readonly refusals: DoorRefusal[];
  close(): Promise<void>;
}

/** The page and its API on a port of their own: the real handler over data in memory, and a door that opens what it is handed. */
export async function openSite(base: string): Promise<Site> {
  const world = createConnectionsWorld(pageScript());
  const pair = await generateKeyPair(sealAlgorithm, { crv: 'P-256' });
  const publicKey = { ...(await exportJWK(pair.publicKey)), kid: `2026-11.${'k'.repeat(43)}`, alg: sealAlgorithm, use: 'enc' };
  const supplied: Site['supplied'] = [];
  const refusals: DoorRefusal[] = [];

  async function answer(method: string, path: string, request: IncomingMessage): Promise<APIGatewayProxyResult> {
    const body = await bodyOf(request);
    if (path === '/credentials/public-key') return json(200, publicKeyAnswer(publicKey));
    const credentialId = /^\/credentials\/([^/]+)\/secret$/.exec(path)?.[1];
    if (credentialId === undefined) return serve(world.handler, method, path, body, request);
    const refusal = refusals.shift();
    if (refusal) return json(refusal.status, { error: { code: refusal.code, message: refusal.message, requestId: 'r-9' } });
    const { plaintext } = await compactDecrypt(JSON.parse(body).jwe, pair.privateKey);
    supplied.push({ credentialId, content: JSON.parse(new TextDecoder().decode(plaintext)) });
    return json(200, { credentialId, provider: 'openai', environment: 'production', status: 'active', version: 'v1' });
  }

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://site').pathname;
    const served = path.startsWith(base) ? answer(request.method ?? '', path.slice(base.length), request) : Promise.resolve(json(404, {}));
    served.then(
      ({ statusCode, headers, body }) => response.writeHead(statusCode, headers as Record<string, string>).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { world, address: `http://127.0.0.1:${portOf(server)}${base}/byoc`, supplied, refusals, close: () => closed(server) };
}

function serve(
  handler: ConnectionsHandler,
  method: string,
  path: string,
  body: string,
  { headers }: IncomingMessage,
): Promise<APIGatewayProxyResult> {
  const accountId = /^\/connections\/([^/]+)$/.exec(path)?.[1];
  return handler({
    httpMethod: method,
    resource: accountId === undefined ? path.replace(/(?<=.)\/$/, '') : '/connections/{accountId}',
    path,
    headers: { authorization: headers.authorization },
    pathParameters: accountId === undefined ? null : { accountId },
    // As API Gateway hands bodies over where all media types are binary.
    body: Buffer.from(body).toString('base64'),
    isBase64Encoded: true,
    requestContext: { requestId: 'r-1' },
  });
}

function publicKeyAnswer(publicKey: JWK): object {
  return { keys: [publicKey], nonce: { value: 'n'.repeat(32), expiresAt: '2026-11-21T12:10:00.000Z' } };
}

function json(statusCode: number, body: object): APIGatewayProxyResult {
  return { statusCode, headers: { 'content-type': 'application/json', 'retry-after': '1' }, body: JSON.stringify(body) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the site has no port');
  return address.port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
