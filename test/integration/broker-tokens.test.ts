import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isTenantId } from '../../functions/shared/identifiers.ts';
import { type Attacker, startAttacker } from '../support/attacker.ts';
import { usesBy } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { plantTenantStatus } from '../support/ground-truth.ts';
import { askProxy } from '../support/proxy-request.ts';
import { flawedTenantClaims, flawedTokens } from '../support/refused-tokens.ts';

let test: TestCloud;
let attacker: Attacker;
let tenantId: string;
let neighbour: string;

const credentials = [{ credentialId: 'openai-main', provider: 'openai', source: 'platform-issued', environment: 'production' }];
const routing = [{ match: { provider: 'openai', environment: 'production' }, use: 'openai-main' }];

beforeAll(async () => {
  test = await testCloud();
  attacker = await startAttacker();
  tenantId = test.freshTenantId();
  neighbour = test.freshTenantId();
  for (const id of [tenantId, neighbour]) await test.onboard({ tenantId: id, credentials, routing });
});
afterAll(() => attacker.close());

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

async function get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await fetch(`${test.cloud.brokerUrl}/v1${path}`, { headers });
  const text = await answer.text();
  return { status: answer.status, text, json: JSON.parse(text) };
}
const models = (token: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  get('/proxy/openai/models', { authorization: `Bearer ${token}`, ...more });
const genuine = (): Promise<string> => test.cloud.oidc.mint({ tenantId });

const errorBody = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string(), requestId: z.string().min(8) }) });

/** What a refused caller is told, without the request's own ID. */
function toldBy({ status, json }: Answer): object {
  const { code, message } = errorBody.parse(json).error;
  return { status, code, message };
}
const refused = { status: 401, code: 'TOKEN_REFUSED', message: 'The token was not accepted.' };

/** Runs `call` and says what the provider, the vault, the registry and strangers noticed of it. */
async function noticed(call: () => Promise<unknown>): Promise<object> {
  const [seq, asked, visits] = [test.cloud.journal.lastSeq, test.cloud.openai.requests().length, attacker.visits()];
  await call();
  return {
    actions: test.cloud.journal
      .since(seq)
      .filter(({ service, principal }) => service !== 'logs' && !principal.endsWith('.amazonaws.com'))
      .map(({ action }) => action),
    asked: test.cloud.openai.requests().length - asked,
    visits: attacker.visits() - visits,
  };
}
const nothing = { actions: [], asked: 0, visits: 0 };

describe('I11 a token that cannot be believed, at the broker', () => {
  it('is taken when nothing is wrong with it', async () => {
    expect((await models(await genuine())).status).toBe(200);
  });

  // A header of that size does not even get as far as an authorizer.
  it.each(flawedTokens.filter(({ name }) => !name.includes('8 KiB')))('is refused when it $name', async ({ request: flawed }) => {
    const token = await test.cloud.oidc.mint(flawed(tenantId));
    expect(await noticed(async () => expect(toldBy(await models(token))).toEqual(refused))).toEqual(nothing);
  });

  it.each([9, 12])('is refused when it has %i KiB, and nobody reads it', async (size) => {
    const token = await test.cloud.oidc.mint({ tenantId, claims: { padding: 'x'.repeat(Math.ceil((size * 1024 * 3) / 4)) } });
    const seen = await noticed(async () => {
      const answer = await models(token);
      expect([401, 431]).toContain(answer.status);
      expect(errorBody.parse(answer.json).error.code).toBe(answer.status === 401 ? 'TOKEN_REFUSED' : 'REQUEST_INVALID');
    });
    expect(seen).toEqual(nothing);
  });

  it('is refused when somebody else signed it and says where the key is', async () => {
    const forged = await attacker.sign(
      { iss: test.cloud.oidc.issuer, aud: 'cordon', sub: 'ana', tenant_id: tenantId },
      { jku: attacker.jwksUri },
    );
    test.tokens.add(forged);
    expect(await noticed(async () => expect(toldBy(await models(forged))).toEqual(refused))).toEqual(nothing);
  });

  it('is refused when it names a neighbour under another’s signature', async () => {
    const [head, , signature] = (await genuine()).split('.');
    const [, body] = (await test.cloud.oidc.mint({ tenantId: neighbour })).split('.');
    expect(await noticed(async () => expect(toldBy(await models(`${head}.${body}.${signature}`))).toEqual(refused))).toEqual(nothing);
  });

  it.each(flawedTenantClaims)('is refused when its tenant claim is $name', async ({ claim }) => {
    const value = claim(tenantId);
    const token = await test.cloud.oidc.mint({ tenantId, claims: { tenant_id: value } });
    const seen = await noticed(async () => expect(toldBy(await models(token))).toEqual(refused));
    // What cannot be a tenant's name is refused before anything is read; what could be, because nothing is registered under it.
    const lookedUp = typeof value === 'string' && isTenantId(value);
    expect(seen).toEqual(lookedUp ? { ...nothing, actions: expect.any(Array) } : nothing);
  });
});

describe('I11 where a token has to be', () => {
  it.each<[string, string, (token: string) => Record<string, string>]>([
    ['nowhere', '/proxy/openai/models', () => ({})],
    ['in an empty header', '/proxy/openai/models', () => ({ authorization: '' })],
    ['behind another scheme', '/proxy/openai/models', (token) => ({ authorization: `Basic ${token}` })],
    ['behind no scheme', '/proxy/openai/models', (token) => ({ authorization: token })],
    ['in the header of another provider', '/proxy/openai/models', (token) => ({ 'x-api-key': token })],
    ['in the header of OpenAI, for Gemini', '/proxy/gemini/v1beta/models', (token) => ({ authorization: `Bearer ${token}` })],
    ['in the header of OpenAI, for Azure', '/proxy/azure-openai/openai/models', (token) => ({ authorization: `Bearer ${token}` })],
    ['in both headers of Anthropic', '/proxy/anthropic/v1/models', (token) => ({ authorization: `Bearer ${token}`, 'x-api-key': token })],
    ['in the path', '/proxy/openai/models?access_token=', () => ({})],
    ['in the door’s wrong header', '/credentials/public-key', (token) => ({ 'x-api-key': token })],
    ['in the record’s wrong header', '/attribution', (token) => ({ 'x-goog-api-key': token })],
  ])('refuses a good one that is %s', async (_where, path, headers) => {
    const token = await genuine();
    const whole = path.endsWith('=') ? `${path}${token}` : path;
    expect(toldBy(await get(whole, headers(token)))).toEqual(refused);
  });

  it('refuses two headers of the one name', async () => {
    const [mine, theirs] = [await genuine(), await test.cloud.oidc.mint({ tenantId: neighbour })];
    const asked = test.cloud.openai.requests().length;
    const { status } = await askProxy(test, 'openai/models', { headers: { authorization: [`Bearer ${mine}`, `Bearer ${theirs}`] } });
    expect(status).toBe(401);
    expect(test.cloud.openai.requests()).toHaveLength(asked);
  });
});

describe('I11 to a stranger', () => {
  it('an unknown tenant and a bad token look the same', async () => {
    const unknown = await test.cloud.oidc.mint({ tenantId: test.freshTenantId() });
    const bad = await test.cloud.oidc.mint({ tenantId, claims: { aud: 'somebody-else' } });
    expect([toldBy(await models(unknown)), toldBy(await models(bad))]).toEqual([refused, refused]);
  });

  it.each(['provisioning', 'failed', 'offboarded', 'a-status-of-a-later-version'])(
    'so does a tenant that is %s, warm or not',
    async (status) => {
      const [warm, cold] = [test.freshTenantId(), test.freshTenantId()];
      for (const id of [warm, cold]) await test.onboard({ tenantId: id, credentials, routing });
      const tokens = [await test.cloud.oidc.mint({ tenantId: warm }), await test.cloud.oidc.mint({ tenantId: cold })];
      expect((await models(tokens[0] ?? '')).status).toBe(200);
      for (const id of [warm, cold]) await plantTenantStatus(test.cloud, id, status);
      const asked = test.cloud.openai.requests().length;
      for (const token of tokens) expect(toldBy(await models(token))).toEqual(refused);
      expect(test.cloud.openai.requests()).toHaveLength(asked);
    },
  );
});

describe('I3 I11 a tenant that the client names', () => {
  it.each(['X-Amz-Tenant-Id', 'x-cordon-tenant', 'X-Tenant-Id', 'tenant_id'])('in the header %s changes nothing', async (name) => {
    const before = (await usesBy(test, neighbour)).length;
    const run = `run-${name.toLowerCase()}`;
    const answer = await models(await genuine(), { [name]: neighbour, 'x-cordon-workflow-run': run });
    expect(answer.status).toBe(200);
    await test.settled();
    const mine = (await usesBy(test, tenantId)).filter(({ intent }) => intent.asserted?.['workflow-run'] === run);
    expect(mine.map(({ intent, outcome }) => [intent.tenantId, outcome.result])).toEqual([[tenantId, 'succeeded']]);
    expect(await usesBy(test, neighbour)).toHaveLength(before);
  });
});

describe('I11 a token that expires', () => {
  it('is refused although the authorizer’s answer is still kept', async () => {
    const token = await test.cloud.oidc.mint({ tenantId, expiresIn: 60 });
    const authorizersAsked = async (): Promise<number> => {
      const seq = test.cloud.journal.lastSeq;
      expect((await models(token)).status).toBe(200);
      const entries = test.cloud.journal.since(seq).filter(({ action }) => action === 'lambda:InvokeFunction');
      return entries.filter(({ resource }) => /authoriz/i.test(resource)).length;
    };
    expect([await authorizersAsked(), await authorizersAsked()]).toEqual([1, 0]);
    test.cloud.clock.advance(61_000);
    const asked = test.cloud.openai.requests().length;
    const answer = await models(token);
    expect(toldBy(answer)).toMatchObject({ status: 401, code: 'TOKEN_EXPIRED' });
    expect(test.cloud.openai.requests()).toHaveLength(asked);
  });
});
