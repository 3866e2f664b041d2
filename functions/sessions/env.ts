import { z } from 'zod';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { tenantId } from '../shared/identifier-fields.ts';
import { jsonText } from '../shared/json-text.ts';

const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

/**
 * Where a claim stands. A text is the name of a top-level claim, taken literally: `kubernetes.io` and `https://acme.example/tenant` are names, not paths. A list
 * is a path of names, each inside the one before: `["kubernetes.io", "serviceaccount", "name"]`.
 */
const claimPath = z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(8)]);
export type ClaimPath = z.infer<typeof claimPath>;

/** An issuer whose tokens are believed, and where its claims stand. */
export const trustedIssuer = z.strictObject({
  issuer: endpointUrl,
  audiences: z.array(z.string().min(1)).min(1),
  jwksUri: endpointUrl,
  claims: z
    .strictObject({
      tenant: claimPath.default('tenant_id'),
      subject: claimPath.default('sub'),
      agent: claimPath.default('agent_id'),
      session: claimPath.default('session_id'),
      role: claimPath.default('role'),
    })
    .prefault({}),
  /** The only tenants this issuer may speak for, e.g. the one whose cluster it is. Left out: any. */
  tenants: z.array(tenantId).min(1).optional(),
});
export type TrustedIssuer = z.infer<typeof trustedIssuer>;

export const trustedIssuers = z.array(trustedIssuer);

/** What `sessions` is configured with. */
export const sessionsEnv = z.object({
  TENANT_READER_ROLE_ARN: arn,
  /** `arn:aws:iam::{account}:role/cordon/TenantAgent-` */
  DEDICATED_ROLE_ARN_PREFIX: arn,
  REGISTRY_TABLE: z.string().min(1),
  /** Where isolation violations that the broker reports are published. */
  EVENT_BUS_NAME: z.string().min(1),
  TRUSTED_ISSUERS: jsonText(trustedIssuers),
});

/** The same as plain strings: what the stack has to set. */
export type SessionsEnvVariables = Readonly<Record<keyof z.input<typeof sessionsEnv>, string>>;
