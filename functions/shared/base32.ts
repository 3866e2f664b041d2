const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first `length` lower-case base32 characters of these bytes: five bits each, and the whole alphabet fits IAM names, tags and paths. */
export function base32(bytes: Uint8Array, length: number): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      text += alphabet.charAt((value >>> (bits - 5)) & 31);
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return text;
}
