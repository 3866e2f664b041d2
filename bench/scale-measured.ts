import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Calls by `service operation`, e.g. `dynamodb BatchGetItem`. */
const calls = z.record(z.string(), z.number().int().min(0));

const measured = z.strictObject({
  calls: z.strictObject({ onboarding: calls, firstUse: calls, warmUse: calls, rotation: calls }),
  /** Calls of the sweep and of the writer of cut-offs in a minute in which nothing is due. */
  idleMinute: z.number(),
  /** As DynamoDB counts them. */
  bytes: z.strictObject({
    /** The two entries of one use, without indexes. */
    useEntries: z.number(),
    registryOfTenant: z.number(),
  }),
});
export type Measured = z.infer<typeof measured>;

/** What `flows.ts` has measured on the local cloud. */
export function readMeasured(): Measured {
  return measured.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'measured.json'), 'utf8')));
}
