import { z } from 'zod';
import { providersConfig, providerUrls } from '../providers/providers-config.ts';
import { jsonText } from '../shared/json-text.ts';
import { arn, workerEnv } from '../shared/worker-env.ts';

/** What `revocation` (`revoke.lambda.ts`) is configured with. Only this function reads it; the stack provides exactly these variables. */
export const revocationEnv = z.object({
  ...workerEnv,
  TENANT_REVOKER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** The key that signs certificates. */
  EVIDENCE_KEY_ARN: arn,
  /** The platform's secret that tells decoys from credentials. */
  HONEY_KEY_SECRET_ARN: arn,
  CUT_OFFS_TABLE: z.string().min(1),
  CUT_OFF_QUEUE_URL: z.string().min(1),
  /** Providers Cordon can revoke keys at: `{"openai":{"adminSecretArn":"…"}}`, see `providers-config.ts`. */
  PROVIDERS: jsonText(providersConfig),
  /** Addresses of development, honoured only with ALLOW_LOOPBACK_EGRESS: of providers, of their administrations, of their token endpoints. */
  PROVIDER_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_ADMIN_BASE_URLS: jsonText(providerUrls).default({}),
  PROVIDER_TOKEN_URLS: jsonText(providerUrls).default({}),
  /** `true` in the local cloud. Ignored in a deployed function. */
  ALLOW_LOOPBACK_EGRESS: z.string().optional(),
});

export type RevocationEnv = z.infer<typeof revocationEnv>;
type Optional = 'PROVIDER_BASE_URLS' | 'PROVIDER_ADMIN_BASE_URLS' | 'PROVIDER_TOKEN_URLS' | 'ALLOW_LOOPBACK_EGRESS';
/** The same as plain strings: what the stack has to set. */
export type RevocationEnvVariables = Readonly<
  Record<Exclude<keyof z.input<typeof revocationEnv>, Optional>, string> & Partial<Record<Optional, string>>
>;
