/** What the functions that administer keys are configured with. Free of clients: `env.ts` of several capabilities read it. */
import { z } from 'zod';
import { endpointUrl } from '../shared/endpoint-url.ts';
import type { ProviderName } from './provider-name.ts';

const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

const administered = z.strictObject({
  /** The secret that holds the admin credential, in the form that the provider's adapter describes. */
  adminSecretArn: arn,
  /** Stands in for the documented host of the data plane, with its base path: where keys are tried. */
  baseUrl: endpointUrl.optional(),
  /** Stands in for the documented host of the administration, where that is another one (mistral, gemini, azure-openai). */
  adminBaseUrl: endpointUrl.optional(),
  /** Stands in for Google's token endpoint (gemini), or for the host of Entra ID's (azure-openai). */
  tokenUrl: endpointUrl.optional(),
});
export type AdministeredProvider = z.infer<typeof administered>;

/** Those whose keys Cordon administers: `{"openai": {"adminSecretArn": "…", "baseUrl"?, "adminBaseUrl"?, "tokenUrl"?}, …}`. */
export const providersConfig = z.strictObject({
  openai: administered.optional(),
  mistral: administered.optional(),
  openrouter: administered.optional(),
  gemini: administered.optional(),
  'azure-openai': administered.optional(),
  anthropic: administered.optional(),
  /** Has no administration, hence no secret. */
  cohere: administered.omit({ adminSecretArn: true }).optional(),
}) satisfies z.ZodType<Partial<Record<ProviderName, Partial<AdministeredProvider>>>>;
export type ProvidersConfig = z.infer<typeof providersConfig>;

/** Addresses of development, by provider: `{"openai": "http://127.0.0.1:4567/openai/v1"}`. */
export const providerUrls = z.record(z.string(), endpointUrl);
type Urls = z.infer<typeof providerUrls>;

interface ProvidersEnv {
  readonly PROVIDERS: ProvidersConfig;
  readonly PROVIDER_BASE_URLS: Urls;
  readonly PROVIDER_ADMIN_BASE_URLS: Urls;
  readonly PROVIDER_TOKEN_URLS: Urls;
  readonly ALLOW_LOOPBACK_EGRESS?: string | undefined;
}

/**
 * The providers as a function is configured with them; in the local cloud with its simulators' addresses.
 *
 * @param runtime the environment: the Lambda runtime always sets its API's address, so where it is set the function is deployed, and providers are where they are
 */
export function configuredProviders(env: ProvidersEnv, runtime: Readonly<Record<string, string | undefined>>): ProvidersConfig {
  if (env.ALLOW_LOOPBACK_EGRESS !== 'true' || runtime['AWS_LAMBDA_RUNTIME_API'] !== undefined) return env.PROVIDERS;
  const over = Object.entries(env.PROVIDERS).map(([provider, known]) => [
    provider,
    {
      ...known,
      baseUrl: env.PROVIDER_BASE_URLS[provider],
      adminBaseUrl: env.PROVIDER_ADMIN_BASE_URLS[provider],
      tokenUrl: env.PROVIDER_TOKEN_URLS[provider],
    },
  ]);
  return providersConfig.parse(Object.fromEntries(over));
}
