import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { trustedIssuers } from '../sessions/env.ts';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { jsonText } from '../shared/json-text.ts';

const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

/** What the door (`supply-secret.lambda.ts`) is configured with. */
export const doorEnv = z.object({
  REGISTRY_TABLE: z.string().min(1),
  ATTRIBUTION_TABLE: z.string().min(1),
  EVENT_BUS_NAME: z.string().min(1),
  TENANT_SUPPLIER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  /** The key of all pool tenants. */
  TENANT_KEY_ARN: arn,
  /** The same issuers as `sessions`: the door verifies the caller's token itself. */
  TRUSTED_ISSUERS: jsonText(trustedIssuers),
  /** Values of the role claim whose bearers may supply a tenant's secrets: a JSON array. A user's own secret is supplied by that user whatever the role. */
  SUPPLIER_ROLES: jsonText(z.array(z.string().min(1)).min(1)).default(['admin']),
  /** Where providers are instead of at their own address: `{"openai":"http://127.0.0.1:4000/openai/v1"}`. Honoured only with ALLOW_LOOPBACK_EGRESS. */
  PROVIDER_BASE_URLS: jsonText(z.partialRecord(providerName, endpointUrl)).default({}),
  /** `true` in the local cloud. Ignored in a deployed function. */
  ALLOW_LOOPBACK_EGRESS: z.string().optional(),
});

export type DoorEnv = z.infer<typeof doorEnv>;
type Optional = 'SUPPLIER_ROLES' | 'PROVIDER_BASE_URLS' | 'ALLOW_LOOPBACK_EGRESS';
/** The same as plain strings: what the stack has to set. */
export type DoorEnvVariables = Readonly<
  Record<Exclude<keyof z.input<typeof doorEnv>, Optional>, string> & Partial<Record<Optional, string>>
>;
