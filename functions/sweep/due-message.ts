import { z } from 'zod';
import { tenantId } from '../shared/identifier-fields.ts';

/** What the sweep puts on a worker's queue: which item is due, and since when. The worker believes the item, not the message. */
export const dueMessage = z.strictObject({
  version: z.literal(1),
  kind: z.literal('due'),
  tenantId,
  /** The item's sort key, e.g. `CONNECTION#444455556666`. */
  sk: z.string().min(1).max(256),
  /** Milliseconds since the epoch. */
  dueAt: z.int().min(0),
});
export type DueMessage = z.infer<typeof dueMessage>;
