import { z } from 'zod';

/** One stored version of a credential's secret and the key in it. */
export const heldVersion = z.object({
  versionId: z.string(),
  /** Of a key that Cordon made; a customer's is known by its version only. */
  keyId: z.string().optional(),
  ownerId: z.string().optional(),
  keyAttempt: z.int().min(0).optional(),
});
export type HeldVersion = z.infer<typeof heldVersion>;

/** How a credential gets its next key. `mint` keeps none: its tokens are made anew. */
const rotationStrategy = z.enum(['overlap', 'two-slot', 'customer-next', 'mint']);
export type RotationStrategy = z.infer<typeof rotationStrategy>;

const rotationPhase = z.enum(['creating', 'proving', 'grace', 'retiring', 'unproven']);
export type RotationPhase = z.infer<typeof rotationPhase>;

/** A rotation under way. Times are milliseconds since the epoch. */
export const rotating = z.object({
  /** ULID */
  rotationId: z.string(),
  phase: rotationPhase,
  strategy: rotationStrategy,
  reason: z.enum(['schedule', 'requested', 'emergency']),
  requestedBy: z.string(),
  why: z.string().optional(),
  since: z.int(),
  phaseSince: z.int(),
  /** Runs in a row that failed on it. */
  setbacks: z.int().min(0),
  /** The next key: what it will be called before it is made, and what the provider calls it afterwards. */
  pending: z
    .object({ versionId: z.string(), attempt: z.int().min(1), keyId: z.string().optional(), ownerId: z.string().optional() })
    .optional(),
  /** True once the provider was seen to accept the next key. */
  proven: z.boolean().optional(),
  /** What somebody asked for meanwhile, yet to be done. */
  wish: z.enum(['cancel', 'promote', 'rollback', 'retire']).optional(),
  /** The old key is retired then, in use or not. */
  graceUntil: z.int().optional(),
  retiredBy: z.enum(['drained', 'limit', 'emergency']).optional(),
  /** True once the provider was told to revoke the old keys. */
  revoked: z.boolean().optional(),
  /** How often the provider was asked about the old keys and accepted one still. */
  probes: z.int().min(0).optional(),
  /** Keys from before `previous`, when another rotation began before they were shown to be dead. */
  older: z.array(heldVersion).optional(),
  /** The event that is yet to be published. */
  untold: z.enum(['rotated', 'rolled-back']).optional(),
  askedAt: z.int().optional(),
  remindedAt: z.int().optional(),
});
export type Rotating = z.infer<typeof rotating>;
