import { createHash } from 'node:crypto';
import { encodeTime } from 'ulid';
import { canonicalJson } from '../../byoc/probe/sign-evidence.ts';

/** Crockford's base 32, as ULIDs are written. Source: github.com/ulid/spec. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const timeLength = 10;
const restLength = 16;

/**
 * A ULID that follows from what the certificate says: whoever makes the same one again after a crash comes to the same ID, finds what is there already, and leaves
 * nothing behind that belongs to none.
 *
 * @param at milliseconds since the epoch, of the newest fact in it
 */
export function certificateIdOf(content: unknown, at: number): string {
  const digest = createHash('sha256').update(canonicalJson(content)).digest();
  const rest = [...digest.subarray(0, restLength)].map((byte) => alphabet[byte & 31]).join('');
  return encodeTime(at, timeLength) + rest;
}
