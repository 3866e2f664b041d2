import { describe, expect, it } from 'vitest';
import { requested } from './rotation-events.ts';
import { acme, createRotationWorld, day, main, minute, second } from './rotation-world.ts';
import { expectSettled } from './settled.ts';

describe('R2 a rotation by schedule', () => {
  it('makes, stages, proves and promotes the next key, keeps both for a while, then ends the old one and shows that it is refused', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.pass(3);
    expect(world.announced).toEqual([]);
    world.advance(90 * day);
    await world.pass(1);
    const during = await world.item();
    expect(during.rotating).toMatchObject({ phase: 'grace', strategy: 'overlap', reason: 'schedule', requestedBy: 'schedule' });
    expect(during.previous).toMatchObject({ versionId: before.secretVersionId, keyId: before.keyId });
    expect(world.openai.live()).toHaveLength(2);
    await world.pass(20);
    await expectSettled(world, before);
    expect(world.announced.map(({ type }) => type)).toEqual(['CredentialRotated', 'CredentialRetired']);
    expect(world.ofType('CredentialRetired')[0]).toMatchObject({ retiredBy: 'drained', versionId: before.secretVersionId });
    expect((await world.item()).dueAt).toBe(((await world.item()).rotatedAt ?? 0) + 90 * day);
  });

  it('puts every step on record, with who asked and why', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    await world.deliverUntilDone(requested());
    await world.pass(20);
    const done = world.attribution.all.filter(({ kind }) => kind === 'OUTCOME');
    expect(done.map(({ operation }) => operation)).toEqual([
      ...['rotation.create-key', 'rotation.stage-key', 'rotation.validate-key', 'rotation.promote'],
      ...['rotation.revoke-key', 'rotation.confirm-refused', 'rotation.drop-version'],
    ]);
    for (const entry of done) {
      expect(entry.actor).toEqual({ function: 'rotation', requestedBy: 'ann@acme.example' });
      expect(entry.context).toMatchObject({ why: 'the key was in a log', reason: 'requested' });
    }
    const said = JSON.stringify([world.attribution.all, world.announced, world.lines, await world.item()]);
    expect(said).not.toMatch(/canary/);
  });

  it('keeps the old key while it is in use, and ends it at the limit', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap', { rotation: { everyDays: 30, graceHours: 2 } });
    await world.deliverUntilDone(requested());
    for (let passed = 0; passed < 118; passed += 1) {
      const at = new Date(world.clock()).toISOString();
      const use = { id: world.deps.nextId(), tenantId: acme, credentialId: main, credentialVersion: before.secretVersionId, at };
      await world.attribution.record({ ...use, actor: { function: 'broker' }, operation: 'provider.call', context: {}, kind: 'INTENT' });
      await world.pass(1);
      expect(world.openai.live()).toHaveLength(2);
    }
    await world.pass(4);
    await expectSettled(world, before);
    expect(world.ofType('CredentialRetired')[0]).toMatchObject({ retiredBy: 'limit' });
  });

  it('has the next key ready and waits until it may be in force', async () => {
    const world = createRotationWorld();
    const activateAt = new Date(world.clock() + 3 * day).toISOString();
    const before = await world.onboard('overlap', { rotation: { everyDays: 1, graceHours: 1, activateAt } });
    await world.pass(1);
    world.advance(day);
    await world.pass(60);
    expect(await world.item()).toMatchObject({ secretVersionId: before.secretVersionId, rotating: { phase: 'proving', proven: true } });
    world.advance(2 * day);
    await world.pass(20);
    await expectSettled(world, before);
  });
});

describe('R2 an old key that does not die', () => {
  it('is asked about until the provider refuses it', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    world.openai.delayDeath(40 * minute);
    await world.deliverUntilDone(requested());
    await world.pass(30);
    expect((await world.item()).rotating).toMatchObject({ phase: 'retiring' });
    await world.pass(120);
    await expectSettled(world, before);
    expect(world.ofType('CredentialUnproven')).toEqual([]);
  });

  it('is told of after a day, and asked about still', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    world.openai.delayDeath(3 * day);
    await world.deliverUntilDone(requested());
    await world.pass(26 * 60);
    expect((await world.item()).rotating).toMatchObject({ phase: 'unproven' });
    expect(world.ofType('CredentialUnproven')).toHaveLength(1);
    expect(world.ofType('CredentialRetired')).toEqual([]);
    await world.pass(48 * 60);
    await expectSettled(world, before);
  });

  it('does not keep the next rotation from coming', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap', { rotation: { everyDays: 2, graceHours: 1 } });
    world.openai.delayDeath(5 * day);
    await world.deliverUntilDone(requested());
    await world.pass(51 * 60);
    const item = await world.item();
    expect(item.keyAttempt).toBe(3);
    expect(item.rotating?.older?.map(({ versionId }) => versionId)).toEqual([before.secretVersionId]);
    world.openai.delayDeath(0);
    await world.pass(60);
    await expectSettled(world, before);
    expect(world.ofType('CredentialRetired')).toHaveLength(2);
  });
});

describe('R6 an emergency', () => {
  it('replaces and ends the key within one run', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    expect(await world.deliver(requested({ emergency: true }))).toBe(true);
    await expectSettled(world, before);
    expect(world.ofType('CredentialRetired')[0]).toMatchObject({ retiredBy: 'emergency' });
    expect((await world.item()).diverted).toBeUndefined();
  });

  it('waits a few seconds for a provider that is slow to refuse, within the run', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    world.openai.delayDeath(4 * second);
    expect(await world.deliver(requested({ emergency: true }))).toBe(true);
    await expectSettled(world, before);
  });

  it('leads use away as soon as it is known, and as long as there is no new key', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    world.faults.set({ call: 'provider.createKey', nth: 1, mode: 'before' });
    await world.deliver(requested({ emergency: true }));
    expect(await world.item()).toMatchObject({ diverted: true, rotating: { phase: 'creating', reason: 'emergency' } });
    await world.pass(3);
    expect((await world.item()).diverted).toBeUndefined();
  });

  it('in the grace of another rotation ends both keys before', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.deliverUntilDone(requested());
    await world.deliverUntilDone(requested({ emergency: true }));
    await expectSettled(world, before);
    expect(world.openai.live()).toHaveLength(1);
    expect(world.ofType('CredentialRetired')).toHaveLength(2);
  });

  it('that is delivered again changes nothing more', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    const message = requested({ emergency: true });
    await world.deliverUntilDone(message);
    await world.deliverUntilDone(message);
    expect((await world.item()).keyAttempt).toBe(2);
  });
});
