import { z } from 'zod';
import { credentialId, tenantId, userId } from '../shared/identifier-fields.ts';

/** On whose behalf, and through which function, something was done. */
export const actor = z.strictObject({
  /** The Cordon function that did it. */
  function: z.string().min(1),
  /** Who asked for it, as the event says. */
  requestedBy: z.string().optional(),
  userId: userId.optional(),
  agentId: z.string().optional(),
  sessionId: z.string().optional(),
});
export type Actor = z.infer<typeof actor>;

/**
 * How it ended. `refused`: IAM or the provider said no. `failed`: it could not be done, or nobody knows whether it was. Of a use through the broker also
 * `aborted`: the caller went away; `cut`: revoked while the answer was under way.
 */
export const outcome = z.strictObject({
  result: z.enum(['succeeded', 'refused', 'failed', 'aborted', 'cut']),
  /** Reason code of what went wrong, e.g. ACCESS_REFUSED. */
  code: z.string().optional(),
  /** The provider's HTTP status. */
  statusCode: z.int().optional(),
  /** Tokens, as the provider counted them. */
  usage: z.strictObject({ inputTokens: z.int().optional(), outputTokens: z.int().optional() }).optional(),
  /** Of the answer's body, as it was passed on. */
  bytes: z.int().optional(),
  durationMs: z.int().optional(),
});
export type Outcome = z.infer<typeof outcome>;

/** A document that was signed when it was made: what it says can be checked without Cordon, with the public half of the key alone. */
export const proof = z.strictObject({
  /** Canonical JSON: the signature is over these very bytes. */
  document: z.string(),
  algorithm: z.literal('ECDSA_SHA_256'),
  /** DER, base64. */
  signature: z.string(),
  keyArn: z.string(),
});
export type Proof = z.infer<typeof proof>;

/** What is known before the work begins. No secret, prompt or body is ever in it. */
const intentFields = z.object({
  /** ULID: time and identity in one; the outcome carries the same. */
  id: z.ulid(),
  tenantId,
  actor,
  credentialId: credentialId.optional(),
  credentialVersion: z.string().optional(),
  provider: z.string().optional(),
  /** What is done, e.g. `provider.create-key`. */
  operation: z.string().min(1),
  /** Further facts, short plain texts. */
  context: z.record(z.string(), z.string()),
  /** What the caller says of itself and nobody verified, e.g. the tool or the workflow run. */
  asserted: z.record(z.string(), z.string()).optional(),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});

export const intentEntry = intentFields.extend({ kind: z.literal('INTENT') });
export const outcomeEntry = intentFields.extend({ kind: z.literal('OUTCOME'), outcome, proof: proof.optional() });
export const attributionEntry = z.discriminatedUnion('kind', [intentEntry, outcomeEntry]);

export type IntentEntry = z.infer<typeof intentEntry>;
export type OutcomeEntry = z.infer<typeof outcomeEntry>;
export type AttributionEntry = z.infer<typeof attributionEntry>;
