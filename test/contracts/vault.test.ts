import { GetSecretValueCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createMemoryVault } from './fakes/memory-vault.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { vaultContract } from './vault.suite.ts';

vaultContract('memory', async () => ({ vault: createMemoryVault(), kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1' }));

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeEach(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.close());

  vaultContract('Secrets Manager', async () => ({ vault: createVault(aws.admin.secretsmanager), kmsKeyArn: aws.keyArn }));

  const place = () =>
    ({
      tenantId: tenantId.parse('acme'),
      credentialId: credentialId.parse('main'),
      provider: 'openai',
      tier: 'pool',
      environment: 'production',
      kmsKeyArn: aws.keyArn,
    }) as const;

  it.each(['duplicate', 'after'] as const)('stores one version when CreateSecret meets a fault of mode %s', async (mode) => {
    const vault = createVault(aws.admin.secretsmanager);
    aws.kernel.faults.add({ service: 'secretsmanager', action: 'CreateSecret', nth: 1, mode });
    const version = '1'.repeat(64);
    const stored = await vault
      .store(place(), new SecretText('sk-1'), version)
      .catch(() => vault.store(place(), new SecretText('sk-1'), version));
    expect(stored.versionId).toBe(version);
    expect((await vault.describe(place().tenantId, place().credentialId))?.versions).toEqual({ [version]: ['AWSCURRENT'] });
  });

  it('keeps a connection string under another name than a key, so that neither passes for the other', async () => {
    await createVault(aws.admin.secretsmanager).store({ ...place(), provider: 'postgres' }, new SecretText('postgres://x'), '1'.repeat(64));
    const { SecretString } = await aws.admin.secretsmanager.send(new GetSecretValueCommand({ SecretId: 'cordon/acme/main' }));
    expect(JSON.parse(SecretString ?? '')).toEqual({ connectionString: 'postgres://x' });
  });

  it('never shows what a secret holds that it cannot read', async () => {
    const vault = createVault(aws.admin.secretsmanager);
    await vault.store(place(), new SecretText('sk-1'), '1'.repeat(64));
    await aws.admin.secretsmanager.send(new PutSecretValueCommand({ SecretId: 'cordon/acme/main', SecretString: 'sk-canary {' }));
    const failed = await vault.read(place().tenantId, place().credentialId).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'AWS_REFUSED' });
    expect(JSON.stringify([String(failed), failed instanceof Error ? [failed.cause, failed.stack] : []])).not.toContain('canary');
  });
});
