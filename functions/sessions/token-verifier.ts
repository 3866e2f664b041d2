import type { TenantId, UserId } from '../shared/identifiers.ts';

/** What a verified token says. */
export interface VerifiedToken {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly role?: string;
}

/**
 * Verifies a bearer token.
 *
 * @throws CordonError TOKEN_REFUSED; its message is for the log, the caller gets one message for all refusals
 */
export type VerifyToken = (token: string) => Promise<VerifiedToken>;
