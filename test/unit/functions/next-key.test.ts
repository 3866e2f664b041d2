import { beforeEach, describe, expect, it } from 'vitest';
import { sealSecret } from '../../../functions/credentials/seal-secret.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createDoorWorld, type DoorWorld } from '../../contracts/fakes/door-world.ts';

const [old, next] = ['sk-ant-old-0123456789', 'sk-ant-next-0123456789'];
const id = 'anthropic-own';
const admin = 'admin-at-acme';
const secretName = `cordon/acme/${id}`;

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
  expect(await world.post(admin, id, { jwe: await world.seal(admin, id, old) })).toMatchObject({ statusCode: 200 });
  world.advance(60_000);
});

const codeOf = (answer: { body: string }): string => JSON.parse(answer.body).error?.code;

describe('B7 the next key of a credential in use', () => {
  it('comes through the same door, and the registry names its version', async () => {
    const before = await world.credential('acme', id);
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, next) });
    expect(answer.statusCode).toBe(200);
    const after = await world.credential('acme', id);
    expect(after?.secretVersionId).toBe(JSON.parse(answer.body).version);
    expect(after?.secretVersionId).not.toBe(before?.secretVersionId);
    expect(after).toMatchObject({ status: 'active', secretArn: before?.secretArn, epoch: before?.epoch });
    expect(after?.version).toBeGreaterThan(before?.version ?? 0);
    expect(world.vault.valueOf(secretName)).toBe(next);
    expect(world.vault.valueOf(secretName, 'AWSPREVIOUS')).toBe(old);
  });

  it.each([
    ['the provider refuses', 'refused'],
    ['the provider says nothing of', 'unknown'],
    ['cannot be tried', new CordonError('PROVIDER_UNAVAILABLE', 'no answer', { retryable: true })],
  ] as const)('that %s leaves the one in force', async (_what, verdict) => {
    const before = await world.credential('acme', id);
    world.answers(verdict);
    expect((await world.post(admin, id, { jwe: await world.seal(admin, id, next) })).statusCode).not.toBe(200);
    expect(world.vault.valueOf(secretName)).toBe(old);
    expect(await world.credential('acme', id)).toMatchObject({ status: 'active', secretVersionId: before?.secretVersionId });
  });

  it('is one of two, when two come at once', async () => {
    const sealed = [await world.seal(admin, id, next), await world.seal(admin, id, `${next}-2`)];
    const answers = await Promise.all(sealed.map((jwe) => world.post(admin, id, { jwe })));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
    const won = answers.find(({ statusCode }) => statusCode === 200);
    expect((await world.credential('acme', id))?.secretVersionId).toBe(JSON.parse(won?.body ?? '{}').version);
  });
});

describe('B7 an old key does not come back', () => {
  const unchanged = async (answer: { body: string }): Promise<void> => {
    expect(codeOf(answer)).toBe('SUPPLY_NONCE_REFUSED');
    expect(world.vault.valueOf(secretName)).toBe(next);
    expect(world.asked.filter((line) => line.endsWith(old))).toHaveLength(1);
  };

  it('in a ciphertext that was sealed before the next key came and is sent after it', async () => {
    const kept = await world.seal(admin, id, old);
    world.advance(1000);
    await world.post(admin, id, { jwe: await world.seal(admin, id, next) });
    await unchanged(await world.post(admin, id, { jwe: kept }));
  });

  it('under a nonce that was given out before, however late it is sealed', async () => {
    const given = await world.offer(admin);
    world.advance(1000);
    await world.post(admin, id, { jwe: await world.seal(admin, id, next) });
    const { value: nonce } = given.nonce;
    const [publicKey = {}] = given.keys;
    const jwe = await sealSecret({ publicKey, tenantId: 'acme', credentialId: id, nonce, secret: { apiKey: old } });
    await unchanged(await world.post(admin, id, { jwe }));
  });

  it('in a replay', async () => {
    const jwe = await world.seal(admin, id, next);
    await world.post(admin, id, { jwe });
    const before = await world.credential('acme', id);
    await unchanged(await world.post(admin, id, { jwe }));
    expect(await world.credential('acme', id)).toEqual(before);
  });

  it('by a supply that was interrupted after it had stored, sent again after the next key', async () => {
    const kept = await world.seal(admin, id, `${old}-2`);
    world.faults.set({ call: 'door.settle', nth: 1, mode: 'before' });
    expect(await world.post(admin, id, { jwe: kept })).toMatchObject({ statusCode: 503 });
    world.advance(1000);
    expect(await world.post(admin, id, { jwe: await world.seal(admin, id, next) })).toMatchObject({ statusCode: 200 });
    expect(codeOf(await world.post(admin, id, { jwe: kept }))).toBe('SUPPLY_NONCE_REFUSED');
    expect(world.vault.valueOf(secretName)).toBe(next);
  });
});
