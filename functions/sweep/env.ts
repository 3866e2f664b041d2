import { z } from 'zod';
import { providerName } from '../providers/provider-name.ts';
import { endpointUrl } from '../shared/endpoint-url.ts';
import { jsonText } from '../shared/json-text.ts';

/** What `sweep` (`find-due.lambda.ts`) is configured with. */
export const sweepEnv = z.object({
  REGISTRY_TABLE: z.string().min(1),
  /** Which queue takes what is due, by the part of the sort key before `#`: `{"CONNECTION":"https://sqs…"}`. */
  DUE_QUEUES: jsonText(z.record(z.string().regex(/^[A-Z]+$/), endpointUrl)),
  /** Messages in a queue and in work beyond which nothing is added. */
  MAX_IN_FLIGHT: z.coerce.number().int().min(1).max(100_000).default(200),
  /** Messages for one tenant per run and queue. */
  MAX_PER_TENANT: z.coerce.number().int().min(1).max(1000).default(10),
  /** Credentials whose rotation one run sends on its way, where it differs from the default of their provider: `{"openai":120}`. Runs are a minute apart. */
  PROVIDER_PER_MINUTE: jsonText(z.partialRecord(providerName, z.int().min(1).max(10_000))).default({}),
});

type Optional = 'MAX_IN_FLIGHT' | 'MAX_PER_TENANT' | 'PROVIDER_PER_MINUTE';
/** The same as plain strings: what the stack has to set. */
export type SweepEnvVariables = Readonly<
  Record<Exclude<keyof z.input<typeof sweepEnv>, Optional>, string> & Partial<Record<Optional, string>>
>;
