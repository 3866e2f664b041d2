import { z } from 'zod';
import { tenantId, userId } from '../shared/identifier-fields.ts';
import type { TenantId, UserId } from '../shared/identifiers.ts';
import type { CredentialItem } from '../tenants/registry.ts';

/** A tenant's key pair for one calendar month. */
export const doorKey = z.object({
  tenantId,
  /** `yyyy-mm`, UTC: one pair a month, and racing makers agree on one. */
  month: z.string().regex(/^\d{4}-\d{2}$/),
  /** `{month}.{RFC 7638 thumbprint}` */
  kid: z.string(),
  publicKey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  /** Encrypted under `kmsKeyArn` with the tenant as context; base64. */
  privateKey: z.string(),
  kmsKeyArn: z.string(),
});
export type DoorKey = z.infer<typeof doorKey>;

/** A permit to supply one secret once. */
export const nonceItem = z.object({
  tenantId,
  value: z.string(),
  /** Who asked for it: nobody else may use it. */
  userId,
  /** The key pair it was given out with. */
  kid: z.string(),
  /** Milliseconds since the epoch. */
  expiresAt: z.int(),
  /** `claimed`: bound to one ciphertext, which may come again until it went through. `used`: over. */
  status: z.enum(['open', 'claimed', 'used']),
  /** Of a claimed one: SHA-256 of the ciphertext it is bound to, the credential it is for, and that credential's attempt. */
  claim: z.object({ digest: z.string(), credentialId: z.string(), attempt: z.int() }).optional(),
  version: z.int(),
});
export type NonceItem = z.infer<typeof nonceItem>;

/** A claimed nonce and the credential whose lease was taken with it. */
export interface Claim {
  readonly nonce: NonceItem;
  readonly credential: CredentialItem;
}

/** How a supply ended. */
export type Settlement =
  | {
      readonly result: 'stored';
      readonly secretArn: string;
      readonly secretVersionId: string;
      /** Milliseconds since the epoch. */
      readonly at: number;
    }
  /** The provider does not know the key: nothing was stored. */
  | { readonly result: 'refused' };

/**
 * What the door keeps between its two calls, in the registry of the tenant. `claim` and `settle` change nonce and credential together or not at all. All throw
 * CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED; reads ITEM_NOT_UNDERSTOOD; writes CONFLICT when somebody else wrote first.
 */
export interface DoorStore {
  doorKey(tenantId: TenantId, month: string): Promise<DoorKey | undefined>;
  /** Returns what is kept: another's pair when somebody made one for this month first. */
  addDoorKey(key: DoorKey): Promise<DoorKey>;
  nonce(tenantId: TenantId, value: string): Promise<NonceItem | undefined>;
  addNonce(nonce: NonceItem): Promise<void>;
  /** True when the agent or the session was revoked. */
  isRevoked(tenantId: TenantId, by: { agentId?: string | undefined; sessionId?: string | undefined }): Promise<boolean>;
  /** Binds the nonce to a ciphertext and takes the credential's lease. */
  claim(nonce: NonceItem, credential: CredentialItem, by: { digest: string; leaseUntil: number }): Promise<Claim>;
  /** Uses the nonce up and gives the lease back; a stored secret makes the credential active. */
  settle(claim: Claim, settlement: Settlement): Promise<CredentialItem>;
}

/** Who supplies, as the token says. */
export interface Supplier {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly role?: string;
  readonly subject: string;
}
