import type { Readable } from 'node:stream';

export interface UpstreamRequest {
  readonly method: string;
  readonly url: URL;
  /** Final, with the credential; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Ends the exchange at any point; its reason is what is thrown. */
  readonly signal: AbortSignal;
  /** How long the provider may take until its answer begins, in milliseconds. */
  readonly firstByteMs: number;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Uncompressed. Fails with CordonError UPSTREAM_BROKEN when the answer is not whole, or with the signal's reason. */
  readonly body: Readable;
}

/**
 * Sends a request to a provider, once: whether the provider has acted on a request whose answer was lost is not known. Redirects are not followed.
 *
 * @throws CordonError UPSTREAM_UNREACHABLE | UPSTREAM_TIMEOUT | UPSTREAM_BROKEN | UPSTREAM_ENCODING | EGRESS_REFUSED, or the signal's reason
 */
export type SendUpstream = (request: UpstreamRequest) => Promise<UpstreamAnswer>;
