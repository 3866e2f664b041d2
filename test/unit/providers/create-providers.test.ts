import { describe, expect, it } from 'vitest';
import { createBedrock } from '../../../functions/providers/admin/bedrock.ts';
import { createAdminKeyReader } from '../../../functions/providers/admin-key.secrets-manager.ts';
import { createProviders } from '../../../functions/providers/create-providers.ts';
import { providersConfig } from '../../../functions/providers/providers-config.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const key = { tenantId: acme, credentialId: main, attempt: 1, mayExist: false };
const google = { projectNumber: '123', clientEmail: 'admin@example.com' };
const uuid = '00000000-0000-4000-8000-000000000000';
const azure = { tenantId: uuid, clientId: uuid, clientSecret: 'canary', subscriptionId: uuid, resourceGroup: 'cordon' };
const unreachable: typeof fetch = () => Promise.reject(new Error('nothing may be asked'));

describe('R4 an admin secret', () => {
  it.each([
    ['gemini', 'canary'],
    ['gemini', '{"projectNumber":"canary"}'],
    ['gemini', JSON.stringify({ ...google, privateKey: '-----BEGIN PRIVATE KEY-----\ncanary' })],
    ['azure-openai', JSON.stringify({ ...azure, subscriptionId: '../canary' })],
  ] as const)('of %s that is not in its form is said to be so, without its value', async (name, value) => {
    const provider = createProviders(
      { [name]: { adminSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:x' } },
      { clock: () => 0, readAdminKey: async () => new SecretText(value), fetchUrl: unreachable },
    )[name];
    const failed = await provider
      ?.listKeys({ accountId: '1' }, acme, main)
      .then(() => provider.revokeKey({ accountId: '1' }, 'Key1'))
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining(`the admin secret of ${name}`),
    });
    expect(String(failed)).not.toContain('canary');
  });

  it.each([
    ['has none', Object.assign(new Error('no value'), { name: 'ResourceNotFoundException' })],
    ['is blank', undefined],
  ])('without a value (%s) makes the provider unavailable and names it', async (_how, error) => {
    const client = { send: async () => (error ? Promise.reject(error) : { SecretString: ' \n' }) };
    const read = createAdminKeyReader(client);
    const { mistral } = createProviders(
      { mistral: { adminSecretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:m' } },
      { clock: () => 0, readAdminKey: read },
    );
    await expect(mistral?.ensureAccount(acme, false)).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      retryable: true,
      message: 'the admin secret of mistral has no value yet: an operator has to put one there',
    });
  });
});

describe('R4 the configuration of providers', () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:x';

  it('makes exactly those that are configured', () => {
    const config = providersConfig.parse({ openai: { adminSecretArn: arn }, gemini: { adminSecretArn: arn }, cohere: {} });
    const made = createProviders(config, { clock: () => 0, readAdminKey: async () => new SecretText('k') });
    expect(Object.keys(made)).toEqual(['openai', 'gemini', 'cohere']);
    expect(Object.entries(made).every(([name, provider]) => provider?.name === name)).toBe(true);
  });

  it.each([
    { groq: { adminSecretArn: arn } },
    { openai: {} },
    { openai: { adminSecretArn: arn, baseUrl: 'http://api.openai.com' } },
    { mistral: { adminSecretArn: arn, adminUrl: 'https://example.com' } },
  ])('refuses %j', (config) => {
    expect(providersConfig.safeParse(config).success).toBe(false);
  });
});

describe('R4 Bedrock', () => {
  const failing = (name: string): Parameters<typeof createBedrock>[0] => ({
    baseUrl: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
    openIam: async () => ({ send: () => Promise.reject(Object.assign(new Error('canary'), { name, $metadata: { httpStatusCode: 400 } })) }),
    policyArn: 'arn:aws:iam::111122223333:policy/p',
    boundaryArn: 'arn:aws:iam::111122223333:policy/b',
  });

  it.each([
    ['LimitExceededException', 'PROVIDER_REFUSED', false, 'bedrock refused making the user: a limit of IAM is reached'],
    ['ThrottlingException', 'PROVIDER_UNAVAILABLE', true, 'bedrock: making the user failed for now (ThrottlingException)'],
    ['AccessDenied', 'PROVIDER_REFUSED', false, 'bedrock: making the user was refused by IAM'],
  ])('says what IAM’s %s means', async (name, code, retryable, message) => {
    await expect(createBedrock(failing(name)).createKey({ accountId: 'acme' }, key)).rejects.toMatchObject({ code, retryable, message });
  });

  it('has revoked what IAM does not know', async () => {
    await expect(createBedrock(failing('NoSuchEntityException')).revokeKey({ accountId: 'acme' }, 'cordon.x')).resolves.toBeUndefined();
  });
});
