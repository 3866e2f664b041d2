import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import { createVersionUses } from '../attribution/version-uses.dynamodb.ts';
import { createRotationVault } from '../credentials/rotation-vault.secrets-manager.ts';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import type { RotationEnv } from './env.ts';
import type { RotationDeps } from './rotation-deps.ts';

/** Tenants whose clients are kept: a run handles ten messages, so this is many runs' worth. */
const capacity = 200;

/**
 * Opens a tenant's data with the credentials of a TenantRotator session of that tenant; the function's own role can reach none of it. The secrets of a dedicated tenant
 * are written by its own writer role and read by its own reader role, each of which may not do what the other does.
 */
export function createRotationOpeners(deps: {
  sessions: TenantSessions;
  clock: Clock;
  nextId: NextId;
  env: Pick<RotationEnv, 'REGISTRY_TABLE' | 'ATTRIBUTION_TABLE' | 'TENANT_ROTATOR_ROLE_ARN' | 'DEDICATED_ROLE_ARN_PREFIX'>;
}): Pick<RotationDeps, 'openStores' | 'openVault'> {
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
        uses: createVersionUses({ client, table: env.ATTRIBUTION_TABLE, clock }),
      };
    },
  });
  const secrets = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) => inSession(new SecretsManagerClient({ credentials }), credentials),
  });
  return {
    openStores: (tenantId) => stores({ roleArn: env.TENANT_ROTATOR_ROLE_ARN, tenantId, role: 'shared' }),
    async openVault({ tenantId, tier, userId }) {
      if (tier === 'pool') {
        const client = await secrets({ roleArn: env.TENANT_ROTATOR_ROLE_ARN, tenantId, userId, role: 'shared' });
        return createRotationVault({ writer: client, reader: client });
      }
      const own = (suffix: string) =>
        secrets({ roleArn: `${env.DEDICATED_ROLE_ARN_PREFIX}${tenantId}${suffix}`, tenantId, userId, role: 'own' });
      const [writer, reader] = await Promise.all([own('.writer'), own('')]);
      return createRotationVault({ writer, reader });
    },
  };
}
