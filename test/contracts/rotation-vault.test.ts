import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRotationVault } from '../../functions/credentials/rotation-vault.secrets-manager.ts';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createMemoryVault } from './fakes/memory-vault.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { rotationVaultContract } from './rotation-vault.suite.ts';

rotationVaultContract('memory', async () => {
  const vault = createMemoryVault();
  return { vault, rotation: vault, kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/1' };
});

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeEach(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.close());

  const clients = () => ({ writer: aws.admin.secretsmanager, reader: aws.admin.secretsmanager });
  rotationVaultContract('Secrets Manager', async () => ({
    vault: createVault(aws.admin.secretsmanager),
    rotation: createRotationVault(clients()),
    kmsKeyArn: aws.keyArn,
  }));

  const [acme, main] = [tenantId.parse('acme'), credentialId.parse('main')];
  const [first, second, third] = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)];
  /** A secret whose second version is staged. */
  const staged = async () => {
    const place = {
      tenantId: acme,
      credentialId: main,
      provider: 'openai',
      tier: 'pool',
      environment: 'production',
      kmsKeyArn: aws.keyArn,
    } as const;
    const vault = createVault(aws.admin.secretsmanager);
    await vault.store(place, new SecretText('sk-1'), first);
    const rotation = createRotationVault(clients());
    await rotation.stage(place, new SecretText('sk-2'), second);
    return { rotation, place, labels: async () => (await vault.describe(acme, main))?.versions };
  };
  /** Operations of Secrets Manager that the work called for, in their order. */
  const callsOf = async (work: () => Promise<unknown>): Promise<string[]> => {
    const since = aws.kernel.journal.lastSeq;
    await work();
    return aws.kernel.journal
      .since(since)
      .filter(({ action }) => action.startsWith('secretsmanager:'))
      .map(({ action }) => action.slice('secretsmanager:'.length));
  };

  /** A worker that repeats its step after a lost answer. */
  const persistently = <Value>(work: () => Promise<Value>): Promise<Value> => work().catch(work);

  it('R3 takes a fixed number of calls for each step of a rotation', async () => {
    const { rotation, place } = await staged();
    const move = 'UpdateSecretVersionStage';
    const promotion = { to: second, from: first };
    expect(await callsOf(() => rotation.stage(place, new SecretText('sk-2'), second))).toEqual(['PutSecretValue']);
    expect(await callsOf(() => rotation.readVersion(acme, main, second))).toEqual(['GetSecretValue']);
    expect(await callsOf(() => rotation.promote(acme, main, promotion))).toEqual([move, move]);
    // Asked again, it has to see that it is done.
    expect(await callsOf(() => rotation.promote(acme, main, promotion))).toEqual([move, 'DescribeSecret', move, 'DescribeSecret']);
    expect(await callsOf(() => rotation.versions(acme, main))).toEqual(['ListSecretVersionIds']);
    expect(await callsOf(() => rotation.drop(acme, main, first))).toEqual(['DescribeSecret', move]);
    expect(await callsOf(() => rotation.drop(acme, main, first))).toEqual(['DescribeSecret']);
    expect(await callsOf(() => rotation.dropAllBut(acme, main, []))).toEqual(['DescribeSecret']);
  });

  it.each(['duplicate', 'after'] as const)('R3 promotes and drops the same when a call meets a fault of mode %s', async (mode) => {
    for (const nth of [1, 2]) {
      const { rotation, labels } = await staged();
      aws.kernel.faults.add({ service: 'secretsmanager', action: 'UpdateSecretVersionStage', nth, mode });
      await persistently(() => rotation.promote(acme, main, { to: second, from: first }));
      expect(await labels()).toEqual({ [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] });
      aws.kernel.faults.add({ service: 'secretsmanager', action: 'UpdateSecretVersionStage', nth: 1, mode });
      await persistently(() => rotation.drop(acme, main, first));
      expect(await labels()).toEqual({ [second]: ['AWSCURRENT'] });
      await createVault(aws.admin.secretsmanager).remove(acme, main);
    }
  });

  it('R3 stages one version when storing it meets a lost answer', async () => {
    const { rotation, place, labels } = await staged();
    aws.kernel.faults.add({ service: 'secretsmanager', action: 'PutSecretValue', nth: 1, mode: 'after' });
    await persistently(() => rotation.stage(place, new SecretText('sk-3'), third));
    expect(await labels()).toEqual({ [first]: ['AWSCURRENT'], [third]: ['AWSPENDING'] });
    expect(await rotation.versions(acme, main)).toHaveLength(3);
  });
});
