import { expect } from 'vitest';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { versionIdOf } from '../../../functions/tenants/provision-credential.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { requested } from '../rotation/rotation-events.ts';
import { acme, day, type Kind, main, minute } from '../rotation/rotation-world.ts';
import type { EndingWorld } from './ending-world.ts';

const secret = 'cordon/acme/main';
const poolKeyArn = 'arn:aws:kms:us-east-1:111122223333:key/pool';

/** A credential in some state, about to be revoked. */
export interface EndingCase {
  readonly name: string;
  readonly prepare: (world: EndingWorld) => Promise<unknown>;
  /** What somebody outside does after it was revoked. */
  readonly after?: (world: EndingWorld) => Promise<void>;
  readonly confirmedBy: 'provider' | 'person' | 'nobody';
  /** True when no secret was stored for it. */
  readonly unstored?: boolean;
}

const rotatingTo = (kind: Kind, minutes: number) => async (world: EndingWorld) => {
  await world.onboard(kind);
  await world.deliverUntilDone(requested());
  await world.pass(minutes);
};
/** The next key is made and waits for its time. */
async function proving(world: EndingWorld, kind: Kind): Promise<void> {
  const activateAt = new Date(world.clock() + 3 * day).toISOString();
  await world.onboard(kind, { rotation: { everyDays: 90, graceHours: 24, activateAt } });
  await world.deliverUntilDone(requested());
}
/** Goes on until nothing is left to do but to wait for the customer. */
const customerRevokes = async (world: EndingWorld): Promise<void> => {
  await world.settle(20);
  world.customerKeys.clear();
};

export const endingCases: readonly EndingCase[] = [
  { name: 'with one key', prepare: (world) => world.onboard('overlap'), confirmedBy: 'provider' },
  { name: 'whose next key is ready', prepare: (world) => proving(world, 'overlap'), confirmedBy: 'provider' },
  {
    name: 'whose next key is being made',
    async prepare(world) {
      await world.onboard('overlap');
      // The provider has made a key that nobody was told of.
      world.faults.set({ call: 'provider.createKey', nth: 1, mode: 'after' });
      await world.deliver(requested());
    },
    confirmedBy: 'provider',
  },
  { name: 'with an old key in its grace', prepare: rotatingTo('overlap', 3), confirmedBy: 'provider' },
  {
    name: 'whose old key does not die',
    async prepare(world) {
      world.openai.delayDeath(40 * minute);
      await rotatingTo('overlap', 20)(world);
    },
    confirmedBy: 'provider',
  },
  { name: 'in two slots', prepare: (world) => world.onboard('two-slot'), confirmedBy: 'provider' },
  { name: 'in two slots, both in use', prepare: rotatingTo('two-slot', 3), confirmedBy: 'provider' },
  { name: 'in two slots, the other being tried', prepare: (world) => proving(world, 'two-slot'), confirmedBy: 'provider' },
  {
    name: 'of the customer, who has revoked the key',
    async prepare(world) {
      await world.onboard('customer-next');
      world.customerKeys.clear();
    },
    confirmedBy: 'provider',
  },
  {
    name: 'of the customer, who revokes later',
    prepare: (world) => world.onboard('customer-next'),
    after: customerRevokes,
    confirmedBy: 'provider',
  },
  {
    name: 'of the customer, with two keys',
    async prepare(world) {
      await world.onboard('customer-next');
      await world.supply('customer-2');
    },
    after: customerRevokes,
    confirmedBy: 'provider',
  },
  {
    name: 'to a database',
    prepare: (world) => world.onboard('customer-next', { provider: 'postgres' }),
    after: customerRevokes,
    confirmedBy: 'provider',
  },
  {
    name: 'of the customer, which a person vouches for',
    prepare: (world) => world.onboard('customer-next'),
    async after(world) {
      await world.settle(3);
      expect(await world.attest()).toBe(true);
    },
    confirmedBy: 'person',
  },
  {
    name: 'that is federated',
    prepare: (world) => world.onboard('mint'),
    confirmedBy: 'nobody',
  },
  { name: 'that is awaited still', prepare: (world) => awaiting(world, { attempt: 0, secretMayExist: false }), confirmedBy: 'nobody' },
  {
    name: 'whose supply was broken off before anything was stored',
    prepare: (world) => awaiting(world, { attempt: 1, secretMayExist: false }),
    confirmedBy: 'nobody',
  },
  {
    name: 'whose supply was broken off after it was stored',
    async prepare(world) {
      const item = await awaiting(world, { attempt: 1, secretMayExist: false });
      await world.vault.store({ ...item, kmsKeyArn: poolKeyArn }, new SecretText('customer-1'), versionIdOf('door'));
    },
    confirmedBy: 'provider',
  },
  {
    name: 'whose first key was made and not stored yet',
    async prepare(world) {
      const item = await awaiting(world, { source: 'platform-issued', provider: 'openai', status: 'provisioning', attempt: 1 });
      await world.openai.provider.createKey({ accountId: 'proj_1' }, { ...item, attempt: 1, mayExist: false });
    },
    confirmedBy: 'provider',
    unstored: true,
  },
];

/** A credential that has no key that the registry knows of. */
async function awaiting(world: EndingWorld, over: Partial<CredentialItem>): Promise<CredentialItem> {
  const item = await world.onboard('mint');
  return world.registry.changeCredential(item, {
    source: 'customer-supplied',
    provider: 'anthropic',
    status: 'awaiting',
    secretMayExist: false,
    ...over,
  });
}

/** A credential is ended: the provider accepts no key of it, nothing of it is stored, and it is said so with proof. */
export async function expectEnded(world: EndingWorld, { confirmedBy, unstored = confirmedBy === 'nobody' }: EndingCase): Promise<void> {
  const item = await world.item();
  expect(item).toMatchObject({ status: 'revoked', epoch: 1, leaseUntil: 0, ending: { phase: 'ended', announced: true } });
  const { rotating, previous, diverted, dueAt, ending } = item;
  expect({ rotating, previous, diverted, dueAt }).toEqual({});
  expect(world.openai.live()).toEqual([]);
  expect(world.azure.live()).toEqual([]);
  expect(world.vault.names).not.toContain(secret);
  const outcomes = new Map(world.attribution.all.filter(({ kind }) => kind === 'OUTCOME').map((entry) => [entry.id, entry]));
  for (const version of ending?.versions ?? []) {
    expect(version.confirmedAt).toBeGreaterThan(0);
    if (version.confirmation === 'attested') expect(version).toMatchObject({ attestedBy: 'bob', attestation: 'deleted in the console' });
    else
      expect(outcomes.get(version.proofId ?? '')).toMatchObject({
        operation: 'revocation.confirm-refused',
        context: { verdict: version.confirmation },
      });
  }
  const told = world.toldOf('CredentialRevoked');
  expect(told.length).toBeGreaterThan(0);
  for (const detail of told) expect(detail).toMatchObject({ tenantId: acme, credentialId: main, confirmedBy, incidentId: 'INC-7' });
  if (!unstored) expect(ending).toMatchObject({ stagedOutAt: expect.any(Number), deletedAt: expect.any(Number) });
  expect(world.refusals).toEqual([]);
  expect(world.deadLetters).toEqual([]);
  const said = JSON.stringify([world.attribution.all, world.told, world.lines, item]);
  expect(said).not.toMatch(/canary|customer-\d/);
}
