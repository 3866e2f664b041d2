/** Kept connections to providers, one exchange at a time on each. What comes on one that nobody uses, or its end, is the end of it. */
import net from 'node:net';
import tls from 'node:tls';
import { CordonError } from '../shared/errors.ts';
import { type AnswerSink, createHttpAnswer, type HttpAnswer } from '../shared/http-answer.ts';
import { type Reading, readInto } from '../shared/socket-reading.ts';

/** Who uses a connection at the moment. After `ended` nothing is called any more. */
export interface ConnectionUser extends AnswerSink {
  /** The provider has taken the connection, and over TLS has proven its name. Not called on a kept one. */
  connected(): void;
  /** Nothing more comes, whatever the reason. A CordonError says that what came is no answer. */
  ended(error: Error): void;
}

export interface Connection {
  readonly socket: net.Socket;
  /** Whether it was opened for this exchange. */
  readonly fresh: boolean;
  /** Keeps it for the next exchange. */
  release(): void;
}

export interface UpstreamConnections {
  /** @param method of the request that is going to be sent */
  use(url: URL, method: string, user: ConnectionUser): Connection;
}

interface Kept {
  readonly socket: net.Socket;
  readonly answer: HttpAnswer;
  user: ConnectionUser | undefined;
  idleSince: number;
}

/** A connection unused for this long, in milliseconds, is not used again: the environment may have been frozen, and nothing may be sent twice to find out whether it still stands. */
const maxIdleMs = 5000;

/**
 * @param lookup resolves to addresses that may be connected to, and to no others
 * @param elapsed milliseconds, monotonic
 * @param ca trusted instead of the public authorities: for tests
 */
export function createUpstreamConnections(deps: {
  readonly lookup: net.LookupFunction;
  readonly elapsed: () => number;
  readonly ca?: string;
}): UpstreamConnections {
  const { lookup, elapsed, ca } = deps;
  const idle = new Map<string, Kept[]>();
  const sessions = new Map<string, Buffer>();

  function connect({ protocol, hostname, port, origin }: URL, reading: Reading): net.Socket {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol === 'http:') return net.connect({ ...reading, host, port: port === '' ? 80 : Number(port), lookup });
    const session = sessions.get(origin);
    const socket = tls.connect({
      ...reading,
      host,
      port: port === '' ? 443 : Number(port),
      lookup,
      ALPNProtocols: ['http/1.1'],
      ...(net.isIP(host) === 0 && { servername: host }),
      ...(session && { session }),
      ...(ca !== undefined && { ca }),
    });
    socket.on('session', (ticket) => sessions.set(origin, ticket));
    return socket;
  }

  function open(url: URL): Kept {
    const end = (error: Error): void => {
      const { user } = kept;
      kept.user = undefined;
      forget(url.origin, kept);
      user?.ended(error);
    };
    const received = (bytes: Buffer): void => {
      // Nothing was asked: whatever it is, it answers nothing that will be asked.
      if (kept.user === undefined) return void socket.destroy();
      try {
        answer.push(bytes);
      } catch (cause) {
        // Whole or not, nothing on this connection can be relied on.
        socket.destroy();
        end(new CordonError('UPSTREAM_BROKEN', "The provider's answer cannot be read.", { cause }));
      }
    };
    const socket = connect(url, readInto(received));
    socket.setNoDelay(true);
    const answer = createHttpAnswer({
      head: (head) => kept.user?.head(head),
      piece: (bytes) => kept.user?.piece(bytes),
      end: () => kept.user?.end(),
    });
    const kept: Kept = { socket, answer, user: undefined, idleSince: 0 };
    socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => kept.user?.connected());
    socket.on('end', () => {
      try {
        if (kept.user !== undefined) answer.closed();
      } catch {
        end(new Error('the connection was closed in the middle of the answer'));
      }
    });
    socket.on('error', end);
    socket.on('close', () => end(new Error('the connection was closed')));
    return kept;
  }

  function forget(origin: string, kept: Kept): void {
    const list = idle.get(origin);
    const at = list?.indexOf(kept) ?? -1;
    if (at >= 0) list?.splice(at, 1);
  }

  /** The one that was used last, if it may still stand. */
  function takeKept(origin: string): Kept | undefined {
    const list = idle.get(origin);
    for (let kept = list?.pop(); kept !== undefined; kept = list?.pop()) {
      if (elapsed() - kept.idleSince <= maxIdleMs && !kept.socket.destroyed) return kept;
      kept.socket.destroy();
    }
    return undefined;
  }

  return {
    use(url, method, user) {
      const found = takeKept(url.origin);
      const kept = found ?? open(url);
      kept.user = user;
      kept.answer.begin(method);
      kept.socket.ref();
      return {
        socket: kept.socket,
        fresh: found === undefined,
        release() {
          kept.user = undefined;
          if (kept.socket.destroyed) return;
          kept.idleSince = elapsed();
          // Nothing waits for it, and what comes on it has to be noticed.
          kept.socket.unref();
          if (kept.socket.isPaused()) kept.socket.resume();
          const list = idle.get(url.origin);
          if (list === undefined) idle.set(url.origin, [kept]);
          else list.push(kept);
        },
      };
    },
  };
}
