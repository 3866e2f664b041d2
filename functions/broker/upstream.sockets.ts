import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { CordonError } from '../shared/errors.ts';
import { createHttpAnswer } from '../shared/http-answer.ts';
import type { SendUpstream, UpstreamAnswer, UpstreamRequest } from './upstream.ts';
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
    const { method, url, signal, firstByteMs } = request;
    signal.throwIfAborted();
    const sent = textOf(request);
    let body: Readable | undefined;
    let over = false;
    let connected = false;
    let connecting: NodeJS.Timeout | undefined;

    /** Ends the exchange for good, and the connection with it: something of it may still come. */
    const fail = (error: Error): void => {
      if (over) return;
      settle();
      connection.socket.destroy();
      if (body === undefined) reject(error);
      else body.destroy(error);
    };
    const settle = (): void => {
      over = true;
      clearTimeout(connecting);
      clearTimeout(waiting);
      signal.removeEventListener('abort', stop);
    };
    const stop = (): void => fail(asError(signal.reason));

    let keep = false;
    const answer = createHttpAnswer(method, {
      head({ status, headers, keepAlive }) {
        clearTimeout(waiting);
        keep = keepAlive;
        body = new Readable({
          read: () => void connection.socket.resume(),
          destroy(error, done) {
            // Whoever stops reading before the end ends the exchange.
            if (!over) fail(error ?? new Error('the answer was not read to its end'));
            done(error);
          },
        });
        try {
          resolve({ status, headers, body: readable(body, headers['content-encoding']) });
        } catch (error) {
          body = undefined;
          fail(asError(error));
        }
      },
      piece(bytes) {
        if (!over && body?.push(bytes) === false) connection.socket.pause();
      },
      end() {
        if (over) return;
        settle();
        // An answer that came before all of the request had been sent is the last one on its connection.
        if (keep && connection.socket.writableLength === 0) connection.release();
        else connection.socket.destroy();
        body?.push(null);
      },
    });
    const connection: Connection = connections.use(url, {
      connected() {
        connected = true;
        clearTimeout(connecting);
      },
      data(piece) {
        try {
          answer.push(piece);
        } catch (error) {
          // Whole or not, nothing on this connection can be relied on.
          connection.socket.destroy();
          fail(failed('UPSTREAM_BROKEN', "The provider's answer cannot be read.", error));
        }
      },
      closed() {
        try {
          answer.closed();
        } catch (error) {
          fail(translated(error, connected));
        }
      },
      ended: (error) => fail(translated(error, connected)),
    });
    connected = !connection.fresh;
    if (connection.fresh)
      connecting = setTimeout(() => fail(failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.')), connectMs);
    const waiting = setTimeout(() => fail(failed('UPSTREAM_TIMEOUT', 'The provider did not answer in time.')), firstByteMs);
    signal.addEventListener('abort', stop);
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

/** The body, uncompressed although it was asked for plain: what is compressed cannot be scrubbed. */
function readable(body: Readable, encoding = 'identity'): Readable {
  const decoder = decoderOf(encoding.trim().toLowerCase());
  if (decoder === undefined) return body;
  // The decoder fails with whatever ends the response too early; whoever reads sees it there.
  pipeline(body, decoder, () => undefined);
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

/** What ended an exchange; a CordonError is a reason of our own. */
function translated(error: unknown, connected: boolean): CordonError {
  if (error instanceof CordonError) return error;
  return connected
    ? failed('UPSTREAM_BROKEN', "The provider's answer broke off.", error)
    : failed('UPSTREAM_UNREACHABLE', 'The provider could not be reached.', error);
}

function failed(
  code: 'CALL_INVALID' | 'UPSTREAM_BROKEN' | 'UPSTREAM_ENCODING' | 'UPSTREAM_TIMEOUT' | 'UPSTREAM_UNREACHABLE',
  message: string,
  cause?: unknown,
): CordonError {
  return new CordonError(code, message, { cause });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('the exchange was ended');
}
