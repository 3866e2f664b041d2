import type { LambdaClient } from '@aws-sdk/client-lambda';
import { type ClientSession, createClientSession } from './client-session.ts';
import type { Clock } from './clock.ts';
import { CordonError } from './errors.ts';
import { createExpiringCache } from './expiring-cache.ts';
import type { TenantId, UserId } from './identifiers.ts';
import { sessionFromToken } from './session-from-token.ts';

/** What was made from the session that a token opened. */
export interface OpenedByToken<Clients> {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly clients: Clients;
}

/**
 * Opens a tenant's data in a session that `sessions` mints for the caller's token, for functions that have no way of their own to any tenant's. The token is shown to
 * `sessions` each time; what was made from a session is kept as long as the session, and never for another one.
 *
 * @param deps.capacity sessions whose clients are kept
 * @param deps.make called once per session; as for `createSessionClients`
 * @returns rejects as `sessionFromToken` does
 */
export function createTokenClients<Clients>(deps: {
  lambda: LambdaClient;
  sessionsFunctionName: string;
  clock: Clock;
  capacity: number;
  make: (credentials: ClientSession, tenantId: TenantId) => Clients;
}): (token: string) => Promise<OpenedByToken<Clients>> {
  const { lambda, sessionsFunctionName, clock } = deps;
  const kept = createExpiringCache<{ readonly clients: Clients; readonly latest: { token: string } }>({
    clock,
    capacity: deps.capacity,
    marginMs: 0,
  });
  return async (token) => {
    const { tenantId, userId, credentials, expiresAt } = await sessionFromToken(lambda, sessionsFunctionName, token);
    // By access key, which belongs to exactly one session.
    const found = await kept.get(credentials.accessKeyId, async () => {
      const latest = { token };
      const renew = async () => {
        const again = await sessionFromToken(lambda, sessionsFunctionName, latest.token, { fresh: true });
        if (again.tenantId !== tenantId) throw new CordonError('TOKEN_REFUSED', 'the session is of another tenant than before');
        return again.credentials;
      };
      return { value: { clients: deps.make(createClientSession({ first: credentials, renew, clock }), tenantId), latest }, expiresAt };
    });
    // A session is the tenant's, whoever of it asks: it is renewed by the token of the call that is under way, which is good still.
    found.latest.token = token;
    return { tenantId, userId, clients: found.clients };
  };
}
