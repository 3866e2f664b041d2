import { z } from 'zod';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { jsonText } from '../shared/json-text.ts';

const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

/** What `tenants` is configured with. Only this function reads it; the stack provides exactly these variables. */
export const tenantsEnv = z.object({
  REGISTRY_TABLE: z.string().min(1),
  ATTRIBUTION_TABLE: z.string().min(1),
  EVENT_BUS_NAME: z.string().min(1),
  QUEUE_URL: z.string().min(1),
  DEAD_LETTER_QUEUE_URL: z.string().min(1),
  /** Deliveries of one message before it is given up; the queue's own redrive count must be higher, so that the reason is always recorded. */
  MAX_RECEIVE_COUNT: z.coerce.number().int().min(1).max(100),
  TENANT_WRITER_ROLE_ARN: arn,
  TENANT_PROVISIONER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  /** The key of all pool tenants. */
  TENANT_KEY_ARN: arn,
  TENANT_BOUNDARY_ARN: arn,
  TENANT_ISOLATION_POLICY_ARN: arn,
  TENANT_READER_POLICY_ARN: arn,
  TENANT_WRITER_POLICY_ARN: arn,
  SESSIONS_ROLE_ARN: arn,
  TENANTS_ROLE_ARN: arn,
  /** The door's own role: it stores what a dedicated tenant hands over, through that tenant's writer. */
  DOOR_ROLE_ARN: arn,
  TENANT_SUPPLIER_ROLE_ARN: arn,
  /** Providers Cordon can make keys at: `{"openai":{"baseUrl":"…","adminSecretArn":"…"}}`. */
  PROVIDERS: jsonText(z.strictObject({ openai: z.strictObject({ baseUrl: endpointUrl, adminSecretArn: arn }).optional() })),
});

export type TenantsEnv = z.infer<typeof tenantsEnv>;
/** The same as plain strings: what the stack has to set. */
export type TenantsEnvVariables = Readonly<Record<keyof z.input<typeof tenantsEnv>, string>>;
