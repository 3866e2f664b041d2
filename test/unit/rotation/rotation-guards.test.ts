import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createEndingWorld } from '../revocation/ending-world.ts';
import { requested } from './rotation-events.ts';
import { createRotationWorld, day, minute, type RotationWorld } from './rotation-world.ts';
import { expectSettled } from './settled.ts';

const later = (world: RotationWorld) => ({
  rotation: { everyDays: 90, graceHours: 24, activateAt: new Date(world.clock() + 3 * day).toISOString() },
});

describe('R7 what guards the key in force', () => {
  it('a key that a lost answer has left is dead before the next one is made, not only when the rotation ends', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap', later(world));
    world.faults.set({ call: 'provider.createKey', nth: 1, mode: 'after' });
    await world.deliverUntilDone(requested());
    await world.pass(5);
    expect((await world.item()).rotating).toMatchObject({ phase: 'proving', proven: true, pending: { attempt: 3 } });
    expect(world.openai.live()).toHaveLength(2);
  });

  it('a key that is made late by a worker that then dies is found when the old one is retired', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    world.faults.set({ call: 'provider.createKey', nth: 2, mode: 'crash' });
    world.interrupt({
      call: 'provider.createKey',
      nth: 1,
      when: 'before',
      async work() {
        world.advance(world.runMs);
        // The other worker makes its key first; the late call is the second that reaches the provider.
        await world.pass(2);
      },
    });
    await world.deliver(requested());
    expect(world.openai.live()).toHaveLength(3);
    await world.pass(30);
    await expectSettled(world, before);
  });

  it('a credential that is revoked while its next key is tried gets no other key in force', async () => {
    const world = createEndingWorld();
    const before = await world.onboard('overlap');
    world.interrupt({
      call: 'provider.validateKey',
      nth: 1,
      when: 'after',
      async work() {
        await world.revoke();
      },
    });
    await world.deliverUntilDone(requested());
    await world.settle(5);
    expect(world.attribution.all.map(({ operation }) => operation)).not.toContain('rotation.promote');
    expect((await world.item()).secretVersionId).toBe(before.secretVersionId);
    expect(world.openai.live()).toEqual([]);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('there is no way back to a key that a worker may have revoked before it died', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.deliverUntilDone(requested());
    world.faults.set({ call: 'provider.revokeKey', nth: 1, mode: 'crash' });
    await world.pass(16);
    world.faults.restart();
    world.advance(world.runMs);
    await world.deliverUntilDone(requested({ action: 'rollback' }));
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_CONTRADICTS' }]);
    expect((await world.item()).secretVersionId).not.toBe(before.secretVersionId);
    await world.pass(5);
    expect((await world.item()).rotating).toBeUndefined();
  });

  it('a provider asks for a pause: the credential waits that long', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    const { openai } = world.deps.providers;
    if (!openai) throw new Error('there is no provider');
    const slow = new CordonError('PROVIDER_UNAVAILABLE', 'openai could not be used (HTTP 429)', {
      retryable: true,
      retryAfterSeconds: 600,
    });
    Object.assign(world.deps, { providers: { openai: { ...openai, createKey: () => Promise.reject(slow) } } });
    await world.deliver(requested());
    expect((await world.item()).dueAt).toBe(world.clock() + 10 * minute);
  });
});
