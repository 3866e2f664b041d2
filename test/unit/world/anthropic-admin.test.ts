import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdministeredWorld, type Asked, fingerprint, startAdministeredWorld, textAt } from './administrations.ts';

let given: AdministeredWorld;
beforeEach(async () => {
  given = await startAdministeredWorld();
});
afterEach(() => given.world.close());

const keys = '/v1/organizations/api_keys';
const headers = (key: string) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' });
const admin = (method: string, path: string, body?: Asked['body'], key = given.simulator('anthropic').adminSecret ?? '') =>
  given.admin('anthropic', method, path, { headers: headers(key), ...(body && { body }) });
const models = async (key: string) => (await given.use('anthropic', 'GET', '/v1/models', { headers: headers(key) })).status;
const idOf = async (name: string) => {
  const { json } = await admin('GET', `${keys}?limit=1000`);
  const listed = Object(json).data.findIndex((key: { name: string }) => key.name === name);
  return textAt(json, `data.${listed}.id`);
};

describe('the Anthropic simulator, administration', () => {
  it('lists the keys that people made, newest first and page by page, without their values', async () => {
    const first = given.world.issueKey('anthropic', 'first');
    for (const name of ['second', 'third']) given.world.issueKey('anthropic', name);
    const page = await admin('GET', `${keys}?limit=2`);
    expect(page.json).toMatchObject({
      data: [{ name: 'third' }, { name: 'second', type: 'api_key', status: 'active', workspace_id: null, expires_at: null }],
      has_more: true,
    });
    const next = await admin('GET', `${keys}?limit=2&after_id=${textAt(page.json, 'last_id')}`);
    expect(next.json).toMatchObject({
      data: [{ name: 'first', partial_key_hint: expect.stringMatching(/^sk-ant-api03-.{3}\.\.\..{4}$/) }],
      has_more: false,
    });
    expect(JSON.stringify(next.json)).not.toContain(first);
    // What the control endpoint shows has not even the hint: the search for secrets takes pieces of them for leaks.
    expect(JSON.stringify(given.simulator('anthropic').keys())).not.toContain(first.slice(0, 16));
    const back = await admin('GET', `${keys}?limit=1&before_id=${textAt(next.json, 'first_id')}`);
    expect(back.json).toMatchObject({ data: [{ name: 'second' }], has_more: true });
    expect((await admin('GET', `${keys}?limit=1001`)).status).toBe(400);
    expect((await admin('GET', `${keys}?after_id=nobody`)).status).toBe(400);
  });

  it('makes none', async () => {
    expect((await admin('POST', keys, { name: 'new' })).status).toBe(405);
  });

  it('makes a key inactive and active again, and archives it for good', async () => {
    const key = given.world.issueKey('anthropic', 'main');
    const id = await idOf('main');
    expect((await admin('POST', `${keys}/${id}`, { status: 'inactive' })).json).toMatchObject({ id, status: 'inactive' });
    expect(await models(key)).toBe(401);
    expect((await admin('GET', `${keys}?status=inactive`)).json).toMatchObject({ data: [{ id }] });
    expect((await admin('GET', `${keys}?status=active`)).json).toMatchObject({ data: [], has_more: false, first_id: null });
    await admin('POST', `${keys}/${id}`, { status: 'active', name: 'renamed' });
    expect(await models(key)).toBe(200);
    expect((await admin('POST', `${keys}/${id}`, { status: 'archived' })).json).toMatchObject({ name: 'renamed', status: 'archived' });
    expect(await models(key)).toBe(401);
    expect(await admin('POST', `${keys}/${id}`, { status: 'active' })).toMatchObject({
      status: 400,
      json: { type: 'error', error: { type: 'invalid_request_error' } },
    });
    expect((await admin('POST', `${keys}/${id}`, { status: 'expired' })).status).toBe(400);
    expect((await admin('GET', `${keys}/nobody`)).status).toBe(404);
  });

  it('accepts an inactive key for a while when told to', async () => {
    given.world.misbehave('anthropic', { deletionDelayMs: 5_000 });
    const key = given.world.issueKey('anthropic', 'main');
    await admin('POST', `${keys}/${await idOf('main')}`, { status: 'inactive' });
    expect(given.simulator('anthropic').liveKeys('main')).toEqual([{ name: 'main', fingerprint: fingerprint(key) }]);
    expect(await models(key)).toBe(200);
    given.clock.advance(5_001);
    expect(await models(key)).toBe(401);
    expect(given.simulator('anthropic').liveKeys()).toEqual([]);
  });

  it('is for the admin key only, which is for nothing else', async () => {
    const key = given.world.issueKey('anthropic');
    expect(await admin('GET', keys, undefined, key)).toMatchObject({ status: 401, json: { error: { type: 'authentication_error' } } });
    expect(await models(given.simulator('anthropic').adminSecret ?? '')).toBe(401);
    expect(given.world.plantedSecrets()).toContain(given.simulator('anthropic').adminSecret);
  });

  it('limits how often it is asked, and loses answers', async () => {
    given.world.issueKey('anthropic', 'main');
    const id = await idOf('main');
    given.faults.add({ service: 'anthropic', action: `POST ${keys}/{id}`, nth: 1, mode: 'after' });
    await expect(admin('POST', `${keys}/${id}`, { status: 'inactive' })).rejects.toThrow();
    expect((await admin('GET', `${keys}/${id}`)).json).toMatchObject({ status: 'inactive' });
    given.world.misbehave('anthropic', { adminPerMinute: 0 });
    const refused = await admin('GET', keys);
    expect(refused).toMatchObject({ status: 429, json: { error: { type: 'rate_limit_error' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
