import type { Clock } from '../shared/clock.ts';
import type { SecretText } from '../shared/secret-text.ts';
import { createAnthropic } from './admin/anthropic.ts';
import { createAzureOpenAi } from './admin/azure-openai.ts';
import { createCohere } from './admin/cohere.ts';
import { createGemini } from './admin/gemini.ts';
import { createMistral } from './admin/mistral.ts';
import { createOpenAi } from './admin/openai.ts';
import { createOpenRouter } from './admin/openrouter.ts';
import { createAdminKey } from './admin-key.ts';
import type { Provider } from './provider.ts';
import type { ProviderName } from './provider-name.ts';
import type { AdministeredProvider, ProvidersConfig } from './providers-config.ts';

export interface ProvidersDeps {
  readonly clock: Clock;
  /** Reads a provider's admin secret. What it throws is what the provider's calls throw. */
  readonly readAdminKey: (provider: ProviderName, secretArn: string) => Promise<SecretText>;
  readonly fetchUrl?: typeof fetch;
}

/**
 * Every provider that is configured, each with its admin key read at its first use. Bedrock is not among them: its keys are made in IAM, in the tenant's own session
 * (`admin/bedrock.ts`), so whoever serves dedicated tenants adds it.
 */
export function createProviders(config: ProvidersConfig, deps: ProvidersDeps): Partial<Record<ProviderName, Provider>> {
  const { clock, readAdminKey, fetchUrl } = deps;
  const made: Partial<Record<ProviderName, Provider>> = {};
  const add = <Name extends Exclude<keyof ProvidersConfig, 'cohere'>>(
    name: Name,
    create: (
      with_: Omit<AdministeredProvider, 'adminSecretArn'> & {
        adminKey: () => Promise<SecretText>;
        clock: Clock;
        fetchUrl?: typeof fetch | undefined;
      },
    ) => Provider,
  ): void => {
    const found = config[name];
    if (!found) return;
    const { adminSecretArn, ...urls } = found;
    made[name] = create({ ...urls, clock, fetchUrl, adminKey: createAdminKey({ clock, read: () => readAdminKey(name, adminSecretArn) }) });
  };
  add('openai', createOpenAi);
  add('mistral', createMistral);
  add('openrouter', createOpenRouter);
  add('gemini', createGemini);
  add('azure-openai', createAzureOpenAi);
  add('anthropic', createAnthropic);
  if (config.cohere) made.cohere = createCohere({ ...config.cohere, fetchUrl });
  return made;
}
