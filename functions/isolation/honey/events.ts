import { z } from 'zod';
import { tenantId, userId } from '../../shared/identifier-fields.ts';
import { maxNamesTold } from './decoy-shape.ts';

/** As claims of a token are. */
const claimed = z.string().min(1).max(128);

/**
 * A call through the broker or to one of the APIs asked by names that may be a decoy's. Whoever it was stands in the token that was verified. Cordon's own event, of
 * source `cordon`.
 */
export const likelyDecoyNamed = z.strictObject({
  version: z.literal(1),
  tenantId,
  userId,
  agentId: claimed.optional(),
  sessionId: claimed.optional(),
  names: z.array(z.string().min(1).max(64)).min(1).max(maxNamesTold),
});
export type LikelyDecoyNamed = z.infer<typeof likelyDecoyNamed>;

export const observedEvents = { LikelyDecoyNamed: likelyDecoyNamed } as const;
export const observedDetailTypes = ['LikelyDecoyNamed'] as const satisfies readonly (keyof typeof observedEvents)[];
