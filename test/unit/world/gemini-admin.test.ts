import { importPKCS8, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AdministeredWorld, type Asked, bearer, fingerprint, send, startAdministeredWorld, textAt } from './administrations.ts';

const adminSecret = z.strictObject({
  projectNumber: z.string(),
  clientEmail: z.string(),
  privateKey: z.string(),
  privateKeyId: z.string(),
});
let given: AdministeredWorld;
let secret: z.infer<typeof adminSecret>;
let keysPath: string;
beforeEach(async () => {
  given = await startAdministeredWorld();
  secret = adminSecret.parse(JSON.parse(given.simulator('gemini').adminSecret ?? ''));
  keysPath = `/v2/projects/${secret.projectNumber}/locations/global/keys`;
});
afterEach(() => given.world.close());

const scope = 'https://www.googleapis.com/auth/cloud-platform';
interface Assertion {
  readonly iss?: string;
  readonly aud?: string;
  readonly scope?: string;
  readonly lifetime?: number;
  readonly privateKey?: string;
  readonly issuedAgo?: number;
}
async function tokenWith(over: Assertion = {}) {
  const iat = Math.floor(given.clock.now() / 1000) - (over.issuedAgo ?? 0);
  const assertion = await new SignJWT({ scope: over.scope ?? scope })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: secret.privateKeyId })
    .setIssuer(over.iss ?? secret.clientEmail)
    .setAudience(over.aud ?? 'https://oauth2.googleapis.com/token')
    .setIssuedAt(iat)
    .setExpirationTime(iat + (over.lifetime ?? 3600))
    .sign(await importPKCS8(over.privateKey ?? secret.privateKey, 'RS256'));
  return send(given.world.tokenUrls.gemini, 'POST', {
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
  });
}
const newToken = async () => textAt((await tokenWith()).json, 'access_token');
const admin = async (method: string, path: string, body?: Asked['body'], token?: string) =>
  given.admin('gemini', method, path, { headers: bearer(token ?? (await newToken())), ...(body && { body }) });
const models = async (key: string) => (await given.use('gemini', 'GET', '/v1beta/models', { headers: { 'x-goog-api-key': key } })).status;
const restrictions = { apiTargets: [{ service: 'generativelanguage.googleapis.com' }] };
const create = (keyId: string, body: object = {}) =>
  admin('POST', `${keysPath}?keyId=${keyId}`, { displayName: keyId, restrictions, ...body });
const poll = async (operation: { json: unknown }) => (await admin('GET', `/v2/${textAt(operation.json, 'name')}`)).json;
const keyString = async (keyId: string) => textAt((await admin('GET', `${keysPath}/${keyId}/keyString`)).json, 'keyString');
const invalid = { status: 400, json: { error: { status: 'INVALID_ARGUMENT' } } };

describe('the simulator of Google’s token endpoint', () => {
  it('gives a service account a token for an assertion that its key has signed', async () => {
    expect((await tokenWith()).json).toMatchObject({ token_type: 'Bearer', expires_in: 3599 });
    expect((await tokenWith({ aud: given.world.tokenUrls.gemini })).status).toBe(200);
    const token = await newToken();
    expect((await admin('GET', keysPath, undefined, token)).status).toBe(200);
    given.clock.advance(3_600_000);
    expect(await admin('GET', keysPath, undefined, token)).toMatchObject({ status: 401, json: { error: { status: 'UNAUTHENTICATED' } } });
    expect(given.world.plantedSecrets()).toEqual(expect.arrayContaining([secret.privateKey.split('\n')[2], token]));
  });

  it('refuses what another key has signed', async () => {
    const other = await startAdministeredWorld();
    const { privateKey } = adminSecret.parse(JSON.parse(other.simulator('gemini').adminSecret ?? ''));
    await other.world.close();
    expect(await tokenWith({ privateKey })).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
  });

  it.each<[string, Assertion, string]>([
    ['another issuer', { iss: 'someone@else.iam.gserviceaccount.com' }, 'invalid_grant'],
    ['another audience', { aud: 'https://example.com/' }, 'invalid_grant'],
    ['another scope', { scope: 'email' }, 'invalid_scope'],
    ['a long life', { lifetime: 7200 }, 'invalid_grant'],
    ['an expired assertion', { issuedAgo: 7200 }, 'invalid_grant'],
  ])('refuses %s', async (_, over, error) => {
    expect(await tokenWith(over)).toMatchObject({ status: 400, json: { error } });
  });
});

describe('the Gemini simulator, administration', () => {
  it('makes a key in the background, and gives its string apart', async () => {
    const begun = await create('k1', { displayName: 'acme.main.1', annotations: { owner: 'acme' } });
    expect(begun).toMatchObject({ status: 200, json: { name: expect.stringMatching(/^operations\//) } });
    expect(begun.json).not.toHaveProperty('done');
    expect(await poll(begun)).toMatchObject({
      done: true,
      response: {
        name: `projects/${secret.projectNumber}/locations/global/keys/k1`,
        displayName: 'acme.main.1',
        annotations: { owner: 'acme' },
      },
    });
    const key = await keyString('k1');
    expect(await models(key)).toBe(200);
    const list = await admin('GET', keysPath);
    expect(list.json).toMatchObject({ keys: [{ displayName: 'acme.main.1', restrictions }] });
    expect(JSON.stringify([list.json, given.simulator('gemini').keys()])).not.toContain(key);
    expect(given.simulator('gemini').liveKeys('acme.')).toEqual([{ name: 'acme.main.1', fingerprint: fingerprint(key) }]);
    expect(given.world.plantedSecrets()).toContain(key);
  });

  it('is pending for as many polls as told', async () => {
    given.world.misbehave('gemini', { pendingPolls: 2 });
    const begun = await create('k1');
    for (let count = 0; count < 2; count += 1) {
      expect((await admin('GET', keysPath)).json).toEqual({});
      expect((await admin('GET', `${keysPath}/k1/keyString`)).status).toBe(404);
      expect(await poll(begun)).not.toHaveProperty('done');
    }
    expect(await poll(begun)).toMatchObject({ done: true });
    expect(await models(await keyString('k1'))).toBe(200);
  });

  it('finishes what nobody asks about', async () => {
    given.world.misbehave('gemini', { pendingPolls: 1000 });
    given.faults.add({ service: 'gemini', action: 'POST /v2/projects/{id}/locations/global/keys', nth: 1, mode: 'after' });
    await expect(create('k1')).rejects.toThrow();
    expect((await admin('GET', keysPath)).json).toEqual({});
    given.clock.advance(10_000);
    expect((await admin('GET', keysPath)).json).toMatchObject({ keys: [{ displayName: 'k1' }] });
    expect(given.simulator('gemini').liveKeys()).toHaveLength(1);
  });

  it('counts a key as live when it comes to be, also when only the count asks', async () => {
    given.world.misbehave('gemini', { pendingPolls: 1000 });
    await create('k1');
    expect(given.simulator('gemini').liveKeys()).toEqual([]);
    given.clock.advance(10_000);
    expect(given.simulator('gemini').liveKeys()).toHaveLength(1);
  });

  it('takes an ID once, also that of a deleted key, and only one that follows the rules', async () => {
    await create('k1');
    const again = { status: 409, json: { error: { status: 'ALREADY_EXISTS' } } };
    expect(await create('k1')).toMatchObject(again);
    await admin('DELETE', `${keysPath}/k1`);
    expect(await create('k1')).toMatchObject(again);
    for (const keyId of ['K1', '1k', 'k_1', 'k'.repeat(64)]) expect(await create(keyId)).toMatchObject(invalid);
    expect(await create('k2', { displayName: 'n'.repeat(64) })).toMatchObject(invalid);
  });

  it('deletes a key, and takes that back within thirty days', async () => {
    await create('k1');
    const key = await keyString('k1');
    expect(await poll(await admin('DELETE', `${keysPath}/k1`))).toMatchObject({ done: true, response: { deleteTime: expect.any(String) } });
    expect(await models(key)).toBe(400);
    expect((await admin('DELETE', `${keysPath}/k1`)).status).toBe(404);
    expect((await admin('GET', `${keysPath}/k1/keyString`)).status).toBe(404);
    expect((await admin('GET', keysPath)).json).toEqual({});
    expect((await admin('GET', `${keysPath}?showDeleted=true`)).json).toMatchObject({ keys: [{ deleteTime: expect.any(String) }] });
    given.clock.advance(29 * 86_400_000);
    await admin('POST', `${keysPath}/k1:undelete`, {});
    expect(await models(key)).toBe(200);
    expect(await keyString('k1')).toBe(key);
    expect(await admin('POST', `${keysPath}/k1:undelete`, {})).toMatchObject(invalid);
    await admin('DELETE', `${keysPath}/k1`);
    given.clock.advance(30 * 86_400_000);
    expect((await admin('POST', `${keysPath}/k1:undelete`, {})).status).toBe(404);
  });

  it('accepts a deleted key for a while when told to', async () => {
    given.world.misbehave('gemini', { deletionDelayMs: 60_000 });
    await create('k1');
    const key = await keyString('k1');
    await admin('DELETE', `${keysPath}/k1`);
    expect(await models(key)).toBe(200);
    given.clock.advance(60_001);
    expect(await models(key)).toBe(400);
  });

  it('refuses the use of a key that is not restricted to Gemini', async () => {
    await create('k1', { restrictions: undefined });
    await create('k2', { restrictions: { apiTargets: [{ service: 'maps.googleapis.com' }] } });
    for (const keyId of ['k1', 'k2']) expect(await models(await keyString(keyId))).toBe(403);
    expect(await models(given.world.issueKey('gemini'))).toBe(200);
  });

  it('lists page by page', async () => {
    for (const keyId of ['k1', 'k2', 'k3']) await create(keyId);
    const first = await admin('GET', `${keysPath}?pageSize=2`);
    expect(first.json).toMatchObject({ keys: [{ uid: 'k1' }, { uid: 'k2' }] });
    const second = await admin('GET', `${keysPath}?pageSize=2&pageToken=${textAt(first.json, 'nextPageToken')}`);
    expect(second.json).toMatchObject({ keys: [{ uid: 'k3' }] });
    expect(second.json).not.toHaveProperty('nextPageToken');
  });

  it('has limits: of keys, of requests, and of projects', async () => {
    given.world.misbehave('gemini', { maxKeys: 1 });
    await create('k1');
    expect((await create('k2')).status).toBe(400);
    given.world.misbehave('gemini', { adminPerMinute: 0 });
    const refused = await admin('GET', keysPath);
    expect(refused).toMatchObject({ status: 429, json: { error: { status: 'RESOURCE_EXHAUSTED' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    given.world.misbehave('gemini');
    expect((await admin('GET', '/v2/projects/1/locations/global/keys')).status).toBe(403);
    expect((await admin('GET', keysPath, undefined, await keyString('k1'))).status).toBe(401);
  });
});
