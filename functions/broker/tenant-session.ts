import type { SigningCredentials } from '../shared/aws-signed.ts';
import type { CredentialId, TenantId, UserId } from '../shared/identifiers.ts';

/** A session in which the broker is one tenant, and nothing else. */
export interface TenantSession {
  readonly tenantId: TenantId;
  readonly tier: 'pool' | 'dedicated';
  readonly credentials: SigningCredentials;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Has a session minted for whoever the token says it is. With `fresh`, none that was minted a while ago: for after that one was refused.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE (retryable)
 */
export type MintTenantSession = (token: string, options?: { readonly fresh: boolean }) => Promise<TenantSession>;

/**
 * Narrows a tenant's session to one of its users, for the secrets that are that user's.
 *
 * @throws CordonError SESSION_UNAVAILABLE (retryable) | ACCESS_REFUSED
 */
export type NarrowToUser = (session: TenantSession, userId: UserId) => Promise<SigningCredentials>;

/** What was refused to a tenant's session: a bug asked for what is another's, or something is set up wrongly. */
export interface Violation {
  /** e.g. `secretsmanager:GetSecretValue`. */
  readonly operation: string;
  /** In Cordon's own terms, e.g. `cordon/acme/main`. */
  readonly resource: string;
  /** `ACCESS_REFUSED`: by IAM. `CROSS_TENANT_USE`: by the broker, because of who owns it. */
  readonly code: 'ACCESS_REFUSED' | 'CROSS_TENANT_USE';
}

/** Has the violation published for the tenant of the token. Throws CordonError SESSION_UNAVAILABLE | TOKEN_REFUSED. */
export type ReportViolation = (token: string, violation: Violation) => Promise<void>;

/** A provider answered a call of the tenant with 429. */
export interface Throttled {
  readonly provider: string;
  readonly credentialId: CredentialId;
  /** ISO 8601: when the answer came. */
  readonly at: string;
}

/** Has it published for the tenant of the token. Throws CordonError SESSION_UNAVAILABLE | TOKEN_REFUSED. */
export type ReportThrottled = (token: string, throttled: Throttled) => Promise<void>;
