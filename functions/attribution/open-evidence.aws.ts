import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { inSession } from '../shared/client-session.ts';
import type { Clock } from '../shared/clock.ts';
import { createTokenClients } from '../shared/token-clients.ts';
import { createAttributionPages } from './attribution-pages.dynamodb.ts';
import type { OpenPages } from './attribution-pages.ts';
import type { EvidenceEnv } from './env.ts';

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens the log in a session that `sessions` mints for the caller's token: this function has no way to any tenant's entries of its own. */
export function createOpenPages(deps: { lambda: LambdaClient; clock: Clock; env: EvidenceEnv }): OpenPages {
  const { lambda, clock, env } = deps;
  const open = createTokenClients({
    ...{ lambda, clock, capacity, sessionsFunctionName: env.SESSIONS_FUNCTION_NAME },
    make: (credentials) => createAttributionPages(inSession(new DynamoDBClient({ credentials }), credentials), env.ATTRIBUTION_TABLE),
  });
  return async (token) => {
    const { tenantId, clients: pages } = await open(token);
    return { tenantId, pages };
  };
}
