import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IAMClient } from '@aws-sdk/client-iam';
import { KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { createAttributionStore } from '../attribution/attribution-store.dynamodb.ts';
import { createVaultOpener } from '../credentials/open-vault.aws.ts';
import { inSession } from '../shared/client-session.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { dedicatedTierSettings } from './dedicated-plan.ts';
import { createDedicatedTier } from './dedicated-tier.aws.ts';
import type { TenantsEnv } from './env.ts';
import { createRegistry } from './registry.dynamodb.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/** Tenants whose clients are kept: a run handles ten messages, so this is many runs' worth. */
const capacity = 200;

/** Opens a tenant's data with the credentials of a session of that tenant; the function's own role can reach none of it. */
export function createOpeners(deps: {
  sessions: TenantSessions;
  clock: Clock;
  nextId: NextId;
  env: TenantsEnv;
}): Pick<TenantsDeps, 'openStores' | 'openVault' | 'openDedicatedTier'> {
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
      };
    },
  });
  const dedicated = createSessionClients({
    sessions,
    clock,
    capacity,
    make: (credentials) =>
      createDedicatedTier(
        {
          iam: inSession(new IAMClient({ credentials }), credentials),
          kms: inSession(new KMSClient({ credentials }), credentials),
          kmsOnce: inSession(new KMSClient({ credentials, maxAttempts: 1 }), credentials),
          tagging: inSession(new ResourceGroupsTaggingAPIClient({ credentials }), credentials),
        },
        dedicatedTierSettings(env),
      ),
  });
  return {
    openStores: (tenantId) => stores({ roleArn: env.TENANT_WRITER_ROLE_ARN, tenantId, role: 'shared' }),
    openVault: createVaultOpener({
      sessions,
      clock,
      capacity,
      poolRoleArn: env.TENANT_WRITER_ROLE_ARN,
      dedicatedRoleArnPrefix: env.DEDICATED_ROLE_ARN_PREFIX,
    }),
    openDedicatedTier: (tenantId) => dedicated({ roleArn: env.TENANT_PROVISIONER_ROLE_ARN, tenantId, role: 'shared' }),
  };
}
