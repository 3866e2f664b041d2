import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createClock } from '../../../local/core/clock.ts';
import type { TokenRequest } from '../../../local/world/oidc.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

const clock = createClock();
let world: World;

beforeAll(async () => {
  world = await startWorld({ clock, takeFault: () => undefined });
});
afterAll(() => world.close());

async function verified(request: TokenRequest): Promise<JWTPayload> {
  const { issuer, audience, jwksUri } = world.oidc;
  const token = await world.oidc.mint(request);
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return (await jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'], currentDate: new Date(clock.now()) })).payload;
}

describe('the OIDC issuer', () => {
  it('publishes discovery that leads to the keys its tokens verify with', async () => {
    const discovery = await (await fetch(`${world.oidc.issuer}/.well-known/openid-configuration`)).json();
    expect(discovery).toMatchObject({ issuer: world.oidc.issuer, jwks_uri: world.oidc.jwksUri });
    expect(await verified({ tenantId: 'acme' })).toMatchObject({ tenant_id: 'acme', sub: 'workload@acme' });
  });

  it('carries user, agent, session and role', async () => {
    const claims = await verified({ tenantId: 'acme', userId: 'ana', agentId: 'writer', sessionId: 's-1', role: 'admin' });
    expect(claims).toMatchObject({ sub: 'ana', agent_id: 'writer', session_id: 's-1', role: 'admin' });
  });

  it('publishes no private part of its key', async () => {
    const answer = await (await fetch(world.oidc.jwksUri)).json();
    const jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).parse(answer);
    expect(Object.keys(jwks.keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('lets a test replace or remove a claim', async () => {
    const token = decodeJwt(await world.oidc.mint({ tenantId: 'acme', claims: { tenant_id: 'acme-2', aud: 'other', jti: null } }));
    expect(token).toMatchObject({ tenant_id: 'acme-2', aud: 'other' });
    expect(token.jti).toBeUndefined();
  });

  it('mints tokens that a verifier must refuse: unsigned, expired, HS256 with the public key, unknown key', async () => {
    const request = { tenantId: 'acme' };
    const unsigned = await world.oidc.mint({ ...request, header: { alg: 'none' } });
    expect(unsigned.endsWith('.')).toBe(true);
    expect(decodeProtectedHeader(await world.oidc.mint({ ...request, header: { alg: 'HS256' } })).alg).toBe('HS256');
    await expect(verified({ ...request, header: { alg: 'HS256' } })).rejects.toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
    await expect(verified({ ...request, expiresIn: -60 })).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
    await expect(verified({ ...request, header: { kid: 'unknown' } })).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('dates tokens by the clock of the cloud', async () => {
    clock.advance(3_600_000);
    const { iat = 0 } = decodeJwt(await world.oidc.mint({ tenantId: 'acme' }));
    expect(Math.abs(iat * 1000 - clock.now())).toBeLessThan(2000);
    expect(iat * 1000 - Date.now()).toBeGreaterThan(3_500_000);
  });
});
