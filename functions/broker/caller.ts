import { CordonError } from '../shared/errors.ts';
import { isTenantId, isUserId, type TenantId, type UserId } from '../shared/identifiers.ts';

/** Who calls, as the authorizer verified it. */
export interface Caller {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly issuer: string;
  readonly subject: string;
  readonly agentId: string | undefined;
  readonly sessionId: string | undefined;
  readonly role: string | undefined;
  /** When the token ends: milliseconds since the epoch. */
  readonly expiresAt: number;
}

/**
 * Reads the authorizer's context, in which everything is text and what is absent is empty.
 *
 * @throws CordonError TOKEN_REFUSED when it is not what the authorizer writes
 */
export function callerOf(context: Readonly<Record<string, unknown>>): Caller {
  const text = (name: string): string => {
    const value = context[name];
    return typeof value === 'string' ? value : '';
  };
  const optional = (name: string): string | undefined => (text(name) === '' ? undefined : text(name));
  const [tenantId, userId, exp] = [text('tenantId'), text('userId'), text('exp')];
  if (!isTenantId(tenantId) || !isUserId(userId) || !/^\d{1,12}$/.test(exp)) {
    throw new CordonError('TOKEN_REFUSED', 'the call was not authorized');
  }
  return {
    tenantId,
    userId,
    issuer: text('issuer'),
    subject: text('subject'),
    agentId: optional('agentId'),
    sessionId: optional('sessionId'),
    role: optional('role'),
    expiresAt: Number(exp) * 1000,
  };
}
