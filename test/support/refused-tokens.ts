/** Tokens that may open nothing, as data. `tenantId` is a tenant that is active, so that only the named flaw is in the way. */
import type { TokenRequest } from '../../local/world/oidc.ts';

export interface FlawedToken {
  readonly name: string;
  readonly request: (tenantId: string) => TokenRequest;
}

const flawed = (name: string, change: Partial<TokenRequest> | ((tenantId: string) => Partial<TokenRequest>)): FlawedToken => ({
  name,
  request: (tenantId) => ({ tenantId, ...(typeof change === 'function' ? change(tenantId) : change) }),
});

/** Seconds since the epoch, far away from any clock a test may set. */
const future = 32_503_680_000;
const hour = 3600;

/** Sources: RFC 7515, RFC 7519, RFC 8725 (JWT Best Current Practices). */
export const flawedTokens: readonly FlawedToken[] = [
  flawed('is not signed (alg none)', { header: { alg: 'none' } }),
  flawed('is signed with the public key as a shared secret (HS256)', { header: { alg: 'HS256' } }),
  flawed('is signed with the public key as a shared secret (HS512)', { header: { alg: 'HS512' } }),
  flawed('names no key', { header: { kid: null } }),
  flawed('names an empty key', { header: { kid: '' } }),
  flawed('names a key the issuer does not have', { header: { kid: 'another' } }),
  flawed('names a file as its key', { header: { kid: '../../../../dev/null' } }),
  flawed('names a key that is no text', { header: { kid: 1 } }),
  flawed('was made to end sessions', { header: { typ: 'logout+jwt' } }),
  flawed('proves the possession of a key', { header: { typ: 'dpop+jwt' } }),
  flawed('is of another issuer', { claims: { iss: 'https://issuer.example' } }),
  flawed('is of no issuer', { claims: { iss: null } }),
  flawed('is of several issuers', { claims: { iss: ['https://issuer.example'] } }),
  flawed('is for another audience', { claims: { aud: 'somebody-else' } }),
  flawed('is for no audience', { claims: { aud: null } }),
  flawed('is for an empty list of audiences', { claims: { aud: [] } }),
  flawed("is for an audience that begins like Cordon's", { claims: { aud: 'cordon-console' } }),
  flawed('has expired', { expiresIn: -1 }),
  flawed('expired long ago', { expiresIn: -30 * 24 * hour }),
  flawed('never expires', { claims: { exp: null } }),
  flawed('expires at a time that is no number', { claims: { exp: 'tomorrow' } }),
  flawed('is not valid yet', { claims: { nbf: future } }),
  flawed('says from when it is valid in a form that is no number', { claims: { nbf: 'now' } }),
  flawed('has no subject', { claims: { sub: null } }),
  flawed('has an empty subject', { claims: { sub: '' } }),
  flawed('has a subject that is no text', { claims: { sub: 1 } }),
  flawed('has a subject of 256 characters', { claims: { sub: 's'.repeat(256) } }),
  flawed('names an agent in two lines', { agentId: 'agent\nadmin' }),
  flawed('names a session of 129 characters', { sessionId: 's'.repeat(129) }),
  flawed('names a role that is no text', { claims: { role: ['admin'] } }),
  flawed('is larger than 8 KiB', { claims: { padding: 'x'.repeat(9 * 1024) } }),
];

/** What a tenant claim may not be. `null` leaves the claim out. */
export const flawedTenantClaims: readonly { readonly name: string; readonly claim: (tenantId: string) => unknown }[] = [
  { name: 'nothing', claim: () => null },
  { name: 'an empty text', claim: () => '' },
  { name: 'the tenant in upper case', claim: (tenantId) => tenantId.toUpperCase() },
  { name: 'the tenant and a slash', claim: (tenantId) => `${tenantId}/` },
  { name: 'a way up and back down to the tenant', claim: (tenantId) => `x/../${tenantId}` },
  { name: 'the tenant and a delimiter', claim: (tenantId) => `${tenantId}#` },
  { name: 'the tenant and a line break', claim: (tenantId) => `${tenantId}\n` },
  { name: 'a blank and the tenant', claim: (tenantId) => ` ${tenantId}` },
  { name: 'the tenant and a null character', claim: (tenantId) => `${tenantId}\u0000` },
  { name: 'the tenant with a Cyrillic letter for a Latin one', claim: (tenantId) => tenantId.replace('t', 'т') },
  { name: 'the tenant with a combining accent', claim: (tenantId) => `${tenantId}\u0301` },
  { name: 'the tenant in full-width letters', claim: (tenantId) => tenantId.replace('t', 'ｔ') },
  { name: 'the tenant with a character nobody sees', claim: (tenantId) => `${tenantId}\u200b` },
  { name: 'a wildcard', claim: () => '*' },
  { name: 'the tenant and a wildcard', claim: (tenantId) => `${tenantId}*` },
  { name: 'a policy variable', claim: () => '${aws:PrincipalTag/TenantId}' },
  { name: '33 characters', claim: () => 't'.repeat(33) },
  { name: 'a list', claim: (tenantId) => [tenantId] },
  { name: 'a number', claim: () => 42 },
  { name: 'an object', claim: (tenantId) => ({ tenantId }) },
  { name: 'true', claim: () => true },
  ...['cordon', 'platform', 'admin', 'root', 'default', 'null', 'undefined'].map((name) => ({
    name: `the reserved ${name}`,
    claim: () => name,
  })),
  { name: 'a tenant nobody knows', claim: () => 'nobody-knows-me' },
  { name: "the beginning of a tenant's name", claim: (tenantId) => tenantId.slice(0, -1) },
  { name: "a tenant's name and more", claim: (tenantId) => `${tenantId}-2` },
  { name: 'a member that every object has', claim: () => 'constructor' },
];
