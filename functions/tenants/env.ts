import { z } from 'zod';
import { providersConfig, providerUrls } from '../providers/providers-config.ts';
import { jsonText } from '../shared/json-text.ts';
import { arn, workerEnv } from '../shared/worker-env.ts';

/** What `tenants` is configured with. Only this function reads it; the stack provides exactly these variables. */
export const tenantsEnv = z.object({
  ...workerEnv,
  TENANT_WRITER_ROLE_ARN: arn,
  TENANT_PROVISIONER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  /** The key of all pool tenants. */
  TENANT_KEY_ARN: arn,
  TENANT_BOUNDARY_ARN: arn,
  TENANT_ISOLATION_POLICY_ARN: arn,
  /** By which sessions are cut off: it is attached to a dedicated tenant's roles as to the shared ones. */
  TENANT_REVOKED_POLICY_ARN: arn,
  TENANT_READER_POLICY_ARN: arn,
  TENANT_WRITER_POLICY_ARN: arn,
  SESSIONS_ROLE_ARN: arn,
  TENANTS_ROLE_ARN: arn,
  /** The door's own role: it stores what a dedicated tenant hands over, through that tenant's writer. */
  DOOR_ROLE_ARN: arn,
  /** The rotation worker's own role: it stages through a dedicated tenant's writer, and tries versions it reads as its reader. */
  ROTATION_ROLE_ARN: arn,
  REVOCATION_ROLE_ARN: arn,
  TENANT_SUPPLIER_ROLE_ARN: arn,
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
