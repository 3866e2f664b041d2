export interface UpstreamRequest {
  readonly method: string;
  readonly url: URL;
  /** Final, with the credential; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** This exchange's own: ends it at any point, also while its answer is read. Its reason is what is thrown. */
  readonly signal: AbortSignal;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AnswerBody;
}

/** A body as it comes, uncompressed. */
export interface AnswerBody {
  /**
   * Hands each piece over, to be kept by whoever takes it, and no next one before what `take` returns is done; to be called once. What is not read, or not to its end, has to be stopped.
   *
   * @throws CordonError UPSTREAM_BROKEN when the body is not whole; the signal's reason; what it was stopped with, or `take` throws
   */
  read(take: (piece: Buffer) => Promise<void> | undefined): Promise<void>;
  /** Ends the exchange. */
  stop(error: Error): void;
}

/**
 * Sends a request to a provider, once: whether the provider has acted on a request whose answer was lost is not known. Redirects are not followed.
 *
 * @throws CordonError UPSTREAM_UNREACHABLE | UPSTREAM_BROKEN | UPSTREAM_ENCODING | EGRESS_REFUSED, or the signal's reason
 */
export type SendUpstream = (request: UpstreamRequest) => Promise<UpstreamAnswer>;
