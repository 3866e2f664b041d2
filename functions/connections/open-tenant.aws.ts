import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createTokenClients } from '../shared/token-clients.ts';
import type { ConnectionsEnv } from './env.ts';
import { createTenantView } from './tenant-view.dynamodb.ts';
import type { OpenTenant } from './tenant-view.ts';

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens a tenant's data in a session that `sessions` mints for the caller's token: this function has no way of its own to any tenant's. */
export function createOpenTenant(deps: { lambda: LambdaClient; clock: Clock; nextId: NextId; env: ConnectionsEnv }): OpenTenant {
  const { lambda, clock, nextId, env } = deps;
  const open = createTokenClients({
    ...{ lambda, clock, capacity, sessionsFunctionName: env.SESSIONS_FUNCTION_NAME },
    make: (credentials, tenantId) => {
      const client = inSession(new DynamoDBClient({ credentials }), credentials);
      const tables = { registryTable: env.REGISTRY_TABLE, attributionTable: env.ATTRIBUTION_TABLE };
      return createTenantView({ client, ...tables, clock, nextId }, tenantId);
    },
  });
  return async (token) => {
    const { tenantId, userId, clients: view } = await open(token);
    return { tenantId, userId, view };
  };
}
