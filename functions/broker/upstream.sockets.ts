import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { CordonError } from '../shared/errors.ts';
import { createReceivedBody, decoded, type ReceivedBody } from './answer-body.ts';
import type { AnswerBody, SendUpstream, UpstreamAnswer, UpstreamRequest } from './upstream.ts';
import { type Connection, createUpstreamConnections, type UpstreamConnections } from './upstream-connections.ts';

const connectMs = 5000;
const oneWriteBytes = 16 * 1024;

/** Sends over connections of its own: `node:http` costs three times as much per request, which would be a fifth of all that the broker does for a call (ADR 7). */
export function createUpstream(deps: Parameters<typeof createUpstreamConnections>[0]): SendUpstream {
  const connections = createUpstreamConnections(deps);
  return (request) => exchange(request, connections);
}

function exchange(request: UpstreamRequest, connections: UpstreamConnections): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => {
    const { method, url, signal } = request;
    signal.throwIfAborted();
    const sent = textOf(request);
    let received: ReceivedBody | undefined;
    let over = false;
    let connected = false;
    let connecting: NodeJS.Timeout | undefined;

    /** Ends the exchange for good, and the connection with it: something of it may still come. */
    const fail = (error: Error): void => {
      if (over) return;
      over = true;
      clearTimeout(connecting);
      connection.socket.destroy();
      if (received === undefined) reject(error);
      else received.fail(error);
    };
    let stop = fail;
    let keep = false;
    const connection: Connection = connections.use(url, method, {
      connected() {
        connected = true;
        clearTimeout(connecting);
      },
      head({ status, headers, keepAlive }) {
        keep = keepAlive;
        const { socket } = connection;
        received = createReceivedBody({ pause: () => socket.pause(), resume: () => socket.resume(), stop: fail });
        try {
          const body = uncompressed(received, headers['content-encoding']);
          ({ stop } = body);
          resolve({ status, headers, body });
        } catch (error) {
          received = undefined;
          fail(asError(error));
        }
      },
      piece: (bytes) => received?.push(bytes),
      end() {
        if (over) return;
        over = true;
        // An answer that came before all of the request had been sent is the last one on its connection.
        if (keep && connection.socket.writableLength === 0) connection.release();
        else connection.socket.destroy();
        received?.end();
      },
      ended: (error) => fail(translated(error, connected)),
    });
    connected = !connection.fresh;
    if (connection.fresh)
      connecting = setTimeout(() => fail(failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.')), connectMs);
    signal.addEventListener('abort', () => stop(asError(signal.reason)));
    send(connection, sent, request.body);
  });
}

/** A small body goes out in one write with the head; Latin-1 is every byte as it is. */
function send({ socket }: Connection, head: string, body: Buffer): void {
  if (body.length <= oneWriteBytes) socket.write(head + body.toString('latin1'), 'latin1');
  else {
    socket.write(head, 'latin1');
    socket.write(body);
  }
}

/** The head of the request. What would make it another request than the one that was meant is not sent. */
function textOf({ method, url, headers, body }: UpstreamRequest): string {
  if (!/^[A-Z]{1,32}$/.test(method)) throw failed('CALL_INVALID', 'The method of the call is none.');
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
  for (const name of Object.keys(headers)) {
    if (name === 'host' || name === 'content-length') continue;
    const value = headers[name] ?? '';
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw failed('CALL_INVALID', 'A header of the call cannot be passed on.');
    head += `${name}: ${value}\r\n`;
  }
  if (body.length > 0 || (method !== 'GET' && method !== 'HEAD')) head += `content-length: ${body.length}\r\n`;
  return `${head}\r\n`;
}

/** The body as it is without its encoding, although it was asked for without: what is compressed cannot be scrubbed. */
function uncompressed(body: AnswerBody, encoding = 'identity'): AnswerBody {
  const decoder = decoderOf(encoding.trim().toLowerCase());
  return decoder === undefined ? body : decoded(body, decoder);
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

/** What ended an exchange; a CordonError is a reason of our own. */
function translated(error: unknown, connected: boolean): CordonError {
  if (error instanceof CordonError) return error;
  return connected
    ? failed('UPSTREAM_BROKEN', "The provider's answer broke off.", error)
    : failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.', error);
}

function failed(
  code: 'CALL_INVALID' | 'UPSTREAM_BROKEN' | 'UPSTREAM_ENCODING' | 'UPSTREAM_UNREACHABLE',
  message: string,
  cause?: unknown,
): CordonError {
  return new CordonError(code, message, { cause });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the exchange was ended');
}
