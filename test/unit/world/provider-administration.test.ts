import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import { administrationParameters, storeAdminSecrets } from '../../../local/provider-administration.ts';
import { createKms } from '../../../local/services/kms.ts';
import { createSecretsManager } from '../../../local/services/secrets-manager.ts';
import { startWorld, type World } from '../../../local/world/world.ts';
import { stringIn } from '../core/cloud.ts';

let world: World;
let kernel: LocalKernel;
let folder: string;
beforeEach(async () => {
  const clock = createClock();
  kernel = createKernel({ clock });
  kernel.register(createKms(kernel));
  kernel.register(createSecretsManager(kernel));
  world = await startWorld({ clock, takeFault: () => undefined });
  folder = await mkdtemp(join(tmpdir(), 'template-'));
});
afterEach(async () => {
  await world.close();
  await kernel.close();
  await rm(folder, { recursive: true });
});

const parametersWith = async (...names: string[]) => {
  const path = join(folder, 'template.json');
  const Parameters = Object.fromEntries(names.map((name) => [name, { Type: 'String', Default: '{}' }]));
  await writeFile(path, JSON.stringify({ Parameters, Resources: {} }));
  return administrationParameters(path, world);
};

describe('the stack and the administrations', () => {
  it('gets the base URLs in the parameters that its template has, and no others', async () => {
    expect(await parametersWith('TrustedIssuers', 'ProviderBaseUrls', 'UnheardBaseUrl')).toEqual({});
    const given = await parametersWith('ProviderAdminBaseUrls', 'ProviderTokenUrls');
    const origin = `http://127.0.0.1:${world.port}`;
    expect(JSON.parse(given['ProviderAdminBaseUrls'] ?? '')).toEqual({
      openai: `${origin}/openai/v1`,
      anthropic: `${origin}/anthropic`,
      gemini: `${origin}/gemini`,
      mistral: `${origin}/mistral/api/admin`,
      openrouter: `${origin}/openrouter/api/v1`,
      'azure-openai': `${origin}/azure-openai/management`,
    });
    expect(JSON.parse(given['ProviderTokenUrls'] ?? '')).toEqual({
      gemini: `${origin}/gemini/token`,
      'azure-openai': `${origin}/azure-openai/login`,
    });
  });

  it('is told where each single provider is', async () => {
    const origin = `http://127.0.0.1:${world.port}`;
    expect(
      await parametersWith('MistralBaseUrl', 'MistralAdminBaseUrl', 'AzureOpenAiAdminBaseUrl', 'AzureOpenAiTokenUrl', 'CohereTokenUrl'),
    ).toEqual({
      MistralBaseUrl: `${origin}/mistral/v1`,
      MistralAdminBaseUrl: `${origin}/mistral/api/admin`,
      AzureOpenAiAdminBaseUrl: `${origin}/azure-openai/management`,
      AzureOpenAiTokenUrl: `${origin}/azure-openai/login`,
    });
  });

  it('finds each admin credential in the secret that it made for it', async () => {
    const root = kernel.rootCaller(kernel.accountId);
    const outputs: Record<string, string> = { RegistryTable: 'registry' };
    const { KeyMetadata } = await kernel.call(root, 'kms', 'CreateKey', {});
    const KmsKeyId = stringIn(KeyMetadata, 'Arn');
    const providers = { OpenAi: 'openai', Mistral: 'mistral', OpenRouter: 'openrouter', Gemini: 'gemini', AzureOpenAi: 'azure-openai' };
    for (const name of Object.keys(providers)) {
      const { ARN } = await kernel.call(root, 'secretsmanager', 'CreateSecret', { Name: name, SecretString: 'placeholder', KmsKeyId });
      outputs[`${name}AdminSecretArn`] = String(ARN);
    }
    await storeAdminSecrets(kernel, outputs, world);
    for (const [name, provider] of Object.entries(providers)) {
      const { SecretString } = await kernel.call(root, 'secretsmanager', 'GetSecretValue', { SecretId: name });
      expect(SecretString, name).toBe(world.simulators[provider]?.adminSecret);
      expect(SecretString).not.toBe('placeholder');
    }
  });

  it('is not given a secret for a provider that has none', async () => {
    for (const name of ['Cohere', 'Bedrock', 'Unheard'])
      await expect(storeAdminSecrets(kernel, { [`${name}AdminSecretArn`]: 'arn' }, world)).rejects.toThrow(`${name}AdminSecretArn`);
  });
});
