import { CreateRoleCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyCommand } from '@aws-sdk/client-kms';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import type { SecretPlace } from '../../functions/credentials/vault.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { type AwsClients, awsClients } from '../../local/aws-clients.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const customerAccount = '444455556666';
const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const [first, second, third] = ['1'.repeat(64), '2'.repeat(64), '3'.repeat(64)];

let aws: LocalAws;
let customer: AwsClients;
beforeEach(async () => {
  aws = await startLocalAws();
  customer = awsClients(aws, aws.kernel.addAccount(customerAccount));
});
afterEach(async () => {
  customer.destroy();
  await aws.close();
});

const root = (accountId: string) => ({ AWS: `arn:aws:iam::${accountId}:root` });

/** The customer's statement for this platform, as a customer is asked to write it; `tenant` is whose secrets may lie under the key. */
const letPlatformUse = (tenant: string) => ({
  Sid: 'LetCordonKeepOurSecrets',
  Effect: 'Allow',
  Principal: root(aws.accountId),
  Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
  Resource: '*',
  Condition: {
    StringEquals: { 'kms:ViaService': `secretsmanager.${aws.region}.amazonaws.com`, 'kms:CallerAccount': aws.accountId },
    StringLike: { 'kms:EncryptionContext:SecretARN': `arn:aws:secretsmanager:${aws.region}:${aws.accountId}:secret:cordon/${tenant}/*` },
  },
});

async function customersKey(...statements: readonly object[]): Promise<string> {
  const administer = { Effect: 'Allow', Principal: root(customerAccount), Action: 'kms:*', Resource: '*' };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [administer, ...statements] });
  const { KeyMetadata } = await customer.kms.send(new CreateKeyCommand({ Policy }));
  return KeyMetadata?.Arn ?? '';
}

const placeUnder = (kmsKeyArn: string): SecretPlace => ({
  ...{ tenantId: acme, credentialId: main, provider: 'anthropic', tier: 'pool', environment: 'production' },
  ...{ kmsKeyArn, customerKey: true },
});

/** A vault whose session may do this and nothing else. */
async function vaultOf(...actions: readonly string[]) {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: root(aws.accountId), Action: 'sts:AssumeRole' }],
  });
  const { Role } = await aws.admin.iam.send(new CreateRoleCommand({ RoleName: 'Supplier', AssumeRolePolicyDocument }));
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
  await aws.admin.iam.send(new PutRolePolicyCommand({ RoleName: 'Supplier', PolicyName: 'May', PolicyDocument }));
  const { Credentials: given } = await aws.admin.sts.send(new AssumeRoleCommand({ RoleArn: Role?.Arn, RoleSessionName: 'acme' }));
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = given ?? {};
  return createVault(awsClients(aws, { accessKeyId, secretAccessKey, sessionToken }).secretsmanager);
}
const secretActions = ['CreateSecret', 'TagResource', 'PutSecretValue', 'DescribeSecret'].map((name) => `secretsmanager:${name}`);
const keyActions = ['kms:Decrypt', 'kms:GenerateDataKey'];

describe("B5 a secret under a key of the customer's own account", () => {
  it('is made with it, and its next versions lie under it too', async () => {
    const kmsKeyArn = await customersKey(letPlatformUse('acme'));
    const vault = await vaultOf(...secretActions, ...keyActions);
    await vault.store(placeUnder(kmsKeyArn), new SecretText('sk-1'), first);
    await vault.store(placeUnder(kmsKeyArn), new SecretText('sk-2'), second);
    expect(await vault.describe(acme, main)).toMatchObject({
      kmsKeyArn,
      versions: { [first]: ['AWSPREVIOUS'], [second]: ['AWSCURRENT'] },
    });
    expect((await createVault(aws.admin.secretsmanager).read(acme, main)).secret.reveal()).toBe('sk-2');
  });

  it.each<[string, () => Promise<string>]>([
    ['does not let this platform use it', () => customersKey()],
    ["is for another tenant's secrets", () => customersKey(letPlatformUse('acme-2'))],
    ['does not exist', async () => `arn:aws:kms:${aws.region}:${customerAccount}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
    [
      'is disabled',
      async () => {
        const KeyId = await customersKey(letPlatformUse('acme'));
        await customer.kms.send(new DisableKeyCommand({ KeyId }));
        return KeyId;
      },
    ],
  ])('is not made when the key %s, and the key is named', async (_what, make) => {
    const kmsKeyArn = await make();
    const vault = await vaultOf(...secretActions, ...keyActions);
    const failed: unknown = await vault.store(placeUnder(kmsKeyArn), new SecretText('sk-canary'), first).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'CUSTOMER_KEY_REFUSED', message: expect.stringContaining(kmsKeyArn) });
    expect(String(failed)).not.toContain('canary');
    expect(await vault.describe(acme, main)).toBeUndefined();
  });

  it('keeps the version in force when the key is gone at the next one, and takes it once it is back', async () => {
    const kmsKeyArn = await customersKey(letPlatformUse('acme'));
    const vault = await vaultOf(...secretActions, ...keyActions);
    await vault.store(placeUnder(kmsKeyArn), new SecretText('sk-1'), first);
    await customer.kms.send(new DisableKeyCommand({ KeyId: kmsKeyArn }));
    await expect(vault.store(placeUnder(kmsKeyArn), new SecretText('sk-2'), second)).rejects.toMatchObject({
      code: 'CUSTOMER_KEY_REFUSED',
    });
    expect((await vault.describe(acme, main))?.versions).toEqual({ [first]: ['AWSCURRENT'] });
    await customer.kms.send(new EnableKeyCommand({ KeyId: kmsKeyArn }));
    await vault.store(placeUnder(kmsKeyArn), new SecretText('sk-3'), third);
    expect((await vault.describe(acme, main))?.versions[third]).toEqual(['AWSCURRENT']);
  });

  it("needs what this platform's own session may do as well", async () => {
    const vault = await vaultOf(...secretActions, 'kms:GenerateDataKey');
    const kmsKeyArn = await customersKey(letPlatformUse('acme'));
    await expect(vault.store(placeUnder(kmsKeyArn), new SecretText('sk-1'), first)).rejects.toMatchObject({ code: 'CUSTOMER_KEY_REFUSED' });
  });

  it('is still refused by IAM as such, when it is the secret that the session may not make', async () => {
    const vault = await vaultOf('secretsmanager:DescribeSecret', ...keyActions);
    const kmsKeyArn = await customersKey(letPlatformUse('acme'));
    await expect(vault.store(placeUnder(kmsKeyArn), new SecretText('sk-1'), first)).rejects.toMatchObject({ code: 'ACCESS_REFUSED' });
  });

  it("of the platform is not blamed on the customer when it is the platform's that fails", async () => {
    const vault = await vaultOf(...secretActions, 'kms:GenerateDataKey');
    const place = { ...placeUnder(aws.keyArn), customerKey: false };
    await expect(vault.store(place, new SecretText('sk-1'), first)).rejects.toMatchObject({ code: 'ACCESS_REFUSED' });
  });
});
