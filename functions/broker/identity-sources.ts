import { bearerToken } from '../shared/bearer-token.ts';
import { CordonError } from '../shared/errors.ts';

/**
 * In which header a caller's token arrives. The vendors' own SDKs send their API key in one header each; whoever points an SDK at Cordon gives it the token in
 * place of the key. Source: `docs/broker.md` and each provider's API reference, "Authentication".
 *
 * One API Gateway resource and one authorizer per header: API Gateway refuses a request without the authorizer's identity source and caches by its value, so no
 * authorizer may accept a token from any other header (API Gateway Developer Guide, "Use API Gateway Lambda authorizers"). Anthropic's SDK sends its key in
 * `Authorization` since version 1 and sent it in `x-api-key` before: its resource takes either, exactly one of them, and its authorizer caches nothing.
 */

/** Header names in lower case. */
export type IdentityHeader = 'authorization' | 'x-api-key' | 'api-key' | 'x-goog-api-key';

/** Providers whose SDKs do not just send `Authorization`, and what they send. Each has a resource of its own: `/proxy/{provider}/{path+}` with its name in it. */
export const identityHeaders = {
  anthropic: ['x-api-key', 'authorization'],
  'azure-openai': ['api-key'],
  gemini: ['x-goog-api-key'],
} as const satisfies Readonly<Record<string, readonly IdentityHeader[]>>;

/** All other resources: `Authorization: Bearer {token}`. */
export const defaultIdentityHeader: IdentityHeader = 'authorization';

/** The proxy's resources as API Gateway names them, below the stage. `{provider}` takes every provider without a resource of its own. */
export const proxyResources: readonly { readonly path: string; readonly headers: readonly IdentityHeader[] }[] = [
  ...Object.entries(identityHeaders).map(([provider, headers]) => ({ path: `/proxy/${provider}/{path+}`, headers })),
  { path: '/proxy/{provider}/{path+}', headers: [defaultIdentityHeader] },
];

const headersByPath = new Map(proxyResources.map(({ path, headers }) => [path, headers]));

/**
 * The headers that count for a resource, e.g. `/proxy/anthropic/{path+}`: what API Gateway matched, never what the client wrote.
 */
export function identityHeadersOf(resourcePath: string): readonly IdentityHeader[] {
  return headersByPath.get(resourcePath) ?? [defaultIdentityHeader];
}

/**
 * The token of a call, in the one header that counts. Two that could count are refused: which of them did would depend on who reads.
 *
 * @param valuesOf every value of a header, by its name in lower case
 * @throws CordonError TOKEN_REFUSED
 */
export function identityTokenOf(resourcePath: string, valuesOf: (header: IdentityHeader) => readonly string[]): string {
  const [found, ...more] = identityHeadersOf(resourcePath).flatMap((header) => valuesOf(header).map((value) => ({ header, value })));
  if (found === undefined || found.value === '' || more.length > 0)
    throw new CordonError('TOKEN_REFUSED', 'there must be one token, in the header that counts');
  return found.header === defaultIdentityHeader ? bearerToken(found.value) : found.value;
}
