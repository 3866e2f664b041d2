import { type ClientSession, clientCredentials, createClientSession } from './client-session.ts';
import type { Clock } from './clock.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { SessionRequest, TenantSessions } from './tenant-sessions.ts';

/**
 * Keeps what was made from a session (its SDK clients, the stores on them) as long as the session itself, and never for another one:
 * making clients per event costs milliseconds, sharing them between tenants would undo the isolation.
 *
 * @param make called once per session. What it makes its clients with: `inSession(new SomeClient({ credentials }), credentials)`, so that they get a new session
 *   when theirs was cut off
 */
export function createSessionClients<Clients>(deps: {
  sessions: TenantSessions;
  clock: Clock;
  capacity: number;
  make: (credentials: ClientSession, request: SessionRequest) => Clients;
}): (request: SessionRequest) => Promise<Clients> {
  const { sessions, clock } = deps;
  const cache = createExpiringCache<Clients>({ clock, capacity: deps.capacity, marginMs: 0 });
  return async (request) => {
    const session = await sessions(request);
    // An access key belongs to exactly one session.
    return cache.get(session.accessKeyId, async () => {
      const renew = async (askedAt: number) => {
        sessions.forget(request.tenantId, askedAt);
        return clientCredentials(await sessions(request));
      };
      const credentials = createClientSession({ first: clientCredentials(session), renew, clock });
      return { value: deps.make(credentials, request), expiresAt: session.expiresAt };
    });
  };
}
