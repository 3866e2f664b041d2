import { z } from 'zod';
import { providersConfig, providerUrls } from '../providers/providers-config.ts';
import { jsonText } from '../shared/json-text.ts';
import { arn, workerEnv } from '../shared/worker-env.ts';
import { dedicatedEnv } from './dedicated-env.ts';

/** What `tenants` is configured with. Only this function reads it; the stack provides exactly these variables. */
export const tenantsEnv = z.object({
  ...workerEnv,
  TENANT_WRITER_ROLE_ARN: arn,
  TENANT_PROVISIONER_ROLE_ARN: arn,
  ...dedicatedEnv,
  /** The platform's secret that tells decoys from credentials. */
  HONEY_KEY_SECRET_ARN: arn,
  /** Providers Cordon can make keys at: `{"openai":{"adminSecretArn":"…"}}`, see `providers-config.ts`. */
  PROVIDERS: jsonText(providersConfig),
  /** Addresses of development, honoured only with ALLOW_LOOPBACK_EGRESS: of providers, of their administrations, of their token endpoints. */
  PROVIDER_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_ADMIN_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_TOKEN_URLS: jsonText(providerUrls).default({}),
  /** `true` in the local cloud. Ignored in a deployed function. */
  ALLOW_LOOPBACK_EGRESS: z.string().optional(),
});

export type TenantsEnv = z.infer<typeof tenantsEnv>;
/** The same as plain strings: what the stack has to set. */
export type TenantsEnvVariables = Readonly<Record<keyof z.input<typeof tenantsEnv>, string>>;
