import { z } from 'zod';
import { trustedIssuers } from '../sessions/env.ts';
import { jsonText } from '../shared/json-text.ts';

/** What `connections` is configured with. It reads in the caller's own tenant session, which `sessions` mints from the caller's token. */
export const connectionsEnv = z.object({
  SESSIONS_FUNCTION_NAME: z.string().min(1),
  REGISTRY_TABLE: z.string().min(1),
  ATTRIBUTION_TABLE: z.string().min(1),
  /** Where the wish to connect or to disconnect is published. */
  EVENT_BUS_NAME: z.string().min(1),
  TRUSTED_ISSUERS: jsonText(trustedIssuers),
  /** Where the customers' template lies. */
  TEMPLATE_BUCKET: z.string().min(1),
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  BYOC_CONNECTOR_ROLE_ARN: z.string().regex(/^arn:[^:]+:iam::\d{12}:role\//),
});

export type ConnectionsEnv = z.infer<typeof connectionsEnv>;
/** The same as plain strings: what the stack has to set. */
export type ConnectionsEnvVariables = Readonly<Record<keyof z.input<typeof connectionsEnv>, string>>;
