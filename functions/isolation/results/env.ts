import { z } from 'zod';
import { trustedIssuers } from '../../sessions/env.ts';
import { jsonText } from '../../shared/json-text.ts';
import { canaryIds } from '../canaries.ts';

/** What `isolationApi` is configured with. It reads a tenant's runs in the caller's own tenant session, which `sessions` mints from the caller's token. */
export const resultsEnv = z.object({
  SESSIONS_FUNCTION_NAME: z.string().min(1),
  REGISTRY_TABLE: z.string().min(1),
  ISOLATION_TABLE: z.string().min(1),
  /** Where what was asked for is published. */
  EVENT_BUS_NAME: z.string().min(1),
  TRUSTED_ISSUERS: jsonText(trustedIssuers),
});

export type ResultsEnv = z.infer<typeof resultsEnv>;
/** The same as plain strings: what the stack has to set. */
export type ResultsEnvVariables = Readonly<Record<keyof z.input<typeof resultsEnv>, string>>;

/** The partition of the daily runs, which every tenant may see: the one that the function's own role reads. */
export const dailyPartition = `TENANT#${canaryIds.a}#`;
