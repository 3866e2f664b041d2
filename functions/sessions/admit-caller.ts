import type { APIGatewayProxyEvent } from 'aws-lambda';
import { bearerOf } from '../shared/bearer-token.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId, UserId } from '../shared/identifiers.ts';
import type { VerifiedIdentity, VerifyIdentity } from './token-verifier.ts';

/** A tenant's data, opened in a session that `sessions` has minted for a token. */
export interface OpenedForToken {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly view: {
    /** True when the agent or the session that asks was revoked. */
    isRevoked(by: { readonly agentId?: string | undefined; readonly sessionId?: string | undefined }): Promise<boolean>;
  };
}

/**
 * Who asks is read from the token here, whatever an authorizer made of it; and `sessions`, which reads it again, has to come to the same.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE (retryable), and as `openTenant` and its view
 */
export async function admitCaller<Opened extends OpenedForToken>(
  deps: { readonly verify: VerifyIdentity; readonly openTenant: (token: string) => Promise<Opened> },
  event: Pick<APIGatewayProxyEvent, 'headers'>,
): Promise<{ readonly caller: VerifiedIdentity; readonly tenant: Opened }> {
  const token = bearerOf(event);
  const caller = await verifiedCaller(deps.verify, token);
  const tenant = await deps.openTenant(token);
  if (tenant.tenantId !== caller.tenantId || tenant.userId !== caller.userId)
    throw new CordonError('TOKEN_REFUSED', 'the session is of somebody else than the token');
  if (await tenant.view.isRevoked(caller)) throw new CordonError('TOKEN_REFUSED', 'the agent or the session was revoked');
  return { caller, tenant };
}

/**
 * Whom a token names. That it could not be checked is told apart from its being refused: only the first is worth another try.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE (retryable)
 */
export async function verifiedCaller(verify: VerifyIdentity, token: string): Promise<VerifiedIdentity> {
  try {
    return await verify(token);
  } catch (error) {
    if (error instanceof CordonError && error.code === 'TOKEN_REFUSED') throw error;
    throw new CordonError('SESSION_UNAVAILABLE', 'the token could not be verified', { retryable: true, cause: error });
  }
}

/** Who asked, for the record: the subject as the token has it. An event has no room for the longest, and the user ID says as much. */
export function callerName({ subject, userId }: Pick<VerifiedIdentity, 'subject' | 'userId'>): string {
  return subject.length <= maxName ? subject : userId;
}
const maxName = 128;
