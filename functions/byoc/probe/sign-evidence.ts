import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** Signs with a KMS key; `probe-aws.ts` does it with the SDK. @returns a DER signature over the SHA-256 digest */
export interface EvidenceSigner {
  sign(keyArn: string, digest: Uint8Array): Promise<Uint8Array>;
}

/** A document nobody can have changed since: verified with the key's public half alone, without AWS. */
export interface SignedEvidence {
  /** Canonical JSON: what was signed, byte for byte. */
  readonly document: string;
  readonly algorithm: 'ECDSA_SHA_256';
  /** Base64 of the DER signature. */
  readonly signature: string;
  readonly keyArn: string;
}

/**
 * Signs what was found, so that it can be shown later.
 *
 * @param keyArn an asymmetric key, ECC_NIST_P256, for SIGN_VERIFY
 * @param document plain JSON values; members that are undefined are left out
 */
export async function signEvidence(signer: EvidenceSigner, keyArn: string, document: unknown): Promise<SignedEvidence> {
  const text = canonicalJson(document);
  const digest = createHash('sha256').update(text).digest();
  const signature = await signer.sign(keyArn, digest);
  return { document: text, algorithm: 'ECDSA_SHA_256', signature: Buffer.from(signature).toString('base64'), keyArn };
}

/**
 * @param publicKey as KMS's GetPublicKey gives it (DER, SubjectPublicKeyInfo), or the same as PEM
 * @returns false for a changed document, another key or what is no signature
 *
 * Source: KMS Developer Guide, "Offline verification" (ECDSA signatures are DER, as in RFC 3279 section 2.2.3).
 */
export function verifyEvidence(
  { document, signature }: Pick<SignedEvidence, 'document' | 'signature'>,
  publicKey: Uint8Array | string,
): boolean {
  return verify('sha256', Buffer.from(document), { key: keyOf(publicKey), dsaEncoding: 'der' }, Buffer.from(signature, 'base64'));
}

function keyOf(publicKey: Uint8Array | string): KeyObject {
  return typeof publicKey === 'string'
    ? createPublicKey(publicKey)
    : createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
}

/** One text for one value: members sorted by name, no white space. Source: RFC 8785 (numbers and strings are as ECMAScript writes them). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
