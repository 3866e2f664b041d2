import { z } from 'zod';
import { arn, workerEnv } from '../../shared/worker-env.ts';

const { EVENT_BUS_NAME, QUEUE_URL, DEAD_LETTER_QUEUE_URL, MAX_RECEIVE_COUNT } = workerEnv;

/** What the watch of CloudTrail is configured with. */
export const watchEnv = z.object({
  EVENT_BUS_NAME,
  QUEUE_URL,
  DEAD_LETTER_QUEUE_URL,
  MAX_RECEIVE_COUNT,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
  /** The platform's secret that tells decoys from credentials. */
  HONEY_KEY_SECRET_ARN: arn,
  CUT_OFFS_TABLE: z.string().min(1),
  CUT_OFF_QUEUE_URL: z.string().min(1),
});

/** The same as plain strings: what the stack has to set. */
export type WatchEnvVariables = Readonly<Record<keyof z.input<typeof watchEnv>, string>>;
