import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import type { DoorDeps } from './door-deps.ts';
import { createDoorStore } from './door-store.dynamodb.ts';
import type { DoorEnv } from './env.ts';
import { createKeyPairs } from './key-pairs.kms.ts';
import { createVault } from './vault.secrets-manager.ts';

/** Keys are supplied by people: few tenants at a time. */
const capacity = 50;

/** Opens a tenant's data with the credentials of a TenantSupplier session of that tenant; a dedicated tenant's secret is written by its own writer role. */
export function createDoorOpeners(deps: {
  sessions: TenantSessions;
  clock: Clock;
  nextId: NextId;
  env: DoorEnv;
}): Pick<DoorDeps, 'openStores' | 'openVault'> {
  const { sessions, clock, nextId, env } = deps;
  const stores = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) => {
      const client = new DynamoDBClient({ credentials });
      return {
        registry: createRegistry({ client, table: env.REGISTRY_TABLE, clock, nextId }),
        attribution: createAttributionStore(client, env.ATTRIBUTION_TABLE),
        door: createDoorStore({ client, table: env.REGISTRY_TABLE, clock, nextId }),
        keyPairs: createKeyPairs(new KMSClient({ credentials })),
      };
    },
  });
  const vaults = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) => createVault(new SecretsManagerClient({ credentials })),
  });
  return {
    openStores: (tenantId) => stores({ roleArn: env.TENANT_SUPPLIER_ROLE_ARN, tenantId, role: 'shared' }),
    openVault: ({ tenantId, tier, userId }) =>
      tier === 'pool'
        ? vaults({ roleArn: env.TENANT_SUPPLIER_ROLE_ARN, tenantId, userId, role: 'shared' })
        : vaults({ roleArn: `${env.DEDICATED_ROLE_ARN_PREFIX}${tenantId}.writer`, tenantId, userId, role: 'own' }),
  };
}
