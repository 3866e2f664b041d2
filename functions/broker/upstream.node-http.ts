import type http from 'node:http';
import type { LookupFunction } from 'node:net';
import { pipeline, type Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { CordonError } from '../shared/errors.ts';
import { HttpAgent, HttpsAgent, requestHttp, requestHttps } from '../shared/node-http.ts';
import type { SendUpstream, UpstreamAnswer, UpstreamRequest } from './upstream.ts';

const connectMs = 5000;
const oneWriteBytes = 16 * 1024;
/** A connection unused for this long is not used again: the environment may have been frozen, and nothing may be sent twice to find out whether it still stands. */
const maxIdleMs = 5000;

/**
 * @param lookup resolves to addresses that may be connected to, and to no others
 * @param elapsed milliseconds, monotonic
 */
export function createUpstream({ lookup, elapsed }: { lookup: LookupFunction; elapsed: () => number }): SendUpstream {
  const agents = {
    'http:': new HttpAgent({ keepAlive: true, lookup }),
    'https:': new HttpsAgent({ keepAlive: true, lookup }),
  };
  let lastUsed = elapsed();
  return async (request) => {
    const agent = request.url.protocol === 'http:' ? agents['http:'] : agents['https:'];
    if (elapsed() - lastUsed > maxIdleMs) dropIdle(agent);
    lastUsed = elapsed();
    const answer = await exchange(request, agent);
    lastUsed = elapsed();
    return answer;
  };
}

function dropIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function exchange({ method, url, headers, body, signal, firstByteMs }: UpstreamRequest, agent: http.Agent): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const secure = url.protocol === 'https:';
    const hasBody = body.length > 0 || (method !== 'GET' && method !== 'HEAD');
    const request = (secure ? requestHttps : requestHttp)({
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      method,
      path: `${url.pathname}${url.search}`,
      headers: inOrder({ ...headers, host: url.host, ...(hasBody && { 'content-length': String(body.length) }) }),
      agent,
    });
    const stop = (): void => void request.destroy(asError(signal.reason));
    signal.addEventListener('abort', stop);
    const connecting = setTimeout(() => request.destroy(failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.')), connectMs);
    const waiting = setTimeout(() => request.destroy(failed('UPSTREAM_TIMEOUT', 'The provider did not answer in time.')), firstByteMs);
    let connected = false;
    const isConnected = (): void => {
      connected = true;
      clearTimeout(connecting);
    };
    request.on('socket', (socket) => {
      if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', isConnected);
      else isConnected();
    });
    const settle = (): void => {
      clearTimeout(connecting);
      clearTimeout(waiting);
    };
    request.on('error', (error) => {
      settle();
      signal.removeEventListener('abort', stop);
      reject(translated(error, connected));
    });
    request.on('response', (response) => {
      settle();
      response.once('close', () => signal.removeEventListener('abort', stop));
      try {
        const received = flat(response.rawHeaders);
        resolve({ status: response.statusCode ?? 502, headers: received, body: readable(response, received['content-encoding']) });
      } catch (error) {
        response.destroy();
        reject(asError(error));
      }
    });
    send(request, hasBody ? body : undefined);
  });
}

/** A small body goes out in one write with the headers, which Node.js does for texts; Latin-1 is every byte as it is. */
function send(request: http.ClientRequest, body: Buffer | undefined): void {
  if (body !== undefined && body.length > 0 && body.length <= oneWriteBytes) request.end(body.toString('latin1'), 'latin1');
  else request.end(body);
}

/** The body, uncompressed although it was asked for plain: what is compressed cannot be scrubbed. */
function readable(response: http.IncomingMessage, encoding = 'identity'): Readable {
  const decoder = decoderOf(encoding.trim().toLowerCase());
  if (decoder === undefined) return response;
  // The decoder fails with whatever ends the response too early; whoever reads sees it there.
  pipeline(response, decoder, () => undefined);
  return decoder;
}

function decoderOf(encoding: string): Transform | undefined {
  switch (encoding) {
    case 'identity':
    case '':
      return undefined;
    case 'gzip':
    case 'x-gzip':
    case 'deflate':
      return zlib.createUnzip();
    case 'br':
      return zlib.createBrotliDecompress();
    case 'zstd':
      return zlib.createZstdDecompress();
    default:
      throw failed('UPSTREAM_ENCODING', 'The provider answered in an encoding that cannot be read.');
  }
}

/** Names and values in turn: Node.js writes them as they are, and keeps no map of them. */
function inOrder(headers: Readonly<Record<string, string>>): string[] {
  const list: string[] = [];
  for (const name of Object.keys(headers)) list.push(name, headers[name] ?? '');
  return list;
}

/** Names in lower case; what is there more than once is joined. Node.js has refused what must not be. */
function flat(rawHeaders: readonly string[]): Record<string, string> {
  const all: Record<string, string> = Object.create(null);
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    all[name] = all[name] === undefined ? value : `${all[name]}, ${value}`;
  }
  return all;
}

/** What ended an exchange; a CordonError is a reason of our own. */
function translated(error: unknown, connected: boolean): CordonError {
  if (error instanceof CordonError) return error;
  return connected
    ? failed('UPSTREAM_BROKEN', "The provider's answer broke off.", error)
    : failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.', error);
}

function failed(
  code: 'UPSTREAM_BROKEN' | 'UPSTREAM_ENCODING' | 'UPSTREAM_TIMEOUT' | 'UPSTREAM_UNREACHABLE',
  message: string,
  cause?: unknown,
): CordonError {
  return new CordonError(code, message, { cause });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the exchange was ended');
}
