import { z } from 'zod';

export const arn = z.string().regex(/^arn:[^:]+:[^:]+:/);

/** What a consumer of a queue is told of it, and where it publishes what came of a message. */
export const consumerEnv = {
  EVENT_BUS_NAME: z.string().min(1),
  QUEUE_URL: z.string().min(1),
  DEAD_LETTER_QUEUE_URL: z.string().min(1),
  /** Deliveries of one message before it is given up; the queue's own redrive count must be higher, so that the reason is always recorded. */
  MAX_RECEIVE_COUNT: z.coerce.number().int().min(1).max(100),
};

/** What every worker behind a queue that acts for tenants is configured with. */
export const workerEnv = {
  REGISTRY_TABLE: z.string().min(1),
  ATTRIBUTION_TABLE: z.string().min(1),
  ...consumerEnv,
};
