import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock } from '../shared/clock.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import { sessionFromToken } from '../shared/session-from-token.ts';
import { createAttributionPages } from './attribution-pages.dynamodb.ts';
import type { AttributionPages, OpenPages } from './attribution-pages.ts';
import type { EvidenceEnv } from './env.ts';

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens the log in a session that `sessions` mints for the caller's token: this function has no way to any tenant's entries of its own. */
export function createOpenPages(deps: { lambda: LambdaClient; clock: Clock; env: EvidenceEnv }): OpenPages {
  const { lambda, clock, env } = deps;
  // By access key, which belongs to exactly one session; the token is shown to `sessions` each time.
  const kept = createExpiringCache<AttributionPages>({ clock, capacity, marginMs: 0 });
  return async (token) => {
    const { tenantId, credentials, expiresAt } = await sessionFromToken(lambda, env.SESSIONS_FUNCTION_NAME, token);
    const pages = await kept.get(credentials.accessKeyId, async () => ({
      value: createAttributionPages(new DynamoDBClient({ credentials }), env.ATTRIBUTION_TABLE),
      expiresAt,
    }));
    return { tenantId, pages };
  };
}
