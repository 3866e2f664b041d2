import { z } from 'zod';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { jsonText } from '../shared/json-text.ts';

const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

/** An issuer whose tokens are believed, and the names of its claims. */
export const trustedIssuer = z.strictObject({
  issuer: endpointUrl,
  audiences: z.array(z.string().min(1)).min(1),
  jwksUri: endpointUrl,
  claims: z
    .strictObject({
      tenant: z.string().min(1).default('tenant_id'),
      subject: z.string().min(1).default('sub'),
      agent: z.string().min(1).default('agent_id'),
      session: z.string().min(1).default('session_id'),
      role: z.string().min(1).default('role'),
    })
    .prefault({}),
});
export type TrustedIssuer = z.infer<typeof trustedIssuer>;

/** What `sessions` is configured with. */
export const sessionsEnv = z.object({
  TENANT_READER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  REGISTRY_TABLE: z.string().min(1),
  TRUSTED_ISSUERS: jsonText(z.array(trustedIssuer)),
});

export type SessionsEnv = z.infer<typeof sessionsEnv>;
/** The same as plain strings: what the stack has to set. */
export type SessionsEnvVariables = Readonly<Record<keyof z.input<typeof sessionsEnv>, string>>;
