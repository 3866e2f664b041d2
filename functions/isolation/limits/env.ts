import { z } from 'zod';
import { consumerEnv } from '../../shared/worker-env.ts';

/** What the correlation of rate limits is configured with. */
export const limitsEnv = z.object({
  ...consumerEnv,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** Who was throttled by which provider, and when; of the last hours. */
  THROTTLINGS_TABLE: z.string().min(1),
});

/** The same as plain strings: what the stack has to set. */
export type LimitsEnvVariables = Readonly<Record<keyof z.input<typeof limitsEnv>, string>>;
