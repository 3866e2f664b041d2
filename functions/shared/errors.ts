/**
 * Every error Cordon raises on purpose. `code` is stable and literal (minified bundles rename classes); `retryable` says
 * whether the same input may succeed later, which is what a queue consumer needs to know.
 */
export type CordonErrorCode =
  | 'EVENT_INVALID'
  | 'EVENT_CONTRADICTS'
  | 'TENANT_UNKNOWN'
  | 'TENANT_NOT_ACTIVE'
  | 'TENANT_OFFBOARDED'
  | 'USER_UNKNOWN'
  | 'CREDENTIAL_UNKNOWN'
  | 'TOKEN_REFUSED'
  | 'ACCESS_REFUSED'
  | 'CONFLICT'
  | 'PROVIDER_UNAVAILABLE'
  | 'PROVIDER_REFUSED'
  | 'AWS_UNAVAILABLE'
  | 'AWS_REFUSED';

export class CordonError extends Error {
  override readonly name = 'CordonError';
  readonly code: CordonErrorCode;
  readonly retryable: boolean;
  /** Seconds the other side asked us to wait (`Retry-After`); undefined when it named none. */
  readonly retryAfterSeconds: number | undefined;

  /** `message` may reach an operator's screen and a dead-letter queue: it never holds a secret. */
  constructor(code: CordonErrorCode, message: string, options: { retryable?: boolean; retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
