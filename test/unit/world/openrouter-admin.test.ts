import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdministeredWorld, type Asked, bearer, fingerprint, startAdministeredWorld, textAt } from './administrations.ts';

let given: AdministeredWorld;
beforeEach(async () => {
  given = await startAdministeredWorld();
});
afterEach(() => given.world.close());

const admin = (method: string, path: string, body?: Asked['body'], key = given.simulator('openrouter').adminSecret) =>
  given.admin('openrouter', method, path, { headers: bearer(key), ...(body && { body }) });
const ownPage = async (key: string) => (await given.use('openrouter', 'GET', '/key', { headers: bearer(key) })).status;
const makeKey = async (name: string, more: object = {}) => {
  const { status, json } = await admin('POST', '/keys', { name, ...more });
  expect(status).toBe(201);
  return { hash: textAt(json, 'data.hash'), key: textAt(json, 'key') };
};

describe('the OpenRouter simulator, administration', () => {
  it('makes a key whose value is shown once and whose hash names it', async () => {
    const { hash, key } = await makeKey('acme.main.1', { limit: 5 });
    expect(key).toMatch(/^sk-or-v1-[0-9a-f]{64}$/);
    expect(hash).toBe(fingerprint(key));
    expect(await ownPage(key)).toBe(200);
    const list = await admin('GET', '/keys');
    expect(list.json).toMatchObject({
      data: [{ hash, name: 'acme.main.1', disabled: false, limit: 5, updated_at: null, expires_at: null }],
    });
    expect((await admin('GET', `/keys/${hash}`)).json).toMatchObject({ data: { hash } });
    expect(JSON.stringify([list.json, given.simulator('openrouter').keys()])).not.toContain(key);
    expect(given.simulator('openrouter').liveKeys('acme.main.')).toEqual([{ name: 'acme.main.1', fingerprint: hash }]);
  });

  it('tells management keys from keys', async () => {
    const { key } = await makeKey('acme.main.1');
    expect((await admin('GET', '/keys', undefined, key)).status).toBe(401);
    expect(await ownPage(given.simulator('openrouter').adminSecret ?? '')).toBe(401);
    expect(given.world.plantedSecrets()).toEqual(expect.arrayContaining([key, given.simulator('openrouter').adminSecret]));
  });

  it('switches keys off and on again', async () => {
    const { hash, key } = await makeKey('acme.main.1');
    expect((await admin('PATCH', `/keys/${hash}`, { disabled: true, name: 'renamed' })).json).toMatchObject({
      data: { disabled: true, name: 'renamed', updated_at: expect.any(String) },
    });
    expect(await ownPage(key)).toBe(401);
    expect((await admin('GET', '/keys')).json).toEqual({ data: [] });
    expect((await admin('GET', '/keys?include_disabled=true')).json).toMatchObject({ data: [{ hash }] });
    await admin('PATCH', `/keys/${hash}`, { disabled: false });
    expect(await ownPage(key)).toBe(200);
  });

  it('deletes for good, late when told to', async () => {
    const { hash, key } = await makeKey('acme.main.1');
    given.world.misbehave('openrouter', { deletionDelayMs: 30_000 });
    expect(await admin('DELETE', `/keys/${hash}`)).toMatchObject({ status: 200, json: { deleted: true } });
    expect(await ownPage(key)).toBe(200);
    given.clock.advance(30_001);
    expect(await ownPage(key)).toBe(401);
    for (const method of ['GET', 'DELETE']) expect((await admin(method, `/keys/${hash}`)).status).toBe(404);
    expect((await admin('PATCH', `/keys/${hash}`, { disabled: false })).status).toBe(404);
  });

  it('lists a hundred at a time', async () => {
    for (let count = 0; count < 101; count += 1) await makeKey(`key.${count}`);
    expect((await admin('GET', '/keys')).json).toMatchObject({ data: expect.objectContaining({ length: 100 }) });
    expect((await admin('GET', '/keys?offset=100')).json).toMatchObject({ data: [{ name: 'key.100' }] });
    expect((await admin('GET', '/keys?offset=x')).status).toBe(400);
  });

  it('ends a key when it was told to', async () => {
    const { key } = await makeKey('acme.main.1', { expires_at: new Date(given.clock.now() + 60_000).toISOString() });
    expect(await ownPage(key)).toBe(200);
    given.clock.advance(60_000);
    expect(await ownPage(key)).toBe(401);
  });

  it('has limits: of keys, and of requests', async () => {
    given.world.misbehave('openrouter', { maxKeys: 1, adminPerMinute: 3 });
    await makeKey('acme.main.1');
    expect(await admin('POST', '/keys', { name: 'acme.main.2' })).toMatchObject({ status: 403, json: { error: { code: 403 } } });
    expect((await admin('POST', '/keys', {})).status).toBe(400);
    const refused = await admin('GET', '/keys');
    expect(refused).toMatchObject({ status: 429, json: { error: { code: 429 } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
  });

  it('does the work and loses the answer', async () => {
    given.faults.add({ service: 'openrouter', action: 'POST /api/v1/keys', nth: 1, mode: 'after' });
    await expect(admin('POST', '/keys', { name: 'acme.main.1' })).rejects.toThrow();
    expect((await admin('GET', '/keys')).json).toMatchObject({ data: [{ name: 'acme.main.1' }] });
    const { hash } = await makeKey('acme.main.2');
    given.faults.add({ service: 'openrouter', action: 'DELETE /api/v1/keys/{id}', nth: 1, mode: 'after' });
    await expect(admin('DELETE', `/keys/${hash}`)).rejects.toThrow();
    expect(given.simulator('openrouter').liveKeys()).toMatchObject([{ name: 'acme.main.1' }]);
  });
});
