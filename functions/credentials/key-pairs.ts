import type { TenantId } from '../shared/identifiers.ts';

/** A key pair whose private half nobody has seen. */
export interface SealedKeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /** The private half, encrypted under a KMS key with the tenant as context. */
  readonly privateKey: Uint8Array;
}

/** Makes and opens key pairs of one tenant, as far as the session behind it may. Throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED. */
export interface KeyPairs {
  /** @param kmsKeyArn the pool's key or the dedicated tenant's own */
  make(tenantId: TenantId, kmsKeyArn: string): Promise<SealedKeyPair>;
  /** The private half in the clear, PKCS #8, DER: for one use, never kept. */
  open(tenantId: TenantId, kmsKeyArn: string, privateKey: Uint8Array): Promise<Buffer>;
}
