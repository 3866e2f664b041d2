import { z } from 'zod';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { jsonText } from '../shared/json-text.ts';

/** What `sweep` (`find-due.lambda.ts`) is configured with. */
export const sweepEnv = z.object({
  REGISTRY_TABLE: z.string().min(1),
  /** Which queue takes what is due, by the part of the sort key before `#`: `{"CONNECTION":"https://sqs…"}`. */
  DUE_QUEUES: jsonText(z.record(z.string().regex(/^[A-Z]+$/), endpointUrl)),
  /** Messages in a queue and in work beyond which nothing is added. */
  MAX_IN_FLIGHT: z.coerce.number().int().min(1).max(100_000).default(200),
  /** Messages for one tenant per run. */
  MAX_PER_TENANT: z.coerce.number().int().min(1).max(1000).default(10),
});

type Optional = 'MAX_IN_FLIGHT' | 'MAX_PER_TENANT';
/** The same as plain strings: what the stack has to set. */
export type SweepEnvVariables = Readonly<
  Record<Exclude<keyof z.input<typeof sweepEnv>, Optional>, string> & Partial<Record<Optional, string>>
>;
