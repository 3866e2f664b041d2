import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdministeredWorld, type Asked, bearer, fingerprint, startAdministeredWorld, textAt } from './administrations.ts';

let given: AdministeredWorld;
beforeEach(async () => {
  given = await startAdministeredWorld();
});
afterEach(() => given.world.close());

const admin = (method: string, path: string, body?: Asked['body'], key = given.simulator('mistral').adminSecret ?? '') =>
  given.admin('mistral', method, path, { headers: { 'x-api-key': key }, ...(body && { body }) });
const models = async (key: string) => (await given.use('mistral', 'GET', '/models', { headers: bearer(key) })).status;
const adminUser = async () => textAt((await admin('GET', '/users')).json, 'items.0.uuid');
const makeWorkspace = async (name: string) =>
  textAt((await admin('POST', '/workspaces', { name, admin_user_id: await adminUser() })).json, 'uuid');
const makeKey = async (name: string, more: object = {}) => {
  const { json } = await admin('POST', '/api-keys', { name, ...more });
  return { keyId: textAt(json, 'key_id'), key: textAt(json, 'key') };
};
const invalid = (...loc: string[]) => ({ status: 422, json: { detail: [{ loc }] } });

describe('the Mistral simulator, administration', () => {
  it('takes the admin key in either header, and nobody else’s', async () => {
    const key = given.simulator('mistral').adminSecret;
    expect((await given.admin('mistral', 'GET', '/api-keys', { headers: bearer(key) })).status).toBe(200);
    expect(await admin('GET', '/api-keys', undefined, given.world.issueKey('mistral'))).toMatchObject({
      status: 401,
      json: { detail: 'Unauthorized' },
    });
    expect((await given.admin('mistral', 'GET', '/api-keys')).status).toBe(401);
    expect(await models(key ?? '')).toBe(401);
  });

  it('makes workspaces, finds them by name, and archives them with their keys', async () => {
    const uuid = await makeWorkspace('cordon.acme');
    await makeWorkspace('cordon.acme-2');
    const found = await admin('GET', '/workspaces?search=cordon.acme&page=2&page_size=1');
    expect(found.json).toMatchObject({ object: 'list', items: [{ name: 'cordon.acme-2' }], page: 2, page_size: 1, total: 2 });
    const { key } = await makeKey('acme.main.1', { workspace_uuid: uuid });
    expect((await admin('DELETE', `/workspaces/${uuid}`)).status).toBe(204);
    expect(await models(key)).toBe(401);
    expect((await admin('GET', '/workspaces?search=cordon.acme')).json).toMatchObject({ total: 1 });
    expect(await admin('POST', '/api-keys', { workspace_uuid: uuid })).toMatchObject(invalid('body', 'workspace_uuid'));
  });

  it('demands what is documented as required', async () => {
    expect(await admin('POST', '/workspaces', { name: 'cordon.acme' })).toMatchObject(invalid('body', 'admin_user_id'));
    expect(await admin('GET', '/api-keys?limit=0')).toMatchObject(invalid('query', 'limit'));
  });

  it('shows a key once, and lists it masked', async () => {
    const uuid = await makeWorkspace('cordon.acme');
    const { keyId, key } = await makeKey('acme.main.1', { workspace_uuid: uuid });
    expect(key).toMatch(/^[A-Za-z0-9]{32}$/);
    const list = await admin('GET', '/api-keys');
    expect(list.json).toMatchObject({
      keys: [{ key_id: keyId, name: 'acme.main.1', key: null, workspace_id: uuid, workspace_name: 'cordon.acme', expiration_date: null }],
    });
    const { keys, requests, plantedSecrets } = given.simulator('mistral');
    expect(JSON.stringify([list.json, keys(), requests()])).not.toContain(key);
    expect(plantedSecrets()).toEqual(expect.arrayContaining([key, given.simulator('mistral').adminSecret]));
  });

  it('lists page by page', async () => {
    for (const name of ['a', 'b', 'c']) await makeKey(name);
    expect((await admin('GET', '/api-keys?limit=2&offset=2')).json).toMatchObject({ keys: [{ name: 'c' }] });
    expect((await admin('GET', '/api-keys?limit=2&offset=3')).json).toEqual({ keys: [] });
  });

  it('accepts a key from the moment it is made until it is deleted, and expired ones no longer', async () => {
    const { keyId, key } = await makeKey('acme.main.1');
    const tomorrow = new Date(given.clock.now() + 86_400_000).toISOString().slice(0, 10);
    const short = await makeKey('acme.main.2', { expiration: tomorrow });
    expect(await models(key)).toBe(200);
    expect(await models(short.key)).toBe(200);
    given.clock.advance(2 * 86_400_000);
    expect(await models(short.key)).toBe(401);
    expect((await admin('DELETE', `/api-keys/${keyId}`)).status).toBe(204);
    expect(await models(key)).toBe(401);
    expect((await admin('DELETE', `/api-keys/${keyId}`)).status).toBe(404);
    expect((await admin('GET', '/api-keys')).json).toMatchObject({ keys: [{ name: 'acme.main.2' }] });
  });

  it('accepts a deleted key for a while when told to, and counts it as live as long', async () => {
    given.world.misbehave('mistral', { deletionDelayMs: 60_000 });
    const { keyId, key } = await makeKey('acme.main.1');
    await makeKey('other.main.1');
    await admin('DELETE', `/api-keys/${keyId}`);
    expect((await admin('GET', '/api-keys')).json).toMatchObject({ keys: [{ name: 'other.main.1' }] });
    expect(given.simulator('mistral').liveKeys('acme.')).toEqual([{ name: 'acme.main.1', fingerprint: fingerprint(key) }]);
    given.clock.advance(59_000);
    expect(await models(key)).toBe(200);
    given.clock.advance(1001);
    expect(await models(key)).toBe(401);
    expect(given.simulator('mistral').liveKeys('acme.')).toEqual([]);
    expect(given.simulator('mistral').liveKeys()).toHaveLength(1);
  });

  it('refuses one key more than a workspace may have', async () => {
    given.world.misbehave('mistral', { maxKeys: 1 });
    await makeKey('acme.main.1');
    expect(await admin('POST', '/api-keys', { name: 'acme.main.2' })).toMatchObject({ status: 400 });
    await makeKey('globex.main.1', { workspace_uuid: await makeWorkspace('cordon.globex') });
  });

  it('limits how often it is asked, and says when to come again', async () => {
    given.world.misbehave('mistral', { adminPerMinute: 2 });
    expect((await admin('GET', '/api-keys')).status).toBe(200);
    given.clock.advance(20_000);
    expect((await admin('GET', '/api-keys')).status).toBe(200);
    const refused = await admin('GET', '/api-keys');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(40);
    given.clock.advance(40_000);
    expect((await admin('GET', '/api-keys')).status).toBe(200);
  });

  it.each([
    ['after', 1],
    ['before', 0],
  ] as const)('loses an answer by a fault %s, with %i keys made', async (mode, count) => {
    given.faults.add({ service: 'mistral', action: 'POST /api/admin/api-keys', nth: 1, mode });
    const lost = admin('POST', '/api-keys', { name: 'acme.main.1' });
    if (mode === 'after') await expect(lost).rejects.toThrow();
    else expect((await lost).status).toBe(500);
    expect((await admin('GET', '/api-keys')).json).toMatchObject({ keys: Array.from({ length: count }, () => ({ name: 'acme.main.1' })) });
    expect(given.simulator('mistral').liveKeys('acme.')).toHaveLength(count);
  });

  it('is asked for a deletion by its route, whatever the key', async () => {
    const { keyId, key } = await makeKey('acme.main.1');
    given.faults.add({ service: 'mistral', action: 'DELETE /api/admin/api-keys/{id}', nth: 1, mode: 'before', status: 429 });
    expect((await admin('DELETE', `/api-keys/${keyId}`)).headers.get('retry-after')).toBe('1');
    expect(await models(key)).toBe(200);
  });

  it('is left alone by what a use goes through', async () => {
    const { key } = await makeKey('acme.main.1');
    given.world.misbehave('mistral', { redirectTo: 'http://169.254.169.254/' });
    expect((await admin('GET', '/api-keys')).status).toBe(200);
    const used = await fetch(`${given.world.providers['mistral']?.baseUrl}/models`, { headers: bearer(key), redirect: 'manual' });
    expect(used.status).toBe(302);
  });

  it('knows no paths besides', async () => {
    expect((await given.admin('mistral', 'GET', '/roles')).status).toBe(404);
    expect((await given.admin('mistral', 'PATCH', '/api-keys')).status).toBe(404);
  });
});
