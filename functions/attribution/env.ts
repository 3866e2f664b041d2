import { z } from 'zod';

/** What `evidence` is configured with. It reads in the caller's own tenant session, which `sessions` mints from the caller's token. */
export const evidenceEnv = z.object({
  SESSIONS_FUNCTION_NAME: z.string().min(1),
  ATTRIBUTION_TABLE: z.string().min(1),
});

export type EvidenceEnv = z.infer<typeof evidenceEnv>;
/** The same as plain strings: what the stack has to set. */
export type EvidenceEnvVariables = Readonly<Record<keyof z.input<typeof evidenceEnv>, string>>;
