/**
 * The forms in which a secret may come back, as patterns for `scrubber.ts`. A pattern is a row of characters, each with the bytes that may stand for it;
 * whether one is written plainly or escaped (JSON, URL) is the automaton's business.
 */

/** Per place the bytes that may stand there. */
export type Pattern = readonly (readonly number[])[];

/** An encoded form shorter than this would be found in harmless text. */
const shortestEncoded = 8;

export function patternsOf(secret: string): readonly Pattern[] {
  const bytes = Buffer.from(secret, 'utf8');
  if (bytes.length === 0) return [];
  const encoded = [...[0, 1, 2].map((offset) => base64Pattern(bytes, offset)), hexPattern(bytes)];
  return [[...bytes].map((byte) => [byte]), ...encoded.filter((pattern) => pattern.length >= shortestEncoded)];
}

/**
 * Base64 and base64url (RFC 4648) of a text that has the secret in it after `offset` (modulo 3) other bytes: the characters that depend on the secret alone.
 */
function base64Pattern(bytes: Buffer, offset: number): Pattern {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const from = Math.ceil((offset * 8) / 6);
  const to = Math.floor(((offset + bytes.length) * 8) / 6);
  return [...text.slice(from, to)].map((character) => {
    if (character === '+') return codesOf('+-');
    if (character === '/') return codesOf('/_');
    return codesOf(character);
  });
}

function hexPattern(bytes: Buffer): Pattern {
  return [...bytes.toString('hex')].map((digit) => codesOf(digit === digit.toUpperCase() ? digit : digit + digit.toUpperCase()));
}

function codesOf(characters: string): readonly number[] {
  return [...characters].map((character) => character.charCodeAt(0));
}
