import * as kms from '@aws-sdk/client-kms';
import { CreateSecretCommand, DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsClients } from '../../local/aws-clients.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notTrusted } from '../support/decisions.ts';
import { type DedicatedTenants, keyNamed, onboardDedicated } from '../support/dedicated-tenants.ts';
import { writerOf } from '../support/neighbours.ts';
import { operate } from '../support/secret-operations.ts';

let test: TestCloud;
let on: DedicatedTenants;
let asAdministrator: AwsClients;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardDedicated(test);
  asAdministrator = test.clients(on.administrator);
});

const asTags = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const role = (name: string): string => `arn:aws:iam::${test.cloud.accountId}:role/cordon/${name}`;
describe('I4 the key of a dedicated tenant', () => {
  const context = { TenantId: 'set by the test' };
  const direct = (EncryptionContext: () => Record<string, string>): Call[] => [
    ({ kms: c }) =>
      c.send(new kms.GenerateDataKeyCommand({ KeyId: on.own.keyArn, KeySpec: 'AES_256', EncryptionContext: EncryptionContext() })),
    ({ kms: c }) =>
      c.send(new kms.EncryptCommand({ KeyId: on.own.keyArn, Plaintext: Buffer.from('x'), EncryptionContext: EncryptionContext() })),
  ];
  const denyUse = /^key policy of .*\/DenyUseByOthers$/;

  it('is what its secrets lie under, turns, and is another than the pool’s and every other tenant’s', async () => {
    const { KmsKeyId } = await asAdministrator.secretsmanager.send(new DescribeSecretCommand({ SecretId: on.own.secret.arn }));
    expect(KmsKeyId).toBe(on.own.keyArn);
    expect(new Set([on.own.keyArn, await keyNamed(test, on.other.tenantId), test.cloud.outputs['TenantKeyArn']]).size).toBe(3);
    const { KeyRotationEnabled } = await asAdministrator.kms.send(new kms.GetKeyRotationStatusCommand({ KeyId: on.own.keyArn }));
    expect(KeyRotationEnabled).toBe(true);
  });

  it('cannot be used by the account’s root or an administrator, directly or through Secrets Manager', async () => {
    for (const call of direct(() => context)) await expectDenied(test, on.administrator, call, denyUse);
    await expectDenied(
      test,
      on.administrator,
      operate('GetSecretValue', () => on.own.secret.arn),
      denyUse,
    );
    const grant = new kms.CreateGrantCommand({ KeyId: on.own.keyArn, GranteePrincipal: role('TenantReader'), Operations: ['Decrypt'] });
    await expectDenied(test, on.administrator, ({ kms: c }) => c.send(grant), denyUse);
    const root = test.cloud.kernel.rootCaller(test.cloud.accountId);
    const use = { KeyId: on.own.keyArn, KeySpec: 'AES_256' };
    await expect(test.cloud.kernel.call(root, 'kms', 'GenerateDataKey', use)).rejects.toThrow(/DenyUseByOthers/);
    await expect(test.cloud.kernel.call(root, 'secretsmanager', 'GetSecretValue', { SecretId: on.own.secret.arn })).rejects.toThrow(
      /DenyUseByOthers/,
    );
  });

  it('cannot be used by the shared roles or another dedicated tenant’s, each with an encryption context of its own', async () => {
    for (const { tenantId, reader } of [on.other, on.pool]) {
      for (const call of direct(() => ({ TenantId: tenantId }))) await expectDenied(test, reader, call, denyUse);
    }
    const create = new CreateSecretCommand({
      Name: `cordon/${on.pool.tenantId}/under-the-neighbours-key`,
      SecretString: 'x',
      KmsKeyId: on.own.keyArn,
      Tags: asTags({ TenantId: on.pool.tenantId, Tier: 'pool' }),
    });
    await expectDenied(test, await writerOf(test, on.pool.tenantId), ({ secretsmanager: c }) => c.send(create), denyUse);
  });

  it('is used by its own roles through Secrets Manager and not directly', async () => {
    await expectAllowed(
      test,
      on.own.reader,
      operate('GetSecretValue', () => on.own.secret.arn),
    );
    for (const call of direct(() => ({ TenantId: on.own.tenantId }))) await expectDenied(test, on.own.reader, call, notTrusted);
  });

  it('opens nothing for others when its policy is changed to let everyone do everything', async () => {
    const { Policy } = await asAdministrator.kms.send(new kms.GetKeyPolicyCommand({ KeyId: on.own.keyArn }));
    const open = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }] };
    await asAdministrator.kms.send(new kms.PutKeyPolicyCommand({ KeyId: on.own.keyArn, Policy: JSON.stringify(open) }));
    try {
      const seal = async (EncryptionContext: Record<string, string>): Promise<Call> => {
        const Plaintext = Buffer.from('sealed');
        const { CiphertextBlob } = await asAdministrator.kms.send(
          new kms.EncryptCommand({ KeyId: on.own.keyArn, Plaintext, EncryptionContext }),
        );
        return ({ kms: c }) => c.send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }));
      };
      for (const openIt of [await seal({ TenantId: on.own.tenantId }), await seal({ SecretARN: on.own.secret.arn })]) {
        for (const { reader } of [on.other, on.pool]) await expectDenied(test, reader, openIt, isolation('DenyKeyUseForOtherTenants'));
      }
      for (const { reader } of [on.other, on.pool]) {
        await expectDenied(
          test,
          reader,
          operate('GetSecretValue', () => on.own.secret.arn),
          isolation('DenySecretsOfOtherPaths'),
        );
      }
    } finally {
      await asAdministrator.kms.send(new kms.PutKeyPolicyCommand({ KeyId: on.own.keyArn, Policy }));
    }
  });
});
