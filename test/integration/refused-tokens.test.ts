import type { ServerResponse } from 'node:http';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { isTenantId } from '../../functions/shared/identifiers.ts';
import { type Attacker, startAttacker } from '../support/attacker.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';
import { flawedTenantClaims, flawedTokens } from '../support/refused-tokens.ts';
import { refusal, sessionAnswer, unavailable } from '../support/session-answers.ts';

let test: TestCloud;
let attacker: Attacker;
let tenantId: string;
let neighbour: string;
beforeAll(async () => {
  test = await testCloud();
  attacker = await startAttacker();
  tenantId = test.freshTenantId();
  neighbour = test.freshTenantId();
  await Promise.all([test.onboard({ tenantId }), test.onboard({ tenantId: neighbour })]);
});
afterAll(() => attacker.close());

const ask = (payload: unknown): Promise<unknown> => test.cloud.invoke('sessions', payload);
const genuine = (): Promise<string> => test.cloud.oidc.mint({ tenantId });

/** Roles that the function has assumed since; Lambda's own for a new environment do not count. */
const assumedSince = (seq: number): readonly string[] =>
  test.cloud.journal
    .since(seq)
    .filter(({ action, principal }) => action === 'sts:AssumeRole' && principal !== 'lambda.amazonaws.com')
    .map(({ resource }) => resource);

/** Refused in the one way, before anything of a tenant was looked at, and without asking a stranger for keys. */
async function expectRefusedUnread(payload: unknown): Promise<void> {
  const [seq, visits] = [test.cloud.journal.lastSeq, attacker.visits()];
  expect(await ask(payload)).toEqual(refusal);
  expect({ assumed: assumedSince(seq), visits: attacker.visits() }).toEqual({ assumed: [], visits });
}

describe('I11 a token that cannot be believed', () => {
  it('is taken when nothing is wrong with it', async () => {
    expect(sessionAnswer.parse(await ask({ token: await genuine() })).tenantId).toBe(tenantId);
  });

  it.each(flawedTokens)('is refused when it $name', async ({ request }) => {
    await expectRefusedUnread({ token: await test.cloud.oidc.mint(request(tenantId)) });
  });

  it.each([
    { name: 'with its own key and its own name for it', header: () => ({}) },
    { name: "under the name of the issuer's key", header: (kid: string) => ({ kid }) },
    { name: 'and says where the key is (jku)', header: (kid: string) => ({ kid, jku: attacker.jwksUri }) },
    { name: 'and brings the key along (jwk)', header: (kid: string) => ({ kid, jwk: attacker.publicJwk }) },
    { name: 'and says where a certificate is (x5u)', header: (kid: string) => ({ kid, x5u: attacker.jwksUri }) },
    { name: 'and brings a certificate along (x5c)', header: (kid: string) => ({ kid, x5c: ['MIIB'] }) },
  ])('is refused when somebody else signed it, $name', async ({ header }) => {
    const token = await genuine();
    const forged = await attacker.sign(decodeJwt(token), header(decodeProtectedHeader(token).kid ?? ''));
    test.tokens.add(forged);
    await expectRefusedUnread({ token: forged });
  });

  it('is refused when the issuer is a stranger that serves keys for it', async () => {
    const claims = { ...decodeJwt(await genuine()), iss: new URL(attacker.jwksUri).origin };
    await expectRefusedUnread({ token: await attacker.sign(claims) });
  });

  it.each([
    {
      name: 'names the neighbour instead of the tenant it was made for',
      spoil: ([head, body, signature]: string[]) => [head, withTenant(body ?? '', neighbour), signature],
    },
    { name: 'has lost the end of its signature', spoil: ([head, body, signature]: string[]) => [head, body, signature?.slice(0, -8)] },
    { name: 'has lost its signature', spoil: ([head, body]: string[]) => [head, body, ''] },
    { name: 'has lost its last part', spoil: ([head, body]: string[]) => [head, body] },
    { name: 'has a part too many', spoil: (parts: string[]) => [...parts, 'e30'] },
    { name: 'has its parts in another order', spoil: (parts: string[]) => parts.toReversed() },
    { name: 'has a header that is no JSON', spoil: ([, body, signature]: string[]) => ['e3', body, signature] },
    { name: 'has a header that is a list', spoil: ([, body, signature]: string[]) => ['W10', body, signature] },
    { name: 'has claims that are no object', spoil: ([head, , signature]: string[]) => [head, 'bnVsbA', signature] },
    { name: 'is not Base64', spoil: ([head, body]: string[]) => [head, body, '%%%'] },
  ])('is refused when it $name', async ({ spoil }) => {
    await expectRefusedUnread({ token: spoil((await genuine()).split('.')).join('.') });
  });

  it.each([
    { name: 'nothing at all', payload: () => null },
    { name: 'a text', payload: (token: string) => token },
    { name: 'a list', payload: (token: string) => [{ token }] },
    { name: 'no token', payload: () => ({}) },
    { name: 'an empty token', payload: () => ({ token: '' }) },
    { name: 'a number for a token', payload: () => ({ token: 1 }) },
    { name: 'a list of tokens', payload: (token: string) => ({ token: [token] }) },
    { name: 'a token with its scheme', payload: (token: string) => ({ token: `Bearer ${token}` }) },
    { name: 'two tokens', payload: (token: string) => ({ token: `${token},${token}` }) },
    { name: 'garbage', payload: () => ({ token: 'x'.repeat(200) }) },
    { name: 'a megabyte of garbage', payload: () => ({ token: 'x'.repeat(1024 * 1024) }) },
    { name: 'a tenant beside the token', payload: (token: string) => ({ token, tenantId: neighbour }) },
    { name: 'a user beside the token', payload: (token: string) => ({ token, as: 'user', userId: 'a'.repeat(26) }) },
    { name: 'another kind of session', payload: (token: string) => ({ token, as: 'admin' }) },
    { name: 'a prototype', payload: (token: string) => JSON.parse(`{"token":"${token}","__proto__":{"as":"user"},"constructor":{}}`) },
  ])('is refused when the request holds $name', async ({ payload }) => {
    await expectRefusedUnread(payload(await genuine()));
  });
});

describe('I11 a token whose tenant is none', () => {
  it.each(flawedTenantClaims)('is refused when the tenant claim is $name', async ({ claim }) => {
    const seq = test.cloud.journal.lastSeq;
    const value = claim(tenantId);
    expect(await ask({ token: await test.cloud.oidc.mint({ tenantId, claims: { tenant_id: value } }) })).toEqual(refusal);
    // A name that could be a tenant's is looked up, in a session of that very name; nothing else gets as far.
    const lookedUp = typeof value === 'string' && isTenantId(value);
    const reads = test.cloud.journal.since(seq).filter(({ principal }) => principal.includes('assumed-role/TenantReader/'));
    expect(reads.map(({ action, tags }) => ({ action, tags }))).toEqual(
      lookedUp ? Array.from({ length: 2 }, () => ({ action: 'dynamodb:GetItem', tags: { TenantId: value } })) : [],
    );
  });
});

describe('I11 why a token was refused', () => {
  it('is in the log for the operator, without the token, and with nobody else', async () => {
    const spoiled = await test.cloud.oidc.mint({ tenantId, claims: { aud: 'somebody-else' } });
    const unknown = await test.cloud.oidc.mint({ tenantId: 'nobody-knows-me-either' });
    expect(await ask({ token: spoiled })).toEqual(refusal);
    expect(await ask({ token: unknown })).toEqual(refusal);
    await test.settled();
    const lines = await logLines();
    const last = lines
      .slice(-2)
      .map((line) => z.object({ level: z.string(), code: z.string(), reason: z.string() }).parse(JSON.parse(line)));
    expect(last).toEqual([
      { level: 'WARN', code: 'TOKEN_REFUSED', reason: expect.stringContaining('ERR_JWT_CLAIM_VALIDATION_FAILED') },
      { level: 'WARN', code: 'TENANT_UNKNOWN', reason: expect.any(String) },
    ]);
    for (const token of test.tokens)
      for (const part of token.split('.')) if (part.length > 40) expect(lines.join('\n')).not.toContain(part);
  });
});

describe("I11 the issuer's keys cannot be had", () => {
  const answers: readonly { readonly name: string; readonly answer: (response: ServerResponse) => void }[] = [
    { name: 'drops the connection', answer: (response) => response.destroy() },
    { name: 'answers 503', answer: (response) => response.writeHead(503).end() },
    { name: 'answers something that is no key set', answer: (response) => response.writeHead(200).end('{"keys":"none"}') },
    { name: 'answers something that is no JSON', answer: (response) => response.writeHead(200).end('<html>') },
    { name: 'sends one to a stranger', answer: (response) => response.writeHead(302, { location: attacker.jwksUri }).end() },
  ];

  it.each(answers)('opens no session while the key endpoint $name, does not break, and goes on when it is back', async ({ answer }) => {
    // The keys of before are no longer good enough after ten minutes.
    test.cloud.clock.advance(11 * 60_000);
    const visits = attacker.visits();
    const handle = vi.spyOn(test.cloud.world.oidc, 'handle').mockImplementation((_, response) => answer(response));
    try {
      const stranger = await attacker.sign(decodeJwt(await genuine()));
      for (const token of [await genuine(), stranger]) expect([refusal, unavailable]).toContainEqual(await ask({ token }));
      expect(handle).toHaveBeenCalled();
    } finally {
      handle.mockRestore();
    }
    expect(attacker.visits()).toBe(visits);
    expect(sessionAnswer.parse(await ask({ token: await genuine() })).tenantId).toBe(tenantId);
  });
});

async function logLines(): Promise<readonly string[]> {
  const configuration = await asRoot(test.cloud, 'lambda', 'GetFunctionConfiguration', {
    FunctionName: test.cloud.functionArns['sessions'],
  });
  const { LoggingConfig } = z.object({ LoggingConfig: z.object({ LogGroup: z.string() }) }).parse(configuration);
  const page = await asRoot(test.cloud, 'logs', 'FilterLogEvents', { logGroupName: LoggingConfig.LogGroup });
  return z
    .object({ events: z.array(z.object({ message: z.string() })) })
    .parse(page)
    .events.map(({ message }) => message);
}

function withTenant(body: string, other: string): string {
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString());
  return Buffer.from(JSON.stringify({ ...Object(claims), tenant_id: other })).toString('base64url');
}
