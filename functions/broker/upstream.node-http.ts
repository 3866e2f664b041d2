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
      headers: { ...headers, host: url.host, ...(hasBody && { 'content-length': body.length }) },
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
        resolve({ status: response.statusCode ?? 502, headers: flat(response.headers), body: readable(response) });
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
function readable(response: http.IncomingMessage): Readable {
  const decoder = decoderOf((response.headers['content-encoding'] ?? 'identity').trim().toLowerCase());
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

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) all[name] = Array.isArray(value) ? value.join(', ') : value;
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
