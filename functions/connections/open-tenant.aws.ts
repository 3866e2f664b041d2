import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { Clock, NextId } from '../shared/clock.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import { sessionFromToken } from '../shared/session-from-token.ts';
import type { ConnectionsEnv } from './env.ts';
import { createTenantView } from './tenant-view.dynamodb.ts';
import type { OpenTenant, TenantView } from './tenant-view.ts';

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens a tenant's data in a session that `sessions` mints for the caller's token: this function has no way of its own to any tenant's. */
export function createOpenTenant(deps: { lambda: LambdaClient; clock: Clock; nextId: NextId; env: ConnectionsEnv }): OpenTenant {
  const { lambda, clock, nextId, env } = deps;
  // By access key, which belongs to exactly one session; the token is shown to `sessions` each time.
  const kept = createExpiringCache<TenantView>({ clock, capacity, marginMs: 0 });
  return async (token) => {
    const { tenantId, userId, credentials, expiresAt } = await sessionFromToken(lambda, env.SESSIONS_FUNCTION_NAME, token);
    const view = await kept.get(credentials.accessKeyId, async () => {
      const client = new DynamoDBClient({ credentials });
      const tables = { registryTable: env.REGISTRY_TABLE, attributionTable: env.ATTRIBUTION_TABLE };
      return { value: createTenantView({ client, ...tables, clock, nextId }, tenantId), expiresAt };
    });
    return { tenantId, userId, view };
  };
}
