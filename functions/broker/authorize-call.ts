import type { VerifiedIdentity, VerifyIdentity } from '../sessions/token-verifier.ts';
import { CordonError } from '../shared/errors.ts';
import { identityHeaders, identityTokenOf } from './identity-sources.ts';

/** What API Gateway tells of a call that counts here. */
export interface CallToAuthorize {
  /** The resource that API Gateway matched, e.g. `/proxy/anthropic/{path+}`. */
  readonly resourcePath: string;
  /** What its variable `{provider}` took, if it has one. */
  readonly provider: string | undefined;
  /** Every value of every header, names as the client wrote them. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** What the integration learns of the caller. API Gateway passes on texts, numbers and booleans only; here all are texts. */
export interface CallerContext {
  readonly tenantId: string;
  readonly userId: string;
  readonly issuer: string;
  readonly subject: string;
  /** Empty when the token names none; so are the next two. */
  readonly agentId: string;
  readonly sessionId: string;
  readonly role: string;
  /** Seconds since the epoch. API Gateway may hold the authorizer's answer longer than the token lives: whoever acts on it compares. */
  readonly exp: string;
}

/**
 * Says who calls, by the header that counts for the resource. A token in any other header counts for nothing: API Gateway caches answers by the
 * identity source's value, so an answer that came of another header would be given to whoever comes next.
 *
 * @throws CordonError TOKEN_REFUSED, one for all; PROVIDER_UNAVAILABLE when the issuer's keys cannot be read
 */
export async function authorizeCall(verify: VerifyIdentity, call: CallToAuthorize): Promise<CallerContext> {
  return contextOf(await verify(tokenOf(call)));
}

function tokenOf({ resourcePath, provider, headers }: CallToAuthorize): string {
  // A provider with a resource of its own cannot be reached through the general one, e.g. by spelling its name in percent codes.
  if (provider !== undefined && Object.hasOwn(identityHeaders, provider.toLowerCase()))
    throw new CordonError('TOKEN_REFUSED', 'the provider has a resource of its own');
  return identityTokenOf(resourcePath, (header) => [...headers].flatMap(([name, found]) => (name.toLowerCase() === header ? found : [])));
}

function contextOf({ tenantId, userId, issuer, subject, agentId, sessionId, role, expiresAt }: VerifiedIdentity): CallerContext {
  return {
    tenantId,
    userId,
    issuer,
    subject,
    agentId: agentId ?? '',
    sessionId: sessionId ?? '',
    role: role ?? '',
    exp: String(expiresAt),
  };
}
