import type { Clock } from './clock.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { SessionCredentials, SessionRequest, TenantSessions } from './tenant-sessions.ts';

/** What an SDK client takes as its credentials. */
export interface ClientCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export function clientCredentials(session: SessionCredentials): ClientCredentials {
  return {
    accessKeyId: session.accessKeyId,
    secretAccessKey: session.secretAccessKey.reveal(),
    sessionToken: session.sessionToken.reveal(),
  };
}

/**
 * Keeps what was made from a session (its SDK clients, the stores on them) as long as the session itself, and never for another one:
 * making clients per event costs milliseconds, sharing them between tenants would undo the isolation.
 *
 * @param make called with the session's credentials, once per session
 */
export function createSessionClients<Clients>(deps: {
  sessions: TenantSessions;
  clock: Clock;
  capacity: number;
  make: (credentials: ClientCredentials, request: SessionRequest) => Clients;
}): (request: SessionRequest) => Promise<Clients> {
  const cache = createExpiringCache<Clients>({ clock: deps.clock, capacity: deps.capacity, marginMs: 0 });
  return async (request) => {
    const session = await deps.sessions(request);
    // An access key belongs to exactly one session.
    return cache.get(session.accessKeyId, async () => ({
      value: deps.make(clientCredentials(session), request),
      expiresAt: session.expiresAt,
    }));
  };
}
