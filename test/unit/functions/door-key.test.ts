import { beforeEach, describe, expect, it } from 'vitest';
import { createDoorWorld, type DoorWorld, dedicatedKeyArn } from '../../contracts/fakes/door-world.ts';

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
});

describe('B4 the public key of a tenant', () => {
  it('comes as a JWK with a fresh nonce each time, and is the same for a whole month', async () => {
    const [one, two] = [await world.offer('admin-at-acme'), await world.offer('ann-at-acme')];
    expect(one.keys).toHaveLength(1);
    expect(one.keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW', use: 'enc' });
    expect(one.keys[0]?.kid).toMatch(/^2026-11\.[A-Za-z0-9_-]{43}$/);
    expect(one.keys[0]).not.toHaveProperty('d');
    expect(two.keys).toEqual(one.keys);
    expect(two.nonce.value).not.toBe(one.nonce.value);
    expect(one.nonce).toEqual({ value: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/), expiresAt: '2026-11-21T12:10:00.000Z' });
    world.advance(11 * 86_400_000);
    expect((await world.offer('admin-at-acme')).keys[0]?.kid).toMatch(/^2026-12\./);
  });

  it('is the one that was made first when two make it at once', async () => {
    const [one, two] = await Promise.all([world.offer('admin-at-acme'), world.offer('admin-at-acme')]);
    const [, later] = [one, await world.offer('admin-at-acme')];
    expect(new Set([one.keys[0]?.kid, two.keys[0]?.kid, later.keys[0]?.kid]).size).toBe(1);
  });

  it('is one of its own for each tenant, made under the key that its secrets lie under', async () => {
    const kids = await Promise.all(['acme', 'acme-2', 'globex'].map(async (id) => (await world.offer(`admin-at-${id}`)).keys[0]?.kid));
    expect(new Set(kids).size).toBe(3);
    const { tenantId } = (await world.credential('globex', 'anthropic-own')) ?? {};
    expect(tenantId && (await world.door.doorKey(tenantId, '2026-11'))).toMatchObject({ kmsKeyArn: dedicatedKeyArn });
  });

  it('is never kept by anybody on the way', async () => {
    expect((await world.getKey('admin-at-acme')).headers).toMatchObject({ 'cache-control': 'no-store' });
  });
});

describe('I11 the door is shut', () => {
  const shut = { error: { code: 'TOKEN_REFUSED', message: 'The token was not accepted.', requestId: 'r-1' } };

  it.each<[string, () => Promise<void>, string]>([
    ['a token that was not verified', async () => {}, 'forged'],
    ['a tenant that does not exist', async () => {}, 'admin-at-nobody'],
    ['a tenant being provisioned', () => world.addTenant('new', { status: 'provisioning' }), 'admin-at-new'],
    ['a tenant that was offboarded', () => world.addTenant('gone', { status: 'offboarded' }), 'admin-at-gone'],
    [
      'a user who was offboarded',
      async () => {
        const item = await world.credential('acme', 'anthropic-own');
        if (!item) throw new Error('there is no such credential');
        const { tenantId, requestedBy } = item;
        const user = { tenantId, requestedBy, epoch: 0, announced: true, issuer: 'i', subject: 's', userId: world.userIdOf('admin') };
        await world.registry.addUser({ ...user, kind: 'USER', status: 'offboarded' });
      },
      'admin-at-acme',
    ],
    ['a revoked agent', async () => world.door.revoke('AGENT#bot'), 'bot-at-acme'],
  ])('to %s, in the same words', async (_who, given, token) => {
    await given();
    const answer = await world.getKey(token);
    expect(answer.statusCode).toBe(401);
    expect(JSON.parse(answer.body)).toEqual(shut);
    expect(world.door.nonces.size).toBe(0);
  });

  it.each<[string, Record<string, string>]>([
    ['without a token', {}],
    ['with a token in another header', { 'x-api-key': 'admin-at-acme' }],
    ['with two tokens', { Authorization: 'Bearer admin-at-acme', authorization: 'Bearer admin-at-acme-2' }],
    ['with another scheme', { Authorization: 'Basic admin-at-acme' }],
  ])('to a call %s', async (_what, headers) => {
    const answer = await world.call({ resource: '/credentials/public-key', headers }, '');
    expect([answer.statusCode, JSON.parse(answer.body)]).toEqual([401, shut]);
  });

  it('for now while tokens cannot be verified', async () => {
    const answer = await world.getKey('down');
    expect(answer).toMatchObject({ statusCode: 503, headers: { 'retry-after': '2' } });
  });

  it('on a path that is none of its own', async () => {
    expect(await world.call({ resource: '/credentials', httpMethod: 'GET' }, 'admin-at-acme')).toMatchObject({ statusCode: 400 });
  });
});
