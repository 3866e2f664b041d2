import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { trustedIssuer } from '../../../functions/sessions/env.ts';
import { createTokenVerifier } from '../../../functions/sessions/token-verifier.jose.ts';
import type { VerifyToken } from '../../../functions/sessions/token-verifier.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const seconds = Math.floor(now / 1000);
const issuer = trustedIssuer.parse({ issuer: 'https://idp.example.com', audiences: ['cordon'], jwksUri: 'https://idp.example.com/jwks' });
const renamed = trustedIssuer.parse({
  ...issuer,
  issuer: 'https://other.example.com',
  claims: { tenant: 'org', subject: 'uid', agent: 'act' },
});

/** A customer's cluster: its namespaces are named after tenants, its service accounts after agents. */
const cluster = trustedIssuer.parse({
  issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/ABC',
  audiences: ['cordon'],
  jwksUri: 'https://oidc.eks.eu-central-1.amazonaws.com/id/ABC/keys',
  claims: {
    tenant: ['kubernetes.io', 'namespace'],
    agent: ['kubernetes.io', 'serviceaccount', 'name'],
    session: ['kubernetes.io', 'pod', 'uid'],
  },
  tenants: ['acme', 'acme-2'],
});

type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let rsa: Keys;
let ed: Keys;
let ec: Keys;
let foreign: Keys;
let verify: VerifyToken;

const shared = new TextEncoder().encode('x'.repeat(32));
const claims = { iss: issuer.issuer, aud: 'cordon', sub: 'ann', tenant_id: 'acme', iat: seconds, exp: seconds + 300 };

function sign(
  over: Record<string, unknown> = {},
  header: Partial<JWTHeaderParameters> = {},
  key?: Keys['privateKey'] | Uint8Array,
): Promise<string> {
  const payload = Object.fromEntries(Object.entries({ ...claims, ...over }).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'rsa', ...header }).sign(key ?? rsa.privateKey);
}

beforeAll(async () => {
  [rsa, ed, ec, foreign] = await Promise.all([
    generateKeyPair('RS256', { extractable: true }),
    generateKeyPair('EdDSA', { extractable: true }),
    generateKeyPair('ES256', { extractable: true }),
    generateKeyPair('RS256'),
  ]);
  const jwk = async (keys: Keys, kid: string): Promise<object> => ({ ...(await exportJWK(keys.publicKey)), kid });
  const keys = createLocalJWKSet({
    keys: [
      await jwk(rsa, 'rsa'),
      await jwk(ed, 'ed'),
      await jwk(ec, 'ec'),
      { kty: 'oct', kid: 'shared', k: Buffer.from(shared).toString('base64url') },
    ],
  });
  verify = createTokenVerifier({ issuers: [issuer, renamed, cluster], clock: () => now, keysOf: () => keys });
});

describe('I11 a verified token', () => {
  it('yields tenant and user from its claims, and what it says of agent, session and role', async () => {
    expect(await verify(await sign({ agent_id: 'support', session_id: 's-1', role: 'agent' }))).toEqual({
      tenantId: 'acme',
      userId: userIdOf(issuer.issuer, 'ann'),
      agentId: 'support',
      sessionId: 's-1',
      role: 'agent',
      issuer: issuer.issuer,
      subject: 'ann',
      expiresAt: seconds + 300,
    });
  });

  it('may be signed with Ed25519 or ES256 too, and be an access token', async () => {
    expect(await verify(await sign({}, { alg: 'EdDSA', kid: 'ed', typ: 'at+jwt' }, ed.privateKey))).toMatchObject({ tenantId: 'acme' });
    expect(await verify(await sign({}, { alg: 'ES256', kid: 'ec', typ: 'JWT' }, ec.privateKey))).toMatchObject({ tenantId: 'acme' });
  });

  it("is read by its issuer's own claim names", async () => {
    const token = await sign({ iss: renamed.issuer, tenant_id: 'evil', org: 'acme', uid: 'u-1', sub: 'x', act: 'bot' });
    expect(await verify(token)).toEqual({
      tenantId: 'acme',
      userId: userIdOf(renamed.issuer, 'u-1'),
      agentId: 'bot',
      issuer: renamed.issuer,
      subject: 'u-1',
      expiresAt: seconds + 300,
    });
  });

  it('makes two users of one subject at two issuers', () => {
    expect(userIdOf('https://a', 'ann')).not.toBe(userIdOf('https://b', 'ann'));
    expect(userIdOf('https://a', '1ann')).not.toBe(userIdOf('https://a1', 'ann'));
  });
});

/** As the Kubernetes API server issues it: no `typ`, a list of audiences. Source: Kubernetes documentation, "Managing Service Accounts", bound tokens. */
function signInCluster(over: Record<string, unknown> = {}): Promise<string> {
  const workload = { namespace: 'acme', serviceaccount: { name: 'support-agent', uid: 'u-1' }, pod: { name: 'p', uid: 'pod-1' }, ...over };
  return sign({
    iss: cluster.issuer,
    aud: ['cordon', 'sts.amazonaws.com'],
    sub: 'system:serviceaccount:acme:support-agent',
    tenant_id: undefined,
    'kubernetes.io': workload,
  });
}

describe("I11 a Kubernetes service account's token", () => {
  it('is read along the paths configured for its issuer, the dot in a name being part of the name', async () => {
    expect(await verify(await signInCluster())).toMatchObject({
      tenantId: 'acme',
      agentId: 'support-agent',
      sessionId: 'pod-1',
      subject: 'system:serviceaccount:acme:support-agent',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['without the tenant at its path', { namespace: undefined }],
    ['with an object where the tenant stands', { namespace: { name: 'acme' } }],
    ['with a list where the tenant stands', { namespace: ['acme'] }],
    ['of a tenant that its issuer may not speak for', { namespace: 'globex' }],
    ['of a namespace that is no tenant ID', { namespace: 'kube_system' }],
    ['with a list where the agent stands', { serviceaccount: { name: ['a'] } }],
  ])('is refused %s', async (_what, over) => {
    await expect(signInCluster(over).then(verify)).rejects.toMatchObject({ code: 'TOKEN_REFUSED' });
  });

  it('names no agent through what every object, text or list has by itself', async () => {
    const inherited = trustedIssuer.parse({ ...issuer, claims: { agent: ['sub', 'length'], session: 'toString', role: ['aud', '0'] } });
    const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(rsa.publicKey)), kid: 'rsa' }] });
    const read = await createTokenVerifier({ issuers: [inherited], clock: () => now, keysOf: () => keys })(await sign({ aud: ['cordon'] }));
    expect(read).not.toHaveProperty('role');
    expect(read).not.toHaveProperty('agentId');
    expect(read).not.toHaveProperty('sessionId');
  });
});

describe('I11 a token is refused', () => {
  it.each<[string, () => Promise<string> | string]>([
    ['that is none', () => 'x'],
    ['that is empty', () => ''],
    ['that is longer than 8 KiB', () => sign({ filler: 'x'.repeat(9000) })],
    ['without signature', () => new UnsecuredJWT(claims).encode()],
    ['signed with a shared secret', () => sign({}, { alg: 'HS256' }, shared)],
    ['signed with a shared secret that its issuer publishes', () => sign({}, { alg: 'HS256', kid: 'shared' }, shared)],
    ['signed by somebody else', () => sign({}, {}, foreign.privateKey)],
    ['that names no key', () => sign({}, { kid: undefined })],
    ['that names an unknown key', () => sign({}, { kid: 'nobody' })],
    ['of another type', () => sign({}, { typ: 'logout+jwt' })],
    ['of an issuer that is not trusted', () => sign({ iss: 'https://evil.example.com' })],
    ['without issuer', () => sign({ iss: undefined })],
    ['whose issuer only begins like a trusted one', () => sign({ iss: `${issuer.issuer}/` })],
    ['for another audience', () => sign({ aud: 'somebody' })],
    ['without audience', () => sign({ aud: undefined })],
    ['that has expired', () => sign({ exp: seconds - 1 })],
    ['that never expires', () => sign({ exp: undefined })],
    ['that is not valid yet', () => sign({ nbf: seconds + 60 })],
    ['without tenant', () => sign({ tenant_id: undefined })],
    ['without subject', () => sign({ sub: undefined })],
    ['with an empty subject', () => sign({ sub: '' })],
    ['with a subject that would forge a log line', () => sign({ sub: 'ann\nrole=admin' })],
    ['with a tenant given as a path in a text', () => sign({ tenant_id: undefined, tenant: { id: 'acme' } })],
    ['with a list of tenants', () => sign({ tenant_id: ['acme'] })],
    ['with a wildcard for a tenant', () => sign({ tenant_id: '*' })],
    ['with an empty tenant', () => sign({ tenant_id: '' })],
    ['with a tenant in capitals', () => sign({ tenant_id: 'ACME' })],
    ['with a tenant that leaves its path', () => sign({ tenant_id: '../acme-2' })],
    ['with a reserved tenant', () => sign({ tenant_id: 'admin' })],
    ['with an agent that would forge a log line', () => sign({ agent_id: 'a\nb' })],
    ['with a session that is no text', () => sign({ session_id: 7 })],
    [
      'whose claims were changed after signing',
      async () => {
        const [header, , signature] = (await sign()).split('.');
        return [header, Buffer.from(JSON.stringify({ ...claims, tenant_id: 'acme-2' })).toString('base64url'), signature].join('.');
      },
    ],
  ])('%s', async (_what, token) => {
    await expect(Promise.resolve(token()).then(verify)).rejects.toMatchObject({ name: 'CordonError', code: 'TOKEN_REFUSED' });
  });

  it("not for good while its issuer's keys cannot be read", async () => {
    const broken = createTokenVerifier({
      issuers: [issuer],
      clock: () => now,
      keysOf: () => () => Promise.reject(new TypeError('fetch failed')),
    });
    await expect(broken(await sign())).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
  });
});

describe('the configuration of issuers', () => {
  it.each([
    { issuer: 'http://idp.example.com' },
    { jwksUri: 'http://idp.example.com/jwks' },
    { audiences: [] },
    { claims: { tenant: [] } },
    { claims: { tenant: '' } },
    { tenants: ['*'] },
  ])('admits no %o', (over) => {
    expect(trustedIssuer.safeParse({ ...issuer, ...over }).success).toBe(false);
  });
});
