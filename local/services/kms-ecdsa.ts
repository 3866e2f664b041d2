/**
 * ECDSA on P-256 over a digest. Node signs messages only, and KMS signs digests too (MessageType DIGEST); whoever holds the private key needs
 * nothing but multiples of the base point for both directions. Not in constant time: for the local cloud only. Sources: FIPS 186-5, section
 * 6.4; SEC 1, section C.5 (the signature in DER).
 */
import { createECDH, randomBytes } from 'node:crypto';

/** The order of P-256's base point (SP 800-186, section 3.2.1.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const bytes = 32;

/** `privateKey`: the scalar d. `digest`: 32 bytes. Answers the signature as a DER sequence of r and s. */
export function signDigest(privateKey: bigint, digest: Uint8Array): Buffer {
  for (;;) {
    const nonce = toNumber(randomBytes(bytes));
    if (nonce === 0n || nonce >= order) continue;
    const r = multipleOfBase(nonce);
    const s = (inverse(nonce) * (toNumber(digest) + r * privateKey)) % order;
    if (r !== 0n && s !== 0n) return derSequence([derInteger(r), derInteger(s)]);
  }
}

/** False also for what is no DER sequence of two integers. */
export function isSignatureOf(privateKey: bigint, digest: Uint8Array, signature: Buffer): boolean {
  const [r, s] = readSignature(signature) ?? [0n, 0n];
  if (r <= 0n || r >= order || s <= 0n || s >= order) return false;
  const w = inverse(s);
  // u1·G + u2·Q, and Q is d·G.
  const u = (toNumber(digest) * w + r * w * privateKey) % order;
  return u !== 0n && multipleOfBase(u) === r;
}

/** The x coordinate of `scalar`·G, modulo the order. */
function multipleOfBase(scalar: bigint): bigint {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(toBytes(scalar));
  return toNumber(curve.getPublicKey().subarray(1, 1 + bytes)) % order;
}

/** By Fermat: the order is a prime. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value % order;
  for (let exponent = order - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % order;
    base = (base * base) % order;
  }
  return result;
}

export function toNumber(value: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(value).toString('hex')}`);
}

function toBytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

/** Two integers of at most 33 bytes: every length fits in one byte. */
function derInteger(value: bigint): Buffer {
  const hex = value.toString(16);
  const magnitude = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const content = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), magnitude]) : magnitude;
  return Buffer.concat([Buffer.of(0x02, content.length), content]);
}

function derSequence(parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}

/** Only the canonical form is read: what was read, written again, must be what came. */
function readSignature(signature: Buffer): [r: bigint, s: bigint] | undefined {
  const rLength = signature[3] ?? 0;
  const r = signature.subarray(4, 4 + rLength);
  const s = signature.subarray(6 + rLength);
  if (r.length === 0 || s.length === 0) return undefined;
  const [rValue, sValue] = [toNumber(r), toNumber(s)];
  return derSequence([derInteger(rValue), derInteger(sValue)]).equals(signature) ? [rValue, sValue] : undefined;
}
