import { z } from 'zod';

/** How it is known that the provider refuses a key. */
export const confirmation = z.enum([
  /** It was asked with the key, and refused it. */
  'refused',
  /** The secret is not there any more to ask with; the provider's own list of keys is without it. */
  'not-listed',
  /** A person said so, by `RevocationConfirmed`. */
  'attested',
]);

/** One key of a credential that is ended. Times are milliseconds since the epoch. */
export const endedVersion = z.object({
  versionId: z.string(),
  /** Of a key that Cordon made. */
  keyId: z.string().optional(),
  /** When the provider was told to revoke it; not there for what the customer made, which is the customer's to revoke. */
  revokedAt: z.int().optional(),
  confirmedAt: z.int().optional(),
  confirmation: confirmation.optional(),
  /** Who attested. */
  attestedBy: z.string().optional(),
  /** How they know. */
  attestation: z.string().optional(),
  /** ID of the attribution entry that shows it. */
  proofId: z.string().optional(),
});
export type EndedVersion = z.infer<typeof endedVersion>;

/** What becomes of a revoked credential outside of the registry: a member of its item, there from the write on that revoked it. */
export const ending = z.object({
  /** The revocation that ended it: the first one, when several did. */
  revocationId: z.string(),
  requestedBy: z.string(),
  reason: z.string(),
  incidentId: z.string().optional(),
  since: z.int(),
  /** `revoking` → `confirming` → `deleting` → `ended`. `unconfirmed` is where what the provider does not confirm waits, and is asked about on. */
  phase: z.enum(['revoking', 'confirming', 'unconfirmed', 'deleting', 'ended']),
  /** Every key there was when it was revoked, and those found afterwards. */
  versions: z.array(endedVersion),
  /** Whose hold must have ended before the provider's list is believed: until then somebody may be making a key. */
  heldUntil: z.int(),
  /** When the provider's list was looked through, after that, for keys that nobody knows of. */
  straysAt: z.int().optional(),
  stagedOutAt: z.int().optional(),
  deletedAt: z.int().optional(),
  /** When it is to be looked at next. */
  nextAt: z.int(),
  probes: z.int().min(0),
  setbacks: z.int().min(0),
  /** Code of what went wrong last. */
  problem: z.string().optional(),
  unconfirmedSince: z.int().optional(),
  remindedAt: z.int().optional(),
  /** True once `CredentialRevoked` was published. */
  announced: z.boolean(),
});
export type Ending = z.infer<typeof ending>;
