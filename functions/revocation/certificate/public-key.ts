import { createPublicKey, type KeyObject } from 'node:crypto';
import { sha256Of } from './split-parts.ts';

/** SHA-256 of a public key's DER form (SubjectPublicKeyInfo), in hex: short enough to compare by eye. */
export function fingerprintOf(key: KeyObject | string): string {
  return sha256Of((typeof key === 'string' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' }));
}
