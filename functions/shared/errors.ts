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
  | 'ITEM_NOT_UNDERSTOOD'
  | 'PROVIDER_UNAVAILABLE'
  | 'PROVIDER_REFUSED'
  | 'AWS_UNAVAILABLE'
  | 'AWS_REFUSED'
  // Of a use through the broker: what the caller asked for
  | 'CALL_INVALID'
  | 'REQUEST_TOO_LARGE'
  | 'PROVIDER_UNKNOWN'
  | 'PATH_NOT_ALLOWED'
  | 'NO_CREDENTIAL'
  | 'AMBIGUOUS_CREDENTIAL'
  | 'DATA_CLASS_NOT_CLEARED'
  // who asks
  | 'TOKEN_EXPIRED'
  | 'TENANT_MISMATCH'
  | 'USER_NOT_ACTIVE'
  | 'AGENT_REVOKED'
  | 'SESSION_REVOKED'
  | 'CREDENTIAL_REVOKED'
  | 'CREDENTIAL_NOT_ACTIVE'
  // Of a customer's role: the connection is not, or no longer, proven; the customer's account refuses the session
  | 'CONNECTION_NOT_ACTIVE'
  | 'CUSTOMER_ROLE_REFUSED'
  | 'ROLE_REQUIRED'
  | 'CONNECTION_UNKNOWN'
  | 'CONNECTION_LIMIT'
  // Of a revocation that is asked about
  | 'REVOCATION_UNKNOWN'
  | 'CERTIFICATE_UNKNOWN'
  | 'CERTIFICATE_TOO_LARGE'
  // Of the isolation tests: there is no canary, or no identity for one; a run was asked for too soon, or while one is under way; there is no such run
  | 'CANARY_UNAVAILABLE'
  | 'VERIFICATION_TOO_SOON'
  | 'VERIFICATION_UNDER_WAY'
  | 'VERIFICATION_UNKNOWN'
  // Of a key that a customer hands over
  | 'SUPPLY_REFUSED'
  | 'SUPPLY_NONCE_REFUSED'
  | 'SUPPLIER_NOT_ALLOWED'
  | 'CREDENTIAL_NOT_SUPPLIED'
  | 'KEY_REFUSED'
  | 'CUSTOMER_KEY_REFUSED'
  | 'DATABASE_UNAVAILABLE'
  // what Cordon cannot do now
  | 'SESSION_UNAVAILABLE'
  | 'GATE_UNAVAILABLE'
  | 'SECRET_UNAVAILABLE'
  | 'ATTRIBUTION_UNAVAILABLE'
  // what became of it at the provider
  | 'EGRESS_REFUSED'
  // the credential's settings do not say where it may be used
  | 'EGRESS_NOT_CONFIGURED'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_TIMEOUT'
  | 'UPSTREAM_REDIRECT'
  | 'UPSTREAM_BROKEN'
  | 'UPSTREAM_TOO_LARGE'
  | 'UPSTREAM_ENCODING'
  | 'CLIENT_GONE';

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
