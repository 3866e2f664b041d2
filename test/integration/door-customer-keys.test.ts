import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsClients } from '../../local/aws-clients.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import { usesBy } from '../support/attribution-log.ts';
import { plantItem } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';
import { askDoorKey, bringKeyIn, postSecret, registryItem, sealKey, supplierToken, supplyKey } from '../support/supply.ts';

const tiers = ['pool', 'dedicated'] as const;
const credentialId = 'anthropic-own';
const provider = 'anthropic';

let test: TestCloud;
/** An account of a customer, and its administrator in it. */
let customer: { readonly accountId: string; readonly admin: AwsClients };

beforeAll(async () => {
  test = await testCloud();
  const account = test.cloud.addAccount();
  customer = { accountId: account.accountId, admin: test.clients(account) };
});

const root = (accountId: string) => ({ AWS: `arn:aws:iam::${accountId}:root` });
const secretPath = (tenantId: string) => `arn:aws:secretsmanager:${test.cloud.region}:${test.cloud.accountId}:secret:cordon/${tenantId}/`;

/** The key policy: the customer's own account, and this platform for one tenant's secrets, as customers are asked to write it. */
function policyFor(tenantId?: string): string {
  const { accountId, region } = test.cloud;
  const administer = { Effect: 'Allow', Principal: root(customer.accountId), Action: 'kms:*', Resource: '*' };
  const lend = (tenant: string) => ({
    Sid: 'LetCordonKeepOurSecrets',
    Effect: 'Allow',
    Principal: root(accountId),
    Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
    Resource: '*',
    Condition: {
      StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com`, 'kms:CallerAccount': accountId },
      StringLike: { 'kms:EncryptionContext:SecretARN': `${secretPath(tenant)}*` },
    },
  });
  return JSON.stringify({ Version: '2012-10-17', Statement: [administer, ...(tenantId === undefined ? [] : [lend(tenantId)])] });
}

/** A key that this tenant's secrets may lie under; nobody's when left out. */
async function makeKey(tenantId?: string): Promise<string> {
  const { KeyMetadata } = await customer.admin.kms.send(new CreateKeyCommand({ Policy: policyFor(tenantId) }));
  return KeyMetadata?.Arn ?? '';
}
const setPolicy = (KeyId: string, Policy: string) =>
  customer.admin.kms.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));

/** A tenant whose credential names the key. */
async function tenantWith(kmsKeyArn: (tenantId: string) => Promise<string>, tier = 'pool'): Promise<{ tenantId: string; key: string }> {
  const tenantId = test.freshTenantId(tier);
  const key = await kmsKeyArn(tenantId);
  const { outcome } = await test.onboard({
    tenantId,
    tier,
    credentials: [{ credentialId, provider, source: 'customer-supplied', environment: 'production', settings: { kmsKeyArn: key } }],
    routing: [{ match: { provider, environment: 'production' }, use: credentialId }],
  });
  expect(outcome.detailType).toBe('TenantProvisioned');
  return { tenantId, key };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of the key that the provider was shown; undefined when it was not asked. */
  readonly shown: string | undefined;
}

async function use(tenantId: string): Promise<Answer> {
  const requests = () => test.cloud.world.simulators[provider]?.requests() ?? [];
  const before = requests().length;
  const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
  const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/anthropic/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 16, messages: [{ role: 'user', content: 'hello' }] }),
  });
  return { status: response.status, text: await response.text(), shown: requests()[before]?.keyFingerprint };
}

/** What the broker has in memory is not used any more: as after a revocation that was taken back. */
async function coldFrom(tenantId: string): Promise<void> {
  const { epoch } = await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`);
  await plantItem(test, tenantId, `CREDENTIAL#${credentialId}`, { epoch: Number(epoch) + 1 });
}

async function expectNothingStored(tenantId: string): Promise<void> {
  expect(await test.secretsOf(tenantId)).toEqual([]);
  expect(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`)).toMatchObject({ status: 'awaiting' });
}

async function violationsOf(tenantId: string): Promise<readonly unknown[]> {
  await test.settled();
  return (await test.published(tenantId)).filter(({ detailType }) => detailType === 'IsolationViolationDetected');
}

describe.each(tiers)("B5 B7 a key of the customer's own account, named by a %s tenant", (tier) => {
  it('is what the secret lies under; it is used through the broker, and the next one lies there too', async () => {
    const { tenantId, key } = await tenantWith(makeKey, tier);
    const first = await bringKeyIn(test, { tenantId, credentialId, provider });
    const SecretId = `cordon/${tenantId}/${credentialId}`;
    expect(await asRoot(test.cloud, 'secretsmanager', 'DescribeSecret', { SecretId })).toMatchObject({ KmsKeyId: key });
    expect(await use(tenantId)).toMatchObject({ status: 200, shown: fingerprintOf(first) });
    const second = await bringKeyIn(test, { tenantId, credentialId, provider });
    expect(await use(tenantId)).toMatchObject({ status: 200, shown: fingerprintOf(second) });
    expect(await asRoot(test.cloud, 'secretsmanager', 'DescribeSecret', { SecretId })).toMatchObject({ KmsKeyId: key });
    expect(await violationsOf(tenantId)).toEqual([]);
  });

  it.each<[string, (key: string) => Promise<unknown>, ((key: string, tenantId: string) => Promise<unknown>) | undefined]>([
    [
      'disables it',
      (KeyId) => customer.admin.kms.send(new DisableKeyCommand({ KeyId })),
      (KeyId) => customer.admin.kms.send(new EnableKeyCommand({ KeyId })),
    ],
    ['withdraws the Allow from its policy', (key) => setPolicy(key, policyFor()), (key, tenantId) => setPolicy(key, policyFor(tenantId))],
    [
      'lends it for other secrets only',
      (key) => setPolicy(key, policyFor('somebody-else')),
      (key, tenantId) => setPolicy(key, policyFor(tenantId)),
    ],
    ['schedules its deletion', (KeyId) => customer.admin.kms.send(new ScheduleKeyDeletionCommand({ KeyId })), undefined],
  ])(
    '%s: the next cold use is refused with that reason, nothing else is tried, and it is no violation',
    async (_how, withdraw, restore) => {
      const { tenantId, key } = await tenantWith(makeKey, tier);
      const apiKey = await bringKeyIn(test, { tenantId, credentialId, provider });
      expect(await use(tenantId)).toMatchObject({ status: 200, shown: fingerprintOf(apiKey) });
      await withdraw(key);
      await coldFrom(tenantId);

      const refused = await use(tenantId);

      expect(refused).toMatchObject({ status: 403, shown: undefined });
      expect(JSON.parse(refused.text)).toMatchObject({
        error: { code: 'CUSTOMER_KEY_REFUSED', message: expect.stringMatching(/KMS key of the customer's own AWS account/) },
      });
      expect(await violationsOf(tenantId)).toEqual([]);
      expect((await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'provider.call').at(-1)).toMatchObject({
        intent: { credentialId },
        outcome: { result: 'refused', code: 'CUSTOMER_KEY_REFUSED' },
      });
      // The next key does not find another place either.
      const next = test.cloud.world.issueKey(provider);
      expect(await supplyKey(test, { tenantId, credentialId, apiKey: next })).toMatchObject({ status: 422, code: 'CUSTOMER_KEY_REFUSED' });
      if (restore === undefined) return;
      await restore(key, tenantId);
      expect(await use(tenantId)).toMatchObject({ status: 200, shown: fingerprintOf(apiKey) });
    },
  );
});

describe("B5 a key of the customer's own account that cannot be used", () => {
  it('without the Allow: nothing is stored, and the very same supply works once the policy has it', async () => {
    const { tenantId, key } = await tenantWith(() => makeKey());
    const apiKey = test.cloud.world.issueKey(provider);
    const token = await supplierToken(test, tenantId);
    const jwe = await sealKey(test, await askDoorKey(test, token), { tenantId, credentialId, apiKey });
    const refused = await postSecret(test, token, credentialId, { jwe });
    expect(refused).toMatchObject({ status: 422, code: 'CUSTOMER_KEY_REFUSED' });
    expect(refused.text).toContain(key);
    await expectNothingStored(tenantId);
    expect(await violationsOf(tenantId)).toEqual([]);
    await setPolicy(key, policyFor(tenantId));
    expect(await postSecret(test, token, credentialId, { jwe })).toMatchObject({ status: 200 });
    expect(await use(tenantId)).toMatchObject({ status: 200, shown: fingerprintOf(apiKey) });
  });

  it.each<[string, () => Promise<string>]>([
    ['lent to another tenant', () => makeKey('somebody-else')],
    ['of the platform itself', async () => test.cloud.outputs['TenantKeyArn'] ?? ''],
    [
      'of another, dedicated tenant',
      async () => {
        const { tenantId } = await test.onboard({ tenantId: test.freshTenantId('dedi'), tier: 'dedicated', credentials: [] });
        return String((await registryItem(test, tenantId, 'TENANT'))['keyArn']);
      },
    ],
    ['of another region', async () => `arn:aws:kms:eu-central-1:${customer.accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
    ['that is not there', async () => `arn:aws:kms:${test.cloud.region}:${customer.accountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab`],
  ])('%s: is refused, and nothing is stored', async (_what, key) => {
    const { tenantId } = await tenantWith(key);
    const apiKey = test.cloud.world.issueKey(provider);
    expect(await supplyKey(test, { tenantId, credentialId, apiKey })).toMatchObject({ status: 422, code: 'CUSTOMER_KEY_REFUSED' });
    await expectNothingStored(tenantId);
    expect(await use(tenantId)).toMatchObject({ status: 403, shown: undefined });
  });
});

describe('B5 I1 a key that a customer lends for one tenant', () => {
  it('is of no use to another: neither to lay a secret under it, nor by itself', async () => {
    const { tenantId: owner, key } = await tenantWith(makeKey);
    await bringKeyIn(test, { tenantId: owner, credentialId, provider });
    const { tenantId: thief } = await tenantWith(async () => key);
    const apiKey = test.cloud.world.issueKey(provider);
    expect(await supplyKey(test, { tenantId: thief, credentialId, apiKey })).toMatchObject({ status: 422, code: 'CUSTOMER_KEY_REFUSED' });
    await expectNothingStored(thief);
    const session = await test.tenantSession(thief);
    const EncryptionContext = { SecretARN: `${secretPath(owner)}${credentialId}-abcdef`, SecretVersionId: '1' };
    const attempts = [
      new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256', EncryptionContext }),
      new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256', EncryptionContext: { TenantId: thief } }),
    ];
    for (const attempt of attempts) expect((await test.attempt(session, ({ kms }) => kms.send(attempt))).outcome).toBe('denied');
    const encrypt = new EncryptCommand({ KeyId: key, Plaintext: Buffer.from('x'), EncryptionContext });
    expect((await test.attempt(session, ({ kms }) => kms.send(encrypt))).outcome).toBe('denied');
  });
});
