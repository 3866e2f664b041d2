import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { createDoorStore } from '../../credentials/door-store.dynamodb.ts';
import { inSession } from '../../shared/client-session.ts';
import type { Clock, NextId } from '../../shared/clock.ts';
import { createTokenClients } from '../../shared/token-clients.ts';
import { createRegistry } from '../../tenants/registry.dynamodb.ts';
import { createVerificationReader } from '../verify/verification-store.dynamodb.ts';
import type { ResultsEnv } from './env.ts';
import type { OpenTenant, TenantView } from './tenant-view.ts';

/** Tenants whose clients are kept. */
const capacity = 50;

/** Opens a tenant's data in a session that `sessions` mints for the caller's token: this function has no way of its own to any tenant's. */
export function createOpenTenant(deps: { lambda: LambdaClient; clock: Clock; nextId: NextId; env: ResultsEnv }): OpenTenant {
  const { lambda, clock, nextId, env } = deps;
  const open = createTokenClients({
    ...{ lambda, clock, capacity, sessionsFunctionName: env.SESSIONS_FUNCTION_NAME },
    make: (credentials, tenantId): TenantView => {
      const client = inSession(new DynamoDBClient({ credentials }), credentials);
      const items = { client, table: env.REGISTRY_TABLE, clock, nextId };
      const door = createDoorStore(items);
      return {
        runs: createVerificationReader({ client, table: env.ISOLATION_TABLE }),
        registry: createRegistry(items),
        isRevoked: (by) => door.isRevoked(tenantId, by),
      };
    },
  });
  return async (token) => {
    const { tenantId, userId, clients: view } = await open(token);
    return { tenantId, userId, view };
  };
}
