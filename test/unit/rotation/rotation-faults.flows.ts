import { expect } from 'vitest';
import { requested, supplied } from './rotation-events.ts';
import { day, type Kind, type RotationWorld } from './rotation-world.ts';
import { expectSettled } from './settled.ts';

export interface Flow {
  readonly name: string;
  readonly kind: Kind;
  readonly begin: (world: RotationWorld) => Promise<void>;
  readonly check: (world: RotationWorld) => Promise<void>;
  /** Minutes for which a call may stall: what is done afterwards must still be possible. */
  readonly stalls: readonly number[];
  /** While it runs the key in force must be one that the provider accepts. */
  readonly alwaysLive: boolean;
}

/** The credential as it was before the rotation. */
export const originals = new WeakMap<RotationWorld, Awaited<ReturnType<RotationWorld['item']>>>();
async function settled(world: RotationWorld): Promise<void> {
  const before = originals.get(world);
  if (!before) throw new Error('nothing was there before');
  await expectSettled(world, before);
}
const urgent = requested({ emergency: true }, 'emergency');
const plain = requested({}, 'plain');
const back = requested({ action: 'rollback' }, 'back');

export const flows: readonly Flow[] = [
  {
    name: 'by schedule',
    kind: 'overlap',
    async begin(world) {
      world.advance(90 * day);
      await world.pass(1);
    },
    check: settled,
    alwaysLive: true,
    stalls: [2, 40],
  },
  {
    name: 'by schedule, two slots',
    kind: 'two-slot',
    async begin(world) {
      world.advance(90 * day);
      await world.pass(1);
    },
    check: settled,
    alwaysLive: true,
    stalls: [2, 40],
  },
  {
    name: 'in an emergency',
    kind: 'overlap',
    begin: (world) => world.deliverUntilDone(urgent),
    check: settled,
    alwaysLive: true,
    stalls: [2, 40],
  },
  {
    name: 'in an emergency, two slots',
    kind: 'two-slot',
    begin: (world) => world.deliverUntilDone(urgent),
    check: settled,
    alwaysLive: true,
    stalls: [2, 40],
  },
  {
    name: 'in an emergency during grace',
    kind: 'overlap',
    async begin(world) {
      await world.deliverUntilDone(plain);
      await world.pass(3);
      await world.deliverUntilDone(urgent);
    },
    check: settled,
    alwaysLive: true,
    stalls: [2],
  },
  {
    name: 'rolled back',
    kind: 'overlap',
    async begin(world) {
      await world.deliverUntilDone(plain);
      await world.pass(10);
      await world.deliverUntilDone(back);
    },
    async check(world) {
      const item = await world.item();
      expect(item.rotating).toBeUndefined();
      expect(item.secretVersionId).toBe(originals.get(world)?.secretVersionId);
      expect(world.openai.live()).toEqual([world.vault.valueOf('cordon/acme/main')]);
      expect(world.vault.valueOf('cordon/acme/main', 'AWSPENDING')).toBeUndefined();
      expect(world.deadLetters).toEqual([]);
    },
    alwaysLive: true,
    stalls: [2],
  },
  {
    name: 'with the customer’s next key',
    kind: 'customer-next',
    async begin(world) {
      world.advance(90 * day);
      await world.pass(10);
      await world.supply('customer-2');
      await world.deliverUntilDone(supplied());
      await world.pass(10);
      world.customerKeys.delete('customer-1');
    },
    async check(world) {
      const item = await world.item();
      expect(item.rotating).toBeUndefined();
      expect(item.previous).toBeUndefined();
      expect(world.vault.valueOf('cordon/acme/main')).toBe('customer-2');
      expect(world.ofType('CredentialNextRequested').length).toBeGreaterThan(0);
      expect(world.ofType('CredentialRotated').length).toBeGreaterThan(0);
      expect(world.ofType('CredentialRetired').length).toBeGreaterThan(0);
      expect(world.deadLetters).toEqual([]);
    },
    alwaysLive: false,
    stalls: [2, 40],
  },
  {
    name: 'minted anew',
    kind: 'mint',
    begin: (world) => world.deliverUntilDone(plain),
    async check(world) {
      expect(await world.item()).toMatchObject({ epoch: 1 });
      expect(world.ofType('CredentialRotated').length).toBeGreaterThan(0);
      expect(world.deadLetters).toEqual([]);
    },
    alwaysLive: false,
    stalls: [2, 40],
  },
];
