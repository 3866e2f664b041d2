import { z } from 'zod';
import { trustedIssuers } from '../sessions/env.ts';
import { jsonText } from '../shared/json-text.ts';

/** What `revocations` is configured with. It reads in the caller's own tenant session, which `sessions` mints from the caller's token. */
export const revocationsEnv = z.object({
  SESSIONS_FUNCTION_NAME: z.string().min(1),
  REGISTRY_TABLE: z.string().min(1),
  /** Where what was asked for is published. */
  EVENT_BUS_NAME: z.string().min(1),
  TRUSTED_ISSUERS: jsonText(trustedIssuers),
});

export type RevocationsEnv = z.infer<typeof revocationsEnv>;
/** The same as plain strings: what the stack has to set. */
export type RevocationsEnvVariables = Readonly<Record<keyof z.input<typeof revocationsEnv>, string>>;
