import { describe, expect, it } from 'vitest';
import { createEndingWorld } from '../revocation/ending-world.ts';
import { requested, supplied } from './rotation-events.ts';
import { acme, createRotationWorld, day, hour, minute } from './rotation-world.ts';
import { expectSettled } from './settled.ts';

describe('R4 the ways of rotating', () => {
  it('renews the idle slot, and the other one once it is retired', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('two-slot');
    for (const [keyId, attempt] of [
      ['Key2', 2],
      ['Key1', 3],
    ] as const) {
      await world.deliverUntilDone(requested());
      expect((await world.item()).keyId).toBe(keyId);
      expect(world.azure.live()).toHaveLength(2);
      await world.pass(20);
      expect((await world.item()).keyAttempt).toBe(attempt);
      await expectSettled(world, before);
    }
  });

  it('asks the customer for the next key, again every week, and takes it over', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('customer-next');
    world.advance(90 * day);
    await world.pass(2);
    expect(world.ofType('CredentialNextRequested')).toMatchObject([{ overdue: false, reason: 'schedule' }]);
    world.advance(7 * day);
    await world.pass(2);
    expect(world.ofType('CredentialNextRequested')[1]).toMatchObject({ overdue: true });
    await world.supply('customer-2');
    await world.deliverUntilDone(supplied());
    expect(world.ofType('CredentialRotated')).toMatchObject([{ previousVersionId: before.secretVersionId }]);
    await world.pass(30);
    expect((await world.item()).rotating).toMatchObject({ phase: 'retiring' });
    world.customerKeys.delete('customer-1');
    await world.pass(60);
    expect(await world.item()).toMatchObject({ leaseUntil: 0 });
    expect((await world.item()).rotating).toBeUndefined();
    expect(world.ofType('CredentialRetired')).toMatchObject([{ versionId: before.secretVersionId }]);
    expect(world.deadLetters).toEqual([]);
  });

  it('takes over a key that the customer handed over unasked, without an event', async () => {
    const world = createRotationWorld();
    await world.onboard('customer-next');
    await world.supply('customer-2');
    world.customerKeys.delete('customer-1');
    await world.pass(30);
    expect((await world.item()).rotating).toBeUndefined();
    expect(world.ofType('CredentialRetired')).toHaveLength(1);
  });

  it('takes the same key, handed over again, for no next one: it stays in force, and nothing is said to be old', async () => {
    const world = createRotationWorld();
    await world.onboard('customer-next');
    await world.supply('customer-1');
    await world.deliverUntilDone(supplied());
    await world.pass(60);
    const { rotating, previous, leaseUntil } = await world.item();
    expect({ rotating, previous, leaseUntil }).toEqual({ rotating: undefined, previous: undefined, leaseUntil: 0 });
    for (const type of ['CredentialRotated', 'CredentialRetired', 'CredentialUnproven'] as const) expect(world.ofType(type)).toEqual([]);
    // A real next one is one all the same.
    await world.supply('customer-2');
    await world.deliverUntilDone(supplied());
    expect(world.ofType('CredentialRotated')).toHaveLength(1);
  });

  it('goes on asking for another key when the same one is handed over', async () => {
    const world = createRotationWorld();
    await world.onboard('customer-next');
    world.advance(90 * day);
    await world.pass(2);
    await world.supply('customer-1');
    await world.deliverUntilDone(supplied());
    await world.pass(2);
    expect(await world.item()).toMatchObject({ rotating: { phase: 'creating' } });
    expect((await world.item()).previous).toBeUndefined();
    world.advance(7 * day);
    await world.pass(2);
    expect(world.ofType('CredentialNextRequested')).toHaveLength(2);
    await world.supply('customer-2');
    await world.deliverUntilDone(supplied());
    expect(world.ofType('CredentialRotated')).toHaveLength(1);
  });

  it('reminds of a customer key that stays alive', async () => {
    const world = createRotationWorld();
    await world.onboard('customer-next');
    await world.supply('customer-2');
    await world.pass(26 * 60);
    expect(world.ofType('CredentialUnproven')).toHaveLength(1);
    world.advance(7 * day);
    await world.pass(2);
    expect(world.ofType('CredentialUnproven')).toHaveLength(2);
  });

  it('takes a customer key that can be tried no more for one that stays alive', async () => {
    const world = createRotationWorld();
    const { secretVersionId = '' } = await world.onboard('customer-next');
    await world.supply('customer-2');
    world.vault.forget('cordon/acme/main', secretVersionId);
    await world.pass(26 * 60);
    expect(world.ofType('CredentialUnproven')).toMatchObject([{ versionId: secretVersionId }]);
    expect(world.ofType('CredentialRetired')).toEqual([]);
  });

  it('mints anew under a new epoch, and schedules nothing', async () => {
    const world = createRotationWorld();
    await world.onboard('mint');
    const message = requested();
    await world.deliverUntilDone(message);
    await world.deliverUntilDone(message);
    expect(await world.item()).toMatchObject({ epoch: 1, status: 'recorded' });
    expect((await world.item()).dueAt).toBeUndefined();
    expect(world.ofType('CredentialRotated')[0]).toMatchObject({ reason: 'requested' });
  });
});

describe('R5 versions', () => {
  it('goes back to the previous key while its grace lasts, and ends the other', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.deliverUntilDone(requested());
    const demoted = (await world.item()).secretVersionId;
    await world.deliverUntilDone(requested({ action: 'rollback' }));
    expect(await world.item()).toMatchObject({ secretVersionId: before.secretVersionId, keyId: before.keyId, keyAttempt: 1 });
    expect(world.ofType('CredentialRolledBack')).toMatchObject([{ versionId: before.secretVersionId, demotedVersionId: demoted }]);
    await world.pass(20);
    expect(world.ofType('CredentialRetired')).toMatchObject([{ versionId: demoted }]);
    expect(world.openai.live()).toEqual([world.vault.valueOf('cordon/acme/main')]);
    // The next key is told from all that were there.
    await world.deliverUntilDone(requested());
    await world.pass(20);
    expect((await world.item()).keyAttempt).toBe(3);
    await expectSettled(world, before);
  });

  it('throws the next key away when it is not wanted', async () => {
    const world = createRotationWorld();
    const activateAt = new Date(world.clock() + 3 * day).toISOString();
    const before = await world.onboard('overlap', { rotation: { everyDays: 90, graceHours: 24, activateAt } });
    await world.deliverUntilDone(requested());
    expect(world.openai.live()).toHaveLength(2);
    const next = (await world.item()).rotating?.pending?.versionId;
    await world.deliverUntilDone(requested({ action: 'demote', versionId: next }));
    expect(await world.item()).toMatchObject({ secretVersionId: before.secretVersionId, keyId: before.keyId });
    await world.pass(2);
    expect((await world.item()).rotating).toBeUndefined();
    expect(world.openai.live()).toHaveLength(1);
    expect(world.vault.valueOf('cordon/acme/main', 'AWSPENDING')).toBeUndefined();
  });

  it('promotes the next key before its time', async () => {
    const world = createRotationWorld();
    const activateAt = new Date(world.clock() + 3 * day).toISOString();
    const before = await world.onboard('overlap', { rotation: { everyDays: 90, graceHours: 24, activateAt } });
    await world.deliverUntilDone(requested());
    await world.deliverUntilDone(requested({ action: 'promote' }));
    await world.pass(20);
    await expectSettled(world, before);
  });

  it('ends the previous key at once when it is demoted', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.deliverUntilDone(requested());
    await world.deliverUntilDone(requested({ action: 'demote', versionId: before.secretVersionId }));
    await expectSettled(world, before);
  });

  it('refuses to go back to a key that is dead', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    await world.deliverUntilDone(requested({ action: 'rollback' }));
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_CONTRADICTS' }]);
    expect(world.ofType('CredentialRotationFailed')).toHaveLength(1);
  });
});

describe('R7 what cannot be done', () => {
  it('is tried again later and later, told once it does not pass, and in nobody else’s way', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    world.openai.refuseNew(true);
    await world.deliverUntilDone(requested());
    await world.pass(40);
    expect(world.ofType('CredentialRotationFailed').length).toBeGreaterThan(0);
    expect(world.openai.live().length).toBeLessThanOrEqual(2);
    expect(await world.item()).toMatchObject({ secretVersionId: before.secretVersionId, leaseUntil: 0 });
    expect((await world.item()).rotating?.setbacks).toBe(2);
    world.openai.refuseNew(false);
    await world.pass(60);
    await world.pass(20);
    expect(world.openai.live()).toEqual([world.vault.valueOf('cordon/acme/main')]);
  });

  it('is set back once a run, however often its message is delivered', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    world.faults.set({ call: 'provider.createKey', nth: 1, mode: 'before' });
    const message = requested();
    await world.deliver(message);
    const held = await world.item();
    expect(held.rotating).toMatchObject({ setbacks: 1 });
    expect(held.dueAt).toBe(world.clock() + minute);
    await world.deliver(message);
    expect(await world.item()).toEqual(held);
  });

  it.each(['overlap', 'two-slot'] as const)(
    'leaves a credential that is revoked meanwhile to the revocation, with every key in sight (%s)',
    async (kind) => {
      const world = createEndingWorld();
      await world.onboard(kind);
      await world.deliverUntilDone(requested());
      const during = await world.item();
      expect(world.fakeOf(during).live()).toHaveLength(2);
      await world.revoke();
      await world.pass(20);
      expect(world.fakeOf(during).live()).toHaveLength(2);
      expect((await world.ending()).versions.map(({ versionId }) => versionId)).toEqual([
        during.secretVersionId,
        during.previous?.versionId,
      ]);
      await world.settle(5);
      expect(world.fakeOf(during).live()).toEqual([]);
      expect(world.vault.names).toEqual([]);
      const { dueAt, rotating, previous } = await world.item();
      expect({ dueAt, rotating, previous }).toEqual({});
    },
  );

  it.each(['overlap', 'two-slot'] as const)(
    'does nothing more for a tenant that is offboarded meanwhile, whose credentials are all ended (%s)',
    async (kind) => {
      const world = createEndingWorld();
      await world.onboard(kind);
      await world.deliverUntilDone(requested());
      const tenant = await world.registry.tenant(acme);
      if (tenant) await world.registry.changeTenant(tenant, { status: 'offboarded' });
      const during = await world.item();
      await world.pass(120);
      expect(await world.item()).toMatchObject({
        rotating: during.rotating,
        previous: during.previous,
        secretVersionId: during.secretVersionId,
      });
      expect((await world.item()).dueAt).toBeUndefined();
      await world.revoke();
      await world.settle(5);
      expect(world.fakeOf(during).live()).toEqual([]);
      expect((await world.ending()).phase).toBe('ended');
    },
  );

  it('takes up a credential of before there were schedules when it is asked to', async () => {
    const world = createRotationWorld();
    const made = await world.onboard('overlap');
    const before = await world.registry.changeCredential(made, { dueAt: undefined, dueShard: undefined, keyAttempt: undefined });
    await world.pass(3);
    expect(world.announced).toEqual([]);
    await world.deliverUntilDone(requested());
    await world.pass(20);
    await expectSettled(world, before);
  });

  it('postpones a credential that is not understood', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    world.advance(90 * day);
    const [message = ''] = await world.dueMessages();
    world.faults.set({ call: 'sessions.stores', nth: 1, mode: 'before' });
    await world.deliverUntilDone(message);
    expect(world.deadLetters).toEqual([]);
    expect((await world.item()).dueAt).toBeLessThanOrEqual(world.clock() + hour);
  });
});
