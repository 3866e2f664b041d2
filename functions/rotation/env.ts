import { z } from 'zod';
import { providersConfig, providerUrls } from '../providers/providers-config.ts';
import { jsonText } from '../shared/json-text.ts';
import { arn, workerEnv } from '../shared/worker-env.ts';

/** What `rotation` (`advance-rotation.lambda.ts`) is configured with. Only this function reads it; the stack provides exactly these variables. */
export const rotationEnv = z.object({
  ...workerEnv,
  TENANT_ROTATOR_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  /** The key of all pool tenants. */
  TENANT_KEY_ARN: arn,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** Providers Cordon can make keys at: `{"openai":{"adminSecretArn":"…"}}`, see `providers-config.ts`. */
  PROVIDERS: jsonText(providersConfig),
  /** Addresses of development, honoured only with ALLOW_LOOPBACK_EGRESS: of providers, of their administrations, of their token endpoints. */
  PROVIDER_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_ADMIN_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_TOKEN_URLS: jsonText(providerUrls).default({}),
  /** `true` in the local cloud. Ignored in a deployed function. */
  ALLOW_LOOPBACK_EGRESS: z.string().optional(),
});

export type RotationEnv = z.infer<typeof rotationEnv>;
type Optional = 'PROVIDER_BASE_URLS' | 'PROVIDER_ADMIN_BASE_URLS' | 'PROVIDER_TOKEN_URLS' | 'ALLOW_LOOPBACK_EGRESS';
/** The same as plain strings: what the stack has to set. */
export type RotationEnvVariables = Readonly<
  Record<Exclude<keyof z.input<typeof rotationEnv>, Optional>, string> & Partial<Record<Optional, string>>
>;
