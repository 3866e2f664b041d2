import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRevocationVault } from '../../functions/credentials/revocation-vault.secrets-manager.ts';
import { createRotationVault } from '../../functions/credentials/rotation-vault.secrets-manager.ts';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import type { SecretPlace } from '../../functions/credentials/vault.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createMemoryVault } from './fakes/memory-vault.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { revocationVaultContract } from './revocation-vault.suite.ts';

revocationVaultContract('memory', async () => {
  const vault = createMemoryVault();
  return { vault, rotation: vault, revocation: vault.revocation, kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1' };
});

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeEach(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.close());

  const open = () => {
    const clients = { writer: aws.admin.secretsmanager, reader: aws.admin.secretsmanager };
    return {
      vault: createVault(aws.admin.secretsmanager),
      rotation: createRotationVault(clients),
      revocation: createRevocationVault(clients),
      kmsKeyArn: aws.keyArn,
    };
  };
  revocationVaultContract('Secrets Manager', async () => open());

  const [acme, main] = [tenantId.parse('acme'), credentialId.parse('main')];
  const [first, second] = ['1'.repeat(64), '2'.repeat(64)];

  it.each(['duplicate', 'after'] as const)('X3 takes out and deletes the same when a call meets a fault of mode %s', async (mode) => {
    const actions = ['PutSecretValue', 'UpdateSecretVersionStage', 'DeleteSecret'].flatMap((action) =>
      [1, 2, 3].map((nth) => ({ action, nth })),
    );
    for (const { action, nth } of actions) {
      const { vault, rotation, revocation, kmsKeyArn } = open();
      const place: SecretPlace = {
        ...{ tenantId: acme, credentialId: main, provider: 'openai', tier: 'pool', environment: 'production', kmsKeyArn },
      };
      await vault.store(place, new SecretText('sk-1'), first);
      await rotation.stage(place, new SecretText('sk-2'), second);
      aws.kernel.faults.add({ service: 'secretsmanager', action, nth, mode });
      const persistently = (work: () => Promise<void>): Promise<void> => work().catch(work);
      await persistently(() => revocation.takeOut(acme, main, { versionIds: [first, second], customerKey: false }));
      const labels = Object.values((await vault.describe(acme, main))?.versions ?? {}).flat();
      expect(labels.sort()).toEqual(['AWSCURRENT', `REVOKED-${first.slice(0, 16)}`, `REVOKED-${second.slice(0, 16)}`]);
      await expect(vault.read(acme, main)).rejects.toMatchObject({ code: 'AWS_REFUSED' });
      await persistently(() => revocation.close(acme, main));
      expect(await vault.describe(acme, main)).toBeUndefined();
      await persistently(() => revocation.erase(acme, main));
      aws.kernel.faults.clear();
    }
  });
});
