/** What of the caller's headers goes on to the provider. An allow-list: a credential header nobody thought of does not pass. */
import type { EgressAdapter, HeaderMap } from './egress-adapter.ts';

/** `accept-encoding` is not among them: answers are asked for as they are, so that they can be scrubbed. */
const commonHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-language',
  'content-type',
  'idempotency-key',
  'user-agent',
  'x-client-request-id',
  'x-request-id',
]);

/**
 * The caller's headers that may pass, with `accept-encoding: identity`. Whatever authenticates (`Authorization`, `x-api-key`, `api-key`, `x-goog-api-key`,
 * cookies), routes (`Host`, `X-Forwarded-*`), overrides the method or picks another account (`OpenAI-Organization`, `OpenAI-Project`,
 * `x-goog-user-project`) does not.
 */
export function upstreamHeaders(adapter: Pick<EgressAdapter, 'callerHeaders'>, inbound: HeaderMap): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(inbound)) {
    const lower = name.toLowerCase();
    if (commonHeaders.has(lower) || adapter.callerHeaders.includes(lower)) kept[lower] = value;
  }
  kept['accept-encoding'] = 'identity';
  return kept;
}
