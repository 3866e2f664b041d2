import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import type { DoorDeps } from './door-deps.ts';
import { createDoorStore } from './door-store.dynamodb.ts';
import type { DoorEnv } from './env.ts';
import { createKeyPairs } from './key-pairs.kms.ts';
import { createVaultOpener } from './open-vault.aws.ts';

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
      const client = inSession(new DynamoDBClient({ credentials }), credentials);
      return {
        registry: createRegistry({ client, table: env.REGISTRY_TABLE, clock, nextId }),
        attribution: createAttributionStore(client, env.ATTRIBUTION_TABLE),
        door: createDoorStore({ client, table: env.REGISTRY_TABLE, clock, nextId }),
        keyPairs: createKeyPairs(inSession(new KMSClient({ credentials }), credentials)),
      };
    },
  });
  return {
    openStores: (tenantId) => stores({ roleArn: env.TENANT_SUPPLIER_ROLE_ARN, tenantId, role: 'shared' }),
    openVault: createVaultOpener({
      sessions,
      clock,
      capacity,
      poolRoleArn: env.TENANT_SUPPLIER_ROLE_ARN,
      dedicatedRoleArnPrefix: env.DEDICATED_ROLE_ARN_PREFIX,
    }),
  };
}
