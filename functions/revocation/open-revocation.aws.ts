import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import { createConnectionStore } from '../byoc/connection-store.dynamodb.ts';
import { createRevocationVault } from '../credentials/revocation-vault.secrets-manager.ts';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import { createCertificateStore } from './certificate/certificate-store.dynamodb.ts';
import type { RevocationEnv } from './env.ts';
import type { RevocationDeps } from './revocation-deps.ts';
import { createRevocationStore } from './revocation-store.dynamodb.ts';

/** Tenants whose clients are kept: a run handles ten messages, so this is many runs' worth. */
const capacity = 200;

/**
 * Opens a tenant's data with the credentials of a TenantRevoker session of that tenant; the function's own role can reach none of it. The secrets of a dedicated tenant
 * are taken out of use by its own writer role and read by its own reader role, each of which may not do what the other does.
 */
export function createRevocationOpeners(deps: {
  sessions: TenantSessions;
  clock: Clock;
  nextId: NextId;
  env: Pick<RevocationEnv, 'REGISTRY_TABLE' | 'ATTRIBUTION_TABLE' | 'TENANT_REVOKER_ROLE_ARN' | 'DEDICATED_ROLE_ARN_PREFIX'>;
}): Pick<RevocationDeps, 'openStores' | 'openVault'> {
  const { sessions, clock, nextId, env } = deps;
  const stores = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) => {
      const client = inSession(new DynamoDBClient({ credentials }), credentials);
      const items = { client, table: env.REGISTRY_TABLE, clock, nextId };
      return {
        registry: createRegistry(items),
        revocations: createRevocationStore(items),
        connections: createConnectionStore(items),
        certificates: createCertificateStore(items),
        attribution: createAttributionStore(client, env.ATTRIBUTION_TABLE),
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
    openStores: (tenantId) => stores({ roleArn: env.TENANT_REVOKER_ROLE_ARN, tenantId, role: 'shared' }),
    async openVault({ tenantId, tier, userId }) {
      if (tier === 'pool') {
        const client = await secrets({ roleArn: env.TENANT_REVOKER_ROLE_ARN, tenantId, userId, role: 'shared' });
        return createRevocationVault({ writer: client, reader: client });
      }
      const own = (suffix: string) =>
        secrets({ roleArn: `${env.DEDICATED_ROLE_ARN_PREFIX}${tenantId}${suffix}`, tenantId, userId, role: 'own' });
      const [writer, reader] = await Promise.all([own('.writer'), own('')]);
      return createRevocationVault({ writer, reader });
    },
  };
}
