import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import type { ByocDeps } from './byoc-deps.ts';
import { createConnectionStore } from './connection-store.dynamodb.ts';
import type { ByocEnv } from './env.ts';

/** Tenants whose clients are kept: a run handles ten messages, so this is many runs' worth. */
const capacity = 200;

/** Opens a tenant's data with the credentials of a TenantWriter session of that tenant; the function's own role can reach none of it. */
export function createOpenStores(deps: { sessions: TenantSessions; clock: Clock; nextId: NextId; env: ByocEnv }): ByocDeps['openStores'] {
  const { sessions, clock, nextId, env } = deps;
  const stores = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) => {
      const items = { client: inSession(new DynamoDBClient({ credentials }), credentials), table: env.REGISTRY_TABLE, clock, nextId };
      return {
        registry: createRegistry(items),
        connections: createConnectionStore(items),
        attribution: createAttributionStore(items.client, env.ATTRIBUTION_TABLE),
      };
    },
  });
  return (tenantId) => stores({ roleArn: env.TENANT_WRITER_ROLE_ARN, tenantId, role: 'shared' });
}
