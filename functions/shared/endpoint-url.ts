import { z } from 'zod';

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** True for `https:` and, because it never leaves the machine, for `http:` to a loopback address. No user info, so that no URL carries a secret. */
export function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && loopbackHosts.has(url.hostname));
}

/** A URL that plaintext keys and tokens may be sent to. */
export const endpointUrl = z.string().max(512).refine(isSafeEndpoint, 'must be an https URL (http only to a loopback address)');
