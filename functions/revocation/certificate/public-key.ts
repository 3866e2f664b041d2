import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { sha256Of } from './split-parts.ts';

/** SHA-256 of a public key's DER form (SubjectPublicKeyInfo), in hex: short enough to compare by eye. */
export function fingerprintOf(key: KeyObject | string): string {
  return sha256Of((typeof key === 'string' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' }));
}

/** A key that Cordon may have signed with, ECDSA on P-256; undefined for anything else. @param pem SubjectPublicKeyInfo */
export function publicKeyIn(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    // Whatever it is: it is no key.
    return undefined;
  }
}

/**
 * Which key a signed file is checked with: the one that the checker names, or else the one in the file.
 *
 * @param own PEM, as the file has it
 * @param pinned PEM, from somewhere else than the file
 * @param problems is told what is wrong with either, and that they differ
 */
export function keyToCheckWith(
  own: string,
  pinned: string | undefined,
  problems: string[],
): { readonly object: KeyObject; readonly source: 'pinned' | 'file' } | undefined {
  const inFile = publicKeyIn(own);
  if (inFile === undefined) problems.push('the public key in the file is none for ECDSA on P-256');
  if (pinned === undefined) return inFile && { object: inFile, source: 'file' };
  const named = publicKeyIn(pinned);
  if (named === undefined) problems.push('the public key that was named is none for ECDSA on P-256');
  if (named && inFile && !named.equals(inFile)) problems.push('the public key in the file is not the one that was named');
  return named && { object: named, source: 'pinned' };
}

/**
 * Whether a text was signed by this key.
 *
 * @param signature base64, in the one way that base64 writes it
 *
 * Source: KMS Developer Guide, "Offline verification" (signatures are DER, as in RFC 3279 section 2.2.3).
 */
export function isSignedBy(key: KeyObject, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64');
  return bytes.toString('base64') === signature && verify('sha256', Buffer.from(text), { key, dsaEncoding: 'der' }, bytes);
}
