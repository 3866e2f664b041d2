import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { EgressGuard } from '../providers/egress-guard.ts';
import { CordonError } from '../shared/errors.ts';
import type { DatabaseAddress } from './connection-string.ts';
import { databaseRefuses, databaseUnavailable, meaningOfFailure, notPostgres, tooLate } from './database-refusal.ts';

/** A greeting and one row fit many times; a server that sends more is none, and would fill this function's memory. */
const maxAnswerBytes = 256 * 1024;

/** SSLRequest. Source: PostgreSQL documentation, "Message Formats". */
const sslRequest = Buffer.from('0000000804d2162f', 'hex');

/**
 * Opens a connection, with TLS when the address asks for it: the name is resolved once, by the egress guard, and what is called is an address that was checked.
 *
 * TLS is asked for here and not by the client library, so that what the server says is seen by `shielded` before the library reads it.
 *
 * @param signal ends the attempt, and the connection whenever it comes
 * @param authorities certificates (PEM) trusted instead of Node's own list
 * @throws CordonError KEY_REFUSED | DATABASE_UNAVAILABLE
 */
export async function openDatabaseSocket(
  address: DatabaseAddress,
  options: { guard: EgressGuard; signal: AbortSignal; authorities: string | undefined },
): Promise<Socket> {
  const { guard, signal, authorities } = options;
  const { host, port } = address;
  const ip = await unlessAborted(signal, checkedAddress(guard, host));
  const plain = connect({ host: ip, port, signal });
  try {
    await opened(plain, 'connect');
    if (!address.secure) return shielded(plain);
    plain.write(sslRequest);
    // Exactly one byte: more would be somebody's words in plain text, taken for the server's after the handshake (CVE-2021-23222).
    const answer = await firstBytes(plain);
    if (answer === 'N') throw databaseRefuses('the server does not offer TLS');
    if (answer !== 'S') throw databaseRefuses('the server does not speak PostgreSQL over TLS');
    // The certificate has to be of the name, not of the address that is called. A name only is sent along (RFC 6066, section 3).
    const secure = connectTls({ socket: plain, host, ...(isIP(host) === 0 && { servername: host }), ca: authorities });
    await opened(secure, 'secureConnect');
    return shielded(secure);
  } catch (error) {
    plain.destroy();
    if (signal.aborted) throw tooLate();
    throw error instanceof CordonError ? error : meaningOfFailure(codeOf(error));
  }
}

/** One address of a host all of whose addresses may be called; IPv4 first, because a function outside a VPC has no other. */
function checkedAddress(guard: EgressGuard, host: string): Promise<string> {
  const unresolved = 'its host name could not be resolved';
  return new Promise((resolve, reject) => {
    guard.lookup(host, { all: true }, (error, found) => {
      if (error instanceof CordonError) return reject(databaseRefuses('its host has an address that is not public, or none'));
      if (error !== null || typeof found === 'string') return reject(databaseUnavailable(unresolved));
      const best = found.find(({ family }) => family === 4) ?? found[0];
      if (best === undefined) return reject(databaseUnavailable(unresolved));
      resolve(best.address);
    });
  });
}

function unlessAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(tooLate());
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once('close', () => reject(meaningOfFailure(undefined)));
    // Stays: an error that nobody listens to would end the process.
    socket.on('error', reject);
  });
}

function firstBytes(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk) => {
      socket.pause();
      resolve(chunk.toString('latin1'));
    });
    socket.once('close', () => reject(meaningOfFailure(undefined)));
    socket.once('error', reject);
  });
}

/**
 * What listens to the connection cannot throw past it: `pg` does when a server's bytes are no message, and an error out of an event ends the process, for whomever it
 * works. It also reads no more than a PostgreSQL server would say.
 */
function shielded(socket: Socket): Socket {
  const emit: (event: string, ...values: unknown[]) => boolean = socket.emit.bind(socket);
  let received = 0;
  socket.emit = (event: string, ...values: unknown[]): boolean => {
    const [chunk] = values;
    if (event === 'data' && chunk instanceof Uint8Array) {
      received += chunk.length;
      if (received > maxAnswerBytes) {
        socket.destroy(notPostgres());
        return true;
      }
    }
    try {
      return emit(event, ...values);
    } catch {
      // The error quotes what was read.
      socket.destroy(notPostgres());
      return true;
    }
  };
  return socket;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
