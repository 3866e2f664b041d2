import type { Socket } from 'node:net';
import { createEgressGuard, type EgressGuard } from '../providers/egress-guard.ts';
import { CordonError } from '../shared/errors.ts';
import type { CheckDatabase } from './check-database.ts';
import { meaningOfAnswer, meaningOfFailure, notPostgres, tooLate } from './database-refusal.ts';
import { codeOf, openDatabaseSocket } from './database-socket.ts';

/** Less than a run of the door has. Milliseconds. */
const defaultTimeoutMs = 8000;
const goodbyeMs = 500;

/**
 * Connects with `pg`, asks for one row and hangs up. Nothing of what `pg` or the server says gets into an error, no cause either: SQLSTATE and the system's own
 * error codes decide.
 *
 * @param options.allowLoopback development only
 * @param options.authorities certificates (PEM) trusted instead of Node's own list
 */
export function createCheckDatabase(options: {
  allowLoopback: boolean;
  guard?: EgressGuard;
  timeoutMs?: number;
  authorities?: string;
}): CheckDatabase {
  const { guard = createEgressGuard({ allowLoopback: options.allowLoopback }), timeoutMs = defaultTimeoutMs, authorities } = options;
  return async (address) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const socket = await openDatabaseSocket(address, { guard, signal, authorities });
    const cutOff = (): void => void socket.destroy();
    signal.addEventListener('abort', cutOff, { once: true });
    // Loaded when the first connection string comes: keys are what is supplied on other days.
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      user: address.user,
      password: address.password.reveal(),
      database: address.database,
      application_name: 'cordon',
      // TLS is there already.
      ssl: false,
      stream: () => connected(socket),
    });
    // The same failure is reported by the call that it interrupts; without a listener it would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query('select 1 as one');
      if (rows[0]?.one !== 1) throw notPostgres();
    } catch (error) {
      if (signal.aborted) throw tooLate();
      if (error instanceof CordonError) throw error;
      throw error instanceof pg.DatabaseError ? meaningOfAnswer(error.code) : meaningOfFailure(codeOf(error));
    } finally {
      signal.removeEventListener('abort', cutOff);
      await hangUp(client, socket);
    }
  };
}

/** `pg` connects its stream itself: this one only says that it is. */
function connected(socket: Socket): Socket {
  socket.connect = () => {
    setImmediate(() => socket.emit('connect'));
    return socket;
  };
  return socket;
}

/** Says goodbye, so that the server frees the connection at once; one that does not close is cut off. */
async function hangUp(client: { end(): Promise<void> }, socket: Socket): Promise<void> {
  if (socket.writable) {
    const timer = setTimeout(() => socket.destroy(), goodbyeMs);
    // However it ends, it is over.
    await client.end().catch(() => undefined);
    clearTimeout(timer);
  }
  socket.destroy();
}
