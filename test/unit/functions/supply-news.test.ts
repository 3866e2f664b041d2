import { beforeEach, describe, expect, it } from 'vitest';
import { createDoorWorld, type DoorWorld } from '../../contracts/fakes/door-world.ts';

const canary = 'sk-ant-canary-0123456789';
const id = 'anthropic-own';
const admin = 'admin-at-acme';

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
});

describe('B4 a supplied key', () => {
  it.each(['announcer.announce', 'registry.changeCredential'])('is told of although %s fails once', async (call) => {
    const jwe = await world.seal(admin, id, canary);
    world.faults.set({ call, nth: 1, mode: 'before' });
    expect(await world.post(admin, id, { jwe })).toMatchObject({ statusCode: 200 });
    expect(await world.credential('acme', id)).toMatchObject({ status: 'active', announced: true });
    expect(world.announced).toHaveLength(1);
  });

  it.each<[string, () => Promise<string>]>([
    ['a repetition, which is refused', async () => ''],
    ['the next key', () => world.seal(admin, id, `${canary}-2`)],
    ['a next key that the provider refuses', () => world.seal(admin, id, `${canary}-2`)],
  ])('counts as supplied when telling of it fails for good, and is told of at %s', async (what, next) => {
    const jwe = await world.seal(admin, id, canary);
    world.silence(true);
    expect(await world.post(admin, id, { jwe })).toMatchObject({ statusCode: 200 });
    expect(await world.credential('acme', id)).toMatchObject({ status: 'active', announced: false });
    expect(world.announced).toEqual([]);
    world.silence(false);
    if (what.includes('refuses')) world.answers('refused');
    await world.post(admin, id, { jwe: (await next()) || jwe });
    expect(world.announced.map(({ type }) => type)).toEqual(Array(what === 'the next key' ? 2 : 1).fill('CredentialProvisioned'));
    expect(await world.credential('acme', id)).toMatchObject({ status: 'active', announced: true });
  });

  it('is told to nobody at the word of somebody who may not supply it', async () => {
    const jwe = await world.seal(admin, id, canary);
    world.silence(true);
    await world.post(admin, id, { jwe });
    world.silence(false);
    await world.post('ann-at-acme', id, { jwe: await world.seal('ann-at-acme', id, canary) });
    expect(world.announced).toEqual([]);
  });
});

describe('T6 a name at the door that may be a decoy’s', () => {
  const name = 'openai-backup-abcdefgh';

  it.each([admin, 'ann-at-acme'])('is told, and answered as any other name, to %s', async (caller) => {
    const answer = await world.post(caller, name, { jwe: 'a.b' });
    expect(world.announced).toEqual([{ type: 'LikelyDecoyNamed', detail: expect.objectContaining({ tenantId: 'acme', names: [name] }) }]);
    const other = await world.post(caller, 'openai-backup', { jwe: 'a.b' });
    expect(answer).toEqual(other);
    expect(world.announced).toHaveLength(1);
  });

  it('is in the log when it cannot be told, and the answer is the same', async () => {
    const told = await world.post(admin, name, { jwe: 'a.b' });
    world.silence(true);
    expect(await world.post(admin, name, { jwe: 'a.b' })).toEqual(told);
    expect(world.lines.filter((line) => line.includes('what a call has named could not be told')).join()).toMatch(/"lost":true/);
  });

  it('is told of nobody whose token is not good', async () => {
    await world.call(
      { resource: '/credentials/{credentialId}/secret', httpMethod: 'POST', pathParameters: { credentialId: name } },
      'forged',
    );
    expect(world.announced).toEqual([]);
  });
});
