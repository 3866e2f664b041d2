/**
 * Kept connections to one host, one request at a time on each. `node:http` costs twice as much per request, which is most of what the broker does for a call; a
 * client library costs more to load than the broker has time for.
 */
import net from 'node:net';
import tls from 'node:tls';
import { type AnswerReader, type AwsAnswer, createAnswerReader } from './aws-signed-answer.ts';
import { type Reading, readInto } from './socket-reading.ts';

export interface Connections {
  /**
   * Sends a request and waits for its answer. A request on a kept connection that was closed before anything came back is sent once more: whoever asks must be able to
   * bear that it is carried out twice.
   *
   * @param request head and body, ASCII
   * @throws Error without status: `TimeoutError`, or what the connection failed with
   */
  exchange(request: string, timeoutMs: number): Promise<AwsAnswer>;
}

interface Connection {
  readonly socket: net.Socket;
  readonly reader: AnswerReader;
  exchange: Exchange | undefined;
}

interface Exchange {
  settle(error: Error | undefined, answer?: AwsAnswer): void;
}

export function createConnections(at: { readonly host: string; readonly port: number; readonly secure: boolean }): Connections {
  const idle: Connection[] = [];
  let session: Buffer | undefined;

  function connect(reading: Reading): net.Socket {
    if (!at.secure) return net.connect({ ...reading, host: at.host, port: at.port });
    const socket = tls.connect({
      ...reading,
      host: at.host,
      port: at.port,
      ...(net.isIP(at.host) === 0 && { servername: at.host }),
      ALPNProtocols: ['http/1.1'],
      ...(session && { session }),
    });
    socket.on('session', (ticket) => {
      session = ticket;
    });
    return socket;
  }

  function open(): Connection {
    const socket = connect(readInto((piece) => received(connection, piece)));
    socket.setNoDelay(true);
    const connection: Connection = { socket, reader: createAnswerReader(), exchange: undefined };
    socket.on('error', (error) => ended(connection, error));
    socket.on('close', () => ended(connection, Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
    return connection;
  }

  function received(connection: Connection, piece: Buffer): void {
    const { exchange, reader, socket } = connection;
    // Nothing was asked: whatever it is, it answers nothing that will be asked.
    if (exchange === undefined) return void socket.destroy();
    try {
      const whole = reader.push(piece);
      if (whole === undefined) return;
      connection.exchange = undefined;
      if (whole.keepAlive) {
        socket.unref();
        idle.push(connection);
      } else socket.destroy();
      exchange.settle(undefined, whole.answer);
    } catch (error) {
      ended(connection, error instanceof Error ? error : new Error('the answer could not be read'));
      socket.destroy();
    }
  }

  function ended(connection: Connection, error: Error): void {
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
    const { exchange } = connection;
    connection.exchange = undefined;
    exchange?.settle(error);
  }

  return {
    exchange: (request, timeoutMs) =>
      new Promise((resolve, reject) => {
        let current: Connection;
        const timer = setTimeout(() => {
          ended(current, Object.assign(new Error(`no answer came within ${timeoutMs} ms`), { name: 'TimeoutError' }));
          current.socket.destroy();
        }, timeoutMs);
        const attempt = (kept: Connection | undefined): void => {
          const connection = kept ?? open();
          const { reader } = connection;
          current = connection;
          reader.begin();
          connection.exchange = {
            settle(error, answer) {
              const closed = error !== undefined && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
              if (closed && kept !== undefined && reader.empty) return attempt(undefined);
              clearTimeout(timer);
              if (answer === undefined) reject(error ?? new Error('no answer came'));
              else resolve(answer);
            },
          };
          connection.socket.ref();
          connection.socket.write(request, 'latin1');
        };
        attempt(idle.pop());
      }),
  };
}
