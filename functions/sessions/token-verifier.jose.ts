import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { isTenantId, userIdOf } from '../shared/identifiers.ts';
import type { ClaimPath, TrustedIssuer } from './env.ts';
import type { VerifiedIdentity, VerifyIdentity } from './token-verifier.ts';

/** Asymmetric only: with a shared secret, whoever can verify can also forge. Source: RFC 8725, sections 3.1 and 3.2. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
/** Access tokens and plain JWTs; a token made for another purpose (logout, proof of possession) is none of these. Source: RFC 8725, section 3.11. */
const types: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
const maxTokenBytes = 8 * 1024;
const maxClaimLength = 128;
const maxSubjectLength = 255;

/** Answers of an issuer's key endpoint that mean "not now": the token may be good. */
const passing: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC']);

export interface VerifierDeps {
  readonly issuers: readonly TrustedIssuer[];
  readonly clock: Clock;
  /** Where an issuer's keys come from. The default fetches and caches them, and fetches anew for an unknown key ID at most every 30 seconds. */
  readonly keysOf?: (issuer: TrustedIssuer) => JWTVerifyGetKey;
}

function remoteKeys(issuer: TrustedIssuer): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(issuer.jwksUri), { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 });
}

/** Source: RFC 7519, section 4.1 (iss, aud, exp, nbf, sub); RFC 7515, section 4.1.4 (kid). */
export function createTokenVerifier({ issuers, clock, keysOf = remoteKeys }: VerifierDeps): VerifyIdentity {
  const trusted = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keysOf(issuer) }]));
  return async (token) => {
    if (token.length > maxTokenBytes) throw refused('the token is too long');
    const found = trusted.get(unverifiedIssuer(token) ?? '');
    if (!found) throw refused('the issuer is not trusted');
    const { issuer, keys } = found;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: issuer.issuer,
        audience: issuer.audiences,
        algorithms,
        requiredClaims: ['iss', 'aud', 'exp'],
        currentDate: new Date(clock()),
      });
      return claimsOf(payload, issuer);
    } catch (error) {
      if (error instanceof CordonError) throw error;
      if (!(error instanceof errors.JOSEError) || passing.has(error.code)) {
        throw new CordonError('PROVIDER_UNAVAILABLE', "the issuer's keys could not be read", { retryable: true, cause: error });
      }
      // jose's messages name claims and headers, never their values' secrets; the code is enough.
      throw refused(`the token was not valid (${error.code})`, error);
    }
  };
}

/** Reads header and issuer before anything is verified, only to know whose key to verify with. */
function unverifiedIssuer(token: string): string | undefined {
  try {
    const { kid, typ } = decodeProtectedHeader(token);
    if (typeof kid !== 'string' || kid === '') throw refused('the token names no key');
    if (typ !== undefined && !types.has(typ.toLowerCase())) throw refused('the token is of another type');
    return decodeJwt(token).iss;
  } catch (error) {
    throw error instanceof CordonError ? error : refused('the token is no JWT', error);
  }
}

function claimsOf(payload: JWTPayload, { issuer, claims, tenants }: TrustedIssuer): VerifiedIdentity {
  const tenantId = claimAt(payload, claims.tenant);
  const subject = claimAt(payload, claims.subject);
  if (typeof tenantId !== 'string' || !isTenantId(tenantId)) throw refused('the tenant claim is no tenant ID');
  if (tenants !== undefined && !tenants.includes(tenantId)) throw refused('the issuer may not speak for this tenant');
  if (typeof subject !== 'string' || subject === '' || subject.length > maxSubjectLength || /\p{C}/u.test(subject))
    throw refused('the subject claim is no subject');
  if (payload.exp === undefined) throw refused('the token never expires');
  const agentId = optionalClaim(payload, claims.agent);
  const sessionId = optionalClaim(payload, claims.session);
  const role = optionalClaim(payload, claims.role);
  return {
    tenantId,
    userId: userIdOf(issuer, subject),
    ...(agentId !== undefined && { agentId }),
    ...(sessionId !== undefined && { sessionId }),
    ...(role !== undefined && { role }),
    issuer,
    subject,
    expiresAt: payload.exp,
  };
}

/** Only members of the token's own objects count: neither what every object inherits nor the members of a text or a list. */
function claimAt(payload: JWTPayload, path: ClaimPath): unknown {
  let found: unknown = payload;
  for (const name of typeof path === 'string' ? [path] : path) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) return undefined;
    found = Object.getOwnPropertyDescriptor(found, name)?.value;
  }
  return found;
}

function optionalClaim(payload: JWTPayload, path: ClaimPath): string | undefined {
  const value = claimAt(payload, path);
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > maxClaimLength || /\p{C}/u.test(value))
    throw refused(`the claim ${typeof path === 'string' ? path : path.join(' → ')} is not a short plain text`);
  return value;
}

function refused(message: string, cause?: unknown): CordonError {
  return new CordonError('TOKEN_REFUSED', message, { cause });
}
