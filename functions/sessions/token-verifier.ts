import type { TenantId, UserId } from '../shared/identifiers.ts';

/** What a verified token says. */
export interface VerifiedToken {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly role?: string;
}

/** The same, with who vouches for it, under which name, and until when. */
export interface VerifiedIdentity extends VerifiedToken {
  readonly issuer: string;
  readonly subject: string;
  /** Seconds since the epoch, as in the token. */
  readonly expiresAt: number;
}

/**
 * Verifies a bearer token.
 *
 * @throws CordonError TOKEN_REFUSED; its message is for the log, the caller gets one message for all refusals
 */
export type VerifyToken = (token: string) => Promise<VerifiedToken>;
export type VerifyIdentity = (token: string) => Promise<VerifiedIdentity>;
