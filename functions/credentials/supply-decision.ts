import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { nonceLifeMs } from './door-key.ts';
import type { NonceItem, Supplier } from './door-store.ts';

const freshNonce = 'get a fresh one with GET /v1/credentials/public-key and seal the secret again';

/**
 * The credential, if this caller may supply its secret. Pure.
 *
 * A user's own secret is that user's alone, whatever anybody's role. To everybody else it is as unknown as a credential that does not exist or is another tenant's.
 *
 * @throws CordonError SUPPLIER_NOT_ALLOWED | CREDENTIAL_UNKNOWN | CREDENTIAL_NOT_SUPPLIED
 */
export function suppliable(credential: CredentialItem | undefined, supplier: Supplier, supplierRoles: ReadonlySet<string>): CredentialItem {
  const own = credential?.userId !== undefined && credential.userId === supplier.userId;
  // Asked first, so that who may not supply learns nothing of what exists.
  if (!own && !supplierRoles.has(supplier.role ?? '')) {
    throw new CordonError(
      'SUPPLIER_NOT_ALLOWED',
      `only a caller whose role is ${[...supplierRoles].join(' or ')} may supply this tenant's secrets, and a user their own`,
    );
  }
  if (!credential || (credential.userId !== undefined && !own))
    throw new CordonError('CREDENTIAL_UNKNOWN', 'there is no such credential: request it first');
  if (credential.source !== 'customer-supplied')
    throw new CordonError('CREDENTIAL_NOT_SUPPLIED', `the credential is ${credential.source}: its secret is not supplied`);
  if (credential.status !== 'awaiting' && credential.status !== 'active')
    throw new CordonError('CREDENTIAL_NOT_SUPPLIED', `the credential is ${credential.status}: request one with another ID`);
  return credential;
}

export interface NonceUse {
  readonly supplier: Supplier;
  readonly kid: string;
  /** SHA-256 of the ciphertext. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The nonce, if it permits this ciphertext for this credential. Pure.
 *
 * No nonce permits anything once the credential got a secret after it was given out: an older key must not come back over the newer.
 *
 * An open nonce permits any ciphertext; a claimed one only that which it was bound to, so that a supply that was interrupted, or met a provider that was down, may
 * be sent again as it is until the nonce ends. Not once another supply has begun on the credential: the older key must not come back over the newer.
 *
 * @throws CordonError SUPPLY_NONCE_REFUSED | CONFLICT
 */
export function usable(nonce: NonceItem | undefined, credential: CredentialItem, use: NonceUse): NonceItem {
  const refuse = (why: string): CordonError => new CordonError('SUPPLY_NONCE_REFUSED', `the nonce ${why}: ${freshNonce}`);
  // Another user's nonce is as unknown as none.
  if (!nonce || nonce.userId !== use.supplier.userId) throw refuse('is not known');
  if (nonce.status === 'used') throw refuse('was used');
  if (use.now >= nonce.expiresAt) throw refuse('has ended');
  if (nonce.kid !== use.kid) throw refuse('was given out with another key');
  if (nonce.expiresAt - nonceLifeMs < (credential.suppliedAt ?? 0)) throw refuse('is older than the secret in force');
  if (nonce.claim) {
    const { digest, credentialId, attempt } = nonce.claim;
    if (digest !== use.digest || credentialId !== credential.credentialId) throw refuse('is bound to another ciphertext');
    if (attempt !== credential.attempt) throw refuse('is older than another supply of this credential');
  }
  if (use.now < credential.leaseUntil)
    throw new CordonError('CONFLICT', 'a secret of this credential is being taken in: try again in a minute', { retryable: true });
  return nonce;
}
