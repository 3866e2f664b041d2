import { beforeEach, describe, expect, it } from 'vitest';
import { createDoorWorld, type DoorWorld } from '../../contracts/fakes/door-world.ts';

const canary = 'sk-ant-canary-0123456789';
const id = 'anthropic-own';
const admin = 'admin-at-acme';

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
});

const codeOf = (answer: { body: string }): string => JSON.parse(answer.body).error?.code;

function nothingWasStored(): void {
  expect(world.vault.names).toEqual([]);
  expect(world.announced).toEqual([]);
}

describe('B4 I11 who may supply', () => {
  it('is whoever has the role of a supplier; others learn nothing of what exists', async () => {
    await world.addCredential('acme', 'platform-made', { source: 'platform-issued', status: 'active' });
    const known = await world.post('ann-at-acme', id, { jwe: await world.seal('ann-at-acme', id, canary) });
    const unknown = await world.post('ann-at-acme', 'nothing', { jwe: await world.seal('ann-at-acme', 'nothing', canary) });
    expect([known.statusCode, codeOf(known)]).toEqual([403, 'SUPPLIER_NOT_ALLOWED']);
    expect(unknown).toEqual(known);
    nothingWasStored();
  });

  it("is the user alone for the user's own, with or without a role", async () => {
    await world.addCredential('acme', 'anns-own', { userId: world.userIdOf('ann') });
    const others = await world.post(admin, 'anns-own', { jwe: await world.seal(admin, 'anns-own', canary) });
    const none = await world.post(admin, 'nothing', { jwe: await world.seal(admin, 'nothing', canary) });
    expect([others.statusCode, codeOf(others)]).toEqual([404, 'CREDENTIAL_UNKNOWN']);
    expect(none).toEqual(others);
    nothingWasStored();
    expect(await world.post('ann-at-acme', 'anns-own', { jwe: await world.seal('ann-at-acme', 'anns-own', canary) })).toMatchObject({
      statusCode: 200,
    });
    expect(world.vaultOwners).toEqual([{ tenantId: 'acme', tier: 'pool', userId: world.userIdOf('ann') }]);
  });

  it("sees no difference between another tenant's credential and none", async () => {
    const foreign = await world.post(admin, 'theirs', { jwe: await world.seal(admin, 'theirs', canary) });
    const none = await world.post(admin, 'nothing', { jwe: await world.seal(admin, 'nothing', canary) });
    const odd = await world.post(admin, '../acme-2/theirs', { jwe: await world.seal(admin, '../acme-2/theirs', canary) });
    expect([foreign.statusCode, codeOf(foreign)]).toEqual([404, 'CREDENTIAL_UNKNOWN']);
    expect([none, odd]).toEqual([foreign, foreign]);
  });

  it.each([
    ['platform-issued', 'active'],
    ['federated', 'recorded'],
    ['customer-supplied', 'revoked'],
    ['customer-supplied', 'failed'],
  ] as const)('cannot supply one that is %s and %s', async (source, status) => {
    await world.addCredential('acme', 'other', { source, status });
    const answer = await world.post(admin, 'other', { jwe: await world.seal(admin, 'other', canary) });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'CREDENTIAL_NOT_SUPPLIED']);
    nothingWasStored();
  });
});

describe('I3 a refusal by IAM', () => {
  it('is answered without a detail and reported', async () => {
    world.vault.refuse(true);
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, canary) });
    expect([answer.statusCode, codeOf(answer)]).toEqual([403, 'ACCESS_REFUSED']);
    expect(world.announced).toMatchObject([
      { type: 'IsolationViolationDetected', detail: { tenantId: 'acme', reason: { code: 'ACCESS_REFUSED' } } },
    ]);
    expect(await world.credential('acme', id)).toMatchObject({ status: 'awaiting', leaseUntil: 0 });
    expect(JSON.stringify([world.lines, world.announced, world.attribution.all, answer])).not.toContain('canary');
  });

  it('is answered as well when it cannot be reported, by a line that an alarm counts', async () => {
    world.vault.refuse(true);
    world.silence(true);
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, canary) });
    expect([answer.statusCode, codeOf(answer)]).toEqual([403, 'ACCESS_REFUSED']);
    expect(world.lines.filter((line) => line.includes('could not be announced')).join()).toMatch(/"lost":true/);
  });
});
