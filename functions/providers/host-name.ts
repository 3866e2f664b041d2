/** Names that no public server has (RFC 6761, RFC 6762, RFC 8375, RFC 7686; `internal` is reserved by ICANN for private use). */
const privateSuffixes: ReadonlySet<string> = new Set([
  'arpa',
  'corp',
  'example',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'onion',
  'private',
  'test',
]);

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** Lower case, at least two labels, the last one a word: so neither an address in any notation (`10.0.0.1`, `0x7f.1`, `2130706433`) nor a trailing dot. */
export const hostNamePattern = new RegExp(`^(?=.{4,253}$)(?:${label}\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$`);

/**
 * True for a DNS name in ASCII that may be a public server's. Names in other scripts are given in their ASCII form (`xn--…`, RFC 5890): only that is compared.
 * What the name resolves to is the egress guard's to judge, at each connection.
 */
export function isPublicHostName(text: string): boolean {
  return hostNamePattern.test(text) && !privateSuffixes.has(text.slice(text.lastIndexOf('.') + 1));
}
