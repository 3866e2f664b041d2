import { z } from 'zod';
import { arn, consumerEnv } from '../../shared/worker-env.ts';

/** What the watch of CloudTrail is configured with. */
export const watchEnv = z.object({
  ...consumerEnv,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** The platform's secret that tells decoys from credentials. */
  HONEY_KEY_SECRET_ARN: arn,
  CUT_OFFS_TABLE: z.string().min(1),
  CUT_OFF_QUEUE_URL: z.string().min(1),
});

/** The same as plain strings: what the stack has to set. */
export type WatchEnvVariables = Readonly<Record<keyof z.input<typeof watchEnv>, string>>;
