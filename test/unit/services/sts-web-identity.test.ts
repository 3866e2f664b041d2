import { createLocalJWKSet, createRemoteJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTVerifyResult, jwtVerify } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClock } from '../../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createIam } from '../../../local/services/iam.ts';
import { createSts } from '../../../local/services/sts.ts';
import { createWebIdentityIssuer, type WebIdentityIssuer } from '../../../local/services/sts-web-identity-issuer.ts';
import { startWorld } from '../../../local/world/world.ts';
import { allow, makeRole, makeUser, policy, trust } from '../core/cloud.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/TenantAgent`;
const mayAsk = allow(['sts:GetWebIdentityToken', 'sts:TagGetWebIdentityToken']);

interface Cloud {
  readonly kernel: LocalKernel;
  readonly issuer: WebIdentityIssuer;
  readonly session: Caller;
  ask(input?: object, caller?: Caller): Promise<{ WebIdentityToken: string; Expiration: Date }>;
  verify(token: string): Promise<JWTVerifyResult>;
}
const answer = z.object({ WebIdentityToken: z.string(), Expiration: z.date() });
const credentials = z.object({ Credentials: z.object({ AccessKeyId: z.string() }) });
const jwks = z.custom<JSONWebKeySet>((value) => typeof value === 'object' && value !== null && 'keys' in value);

/** A session of a role that may ask for tokens, tagged with its tenant. */
async function withSession(...rights: object[]): Promise<Cloud> {
  const clock = createClock();
  const kernel = createKernel({ clock, customerAccountIds: ['444455556666'] });
  const issuer = createWebIdentityIssuer({ clock, origin: () => 'https://issuer.example' });
  kernel.register(createIam(kernel));
  kernel.register(createSts(kernel, { webIdentity: issuer }));
  const starter = await makeUser(kernel, 'starter', policy(allow(['sts:AssumeRole', 'sts:TagSession'])));
  await makeRole(kernel, 'TenantAgent', trust({ AWS: account }), policy(...rights));
  const assumed = await kernel.call(starter, 'sts', 'AssumeRole', {
    RoleArn: roleArn,
    RoleSessionName: 'acme',
    Tags: [{ Key: 'TenantId', Value: 'acme' }],
  });
  const session = kernel.callerOf(credentials.parse(assumed).Credentials.AccessKeyId);
  if (session === undefined) throw new Error('there is no session');
  return {
    kernel,
    issuer,
    session,
    ask: async (input = {}, caller = session) =>
      answer.parse(
        await kernel.call(caller, 'sts', 'GetWebIdentityToken', { Audience: ['https://api.example'], SigningAlgorithm: 'RS256', ...input }),
      ),
    async verify(token) {
      const keys = jwks.parse(await issuer.documentAt(new URL(issuer.jwksUriOf(account)).pathname));
      return await jwtVerify(token, createLocalJWKSet(keys), { currentDate: new Date(clock.now()) });
    },
  };
}

describe('GetWebIdentityToken (G8)', () => {
  it.each(['RS256', 'ES384'])('gives a token signed by %s whose claims say which role of which account asks', async (SigningAlgorithm) => {
    const { ask, verify, issuer, kernel } = await withSession(mayAsk);
    const { WebIdentityToken, Expiration } = await ask({ SigningAlgorithm, DurationSeconds: '600' });
    const { payload, protectedHeader } = await verify(WebIdentityToken);
    expect(protectedHeader.alg).toBe(SigningAlgorithm);
    expect(payload).toEqual({
      iss: issuer.issuerOf(account),
      sub: roleArn,
      aud: 'https://api.example',
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
      'https://sts.amazonaws.com/': { aws_account: account, source_region: 'us-east-1', principal_tags: { TenantId: 'acme' } },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(Expiration.getTime()).toBe((payload.exp ?? 0) * 1000);
    expect(Math.abs(kernel.clock.now() / 1000 - (payload.iat ?? 0))).toBeLessThan(5);
  });

  it('carries what is passed as tags, apart from the principal’s own', async () => {
    const { ask, verify } = await withSession(mayAsk);
    const { WebIdentityToken } = await ask({ Audience: ['a', 'b'], Tags: [{ Key: 'TenantId', Value: 'evil' }] });
    const { payload } = await verify(WebIdentityToken);
    expect(payload).toMatchObject({
      aud: ['a', 'b'],
      'https://sts.amazonaws.com/': { principal_tags: { TenantId: 'acme' }, request_tags: { TenantId: 'evil' } },
    });
  });

  it('is good for five minutes when nothing is said, by the cloud’s clock', async () => {
    const { ask, verify, kernel } = await withSession(mayAsk);
    const { WebIdentityToken } = await ask();
    kernel.clock.advance(299_000);
    await verify(WebIdentityToken);
    kernel.clock.advance(2_000);
    await expect(verify(WebIdentityToken)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('needs its permission, and another one for tags', async () => {
    const without = await withSession(allow('sts:AssumeRole'));
    await expect(without.ask()).rejects.toMatchObject({ code: 'AccessDenied' });
    const withoutTags = await withSession(allow('sts:GetWebIdentityToken'));
    await withoutTags.ask();
    await expect(withoutTags.ask({ Tags: [{ Key: 'a', Value: 'b' }] })).rejects.toThrow('sts:TagGetWebIdentityToken');
  });

  it('is bound by conditions on audience, algorithm and duration', async () => {
    const onlyOpenAi = allow('sts:GetWebIdentityToken', '*', {
      Condition: {
        'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': 'https://api.openai.com/v1' },
        StringEquals: { 'sts:SigningAlgorithm': 'ES384' },
        NumericLessThanEquals: { 'sts:DurationSeconds': '300' },
      },
    });
    const { ask } = await withSession(onlyOpenAi);
    const good = { Audience: ['https://api.openai.com/v1'], SigningAlgorithm: 'ES384', DurationSeconds: 300 };
    await ask(good);
    for (const change of [
      { Audience: ['https://api.openai.com/v1', 'https://evil.example'] },
      { SigningAlgorithm: 'RS256' },
      { DurationSeconds: 301 },
    ])
      await expect(ask({ ...good, ...change })).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('never outlives the session that asks', async () => {
    const { ask, kernel } = await withSession(mayAsk);
    kernel.clock.advance(3_500_000);
    await ask({ DurationSeconds: 60 });
    await expect(ask({ DurationSeconds: 300 })).rejects.toMatchObject({ code: 'SessionDurationEscalationException' });
  });

  it.each([
    { Audience: [] },
    { Audience: undefined },
    { SigningAlgorithm: 'HS256' },
    { SigningAlgorithm: 'none' },
    { DurationSeconds: 59 },
    { DurationSeconds: 3601 },
  ])('refuses %j', async (input) => {
    const { ask } = await withSession(mayAsk);
    await expect(ask(input)).rejects.toMatchObject({ code: 'ValidationError' });
  });

  it('has an issuer and keys for each account', async () => {
    const { ask, kernel, issuer, verify } = await withSession(mayAsk);
    const customer = kernel.addAccount('444455556666');
    const { WebIdentityToken } = await ask({}, kernel.callerOf(customer.accessKeyId));
    expect(issuer.issuerOf('444455556666')).not.toBe(issuer.issuerOf(account));
    await ask();
    await expect(verify(WebIdentityToken)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('is served by the world: discovery leads from the issuer to the keys', async () => {
    const clock = createClock();
    let origin = '';
    const issuer = createWebIdentityIssuer({ clock, origin: () => origin });
    const world = await startWorld({ clock, takeFault: () => undefined, webIdentity: issuer });
    onTestFinished(() => world.close());
    origin = `http://127.0.0.1:${world.port}`;
    const { token } = await issuer.sign(account, 'ES384', { sub: 'x' }, 60);
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES384', typ: 'JWT' });
    const found = await fetch(`${issuer.issuerOf(account)}/.well-known/openid-configuration`);
    const { jwks_uri } = z.object({ jwks_uri: z.string(), issuer: z.literal(issuer.issuerOf(account)) }).parse(await found.json());
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), { issuer: issuer.issuerOf(account) });
    expect(payload.sub).toBe('x');
    const text = await (await fetch(jwks_uri)).text();
    expect(text).not.toContain('"d":');
    for (const path of [
      '/web-identity/',
      '/web-identity/00/.well-known/jwks.json',
      `/web-identity/${'0'.repeat(32)}/.well-known/jwks.json`,
    ])
      expect((await fetch(`${origin}${path}`)).status).toBe(404);
  });
});
