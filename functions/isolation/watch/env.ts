import { z } from 'zod';
import { workerEnv } from '../../shared/worker-env.ts';

const { EVENT_BUS_NAME, QUEUE_URL, DEAD_LETTER_QUEUE_URL, MAX_RECEIVE_COUNT } = workerEnv;

/** What the watch of CloudTrail is configured with. */
export const watchEnv = z.object({
  EVENT_BUS_NAME,
  QUEUE_URL,
  DEAD_LETTER_QUEUE_URL,
  MAX_RECEIVE_COUNT,
  PLATFORM_ACCOUNT_ID: z.string().regex(/^\d{12}$/),
});

/** The same as plain strings: what the stack has to set. */
export type WatchEnvVariables = Readonly<Record<keyof z.input<typeof watchEnv>, string>>;
