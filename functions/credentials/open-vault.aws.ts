import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { inSession } from '../shared/client-session.ts';
import type { Clock } from '../shared/clock.ts';
import { createSessionClients } from '../shared/session-clients.ts';
import type { TenantSessions } from '../shared/tenant-sessions.ts';
import { createVault } from './vault.secrets-manager.ts';
import type { Vault, VaultOwner } from './vault.ts';

/**
 * Opens vaults for writing: a pool tenant's with a session of `poolRoleArn`, a dedicated tenant's with one of its own writer role.
 *
 * @param deps.capacity tenants whose clients are kept
 * @param deps.dedicatedRoleArnPrefix what stands before the tenant's ID in the ARN of its own role
 */
export function createVaultOpener(deps: {
  sessions: TenantSessions;
  clock: Clock;
  capacity: number;
  poolRoleArn: string;
  dedicatedRoleArnPrefix: string;
}): (owner: VaultOwner) => Promise<Vault> {
  const vaults = createSessionClients({
    ...deps,
    make: (credentials) => createVault(inSession(new SecretsManagerClient({ credentials }), credentials)),
  });
  return ({ tenantId, tier, userId }) =>
    tier === 'pool'
      ? vaults({ roleArn: deps.poolRoleArn, tenantId, userId, role: 'shared' })
      : vaults({ roleArn: `${deps.dedicatedRoleArnPrefix}${tenantId}.writer`, tenantId, userId, role: 'own' });
}
