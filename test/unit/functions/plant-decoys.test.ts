import { describe, expect, it } from 'vitest';
import { decoysOf } from '../../../functions/isolation/honey/decoys.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { platformEvent, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, type TenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const names = decoysOf(new SecretText('k'.repeat(64)), acme).map(({ credentialId }) => credentialId);
const honeyRequested = (): string => platformEvent('HoneyRequested', { version: 1, tenantId: 'acme', requestedBy: 'operator' });

async function onboarded(tier: 'pool' | 'dedicated'): Promise<TenantsWorld> {
  const world = createTenantsWorld();
  await world.deliver(tenantOnboarded({ tier }));
  return world;
}
const stored = async ({ vault }: TenantsWorld) => {
  const found = await Promise.all(names.map(async (name) => ((await vault.describe(acme, name)) === undefined ? [] : [name])));
  return found.flat();
};
async function offboard({ registry }: TenantsWorld): Promise<void> {
  const item = await registry.tenant(acme);
  if (item) await registry.changeTenant(item, { status: 'offboarded' });
}

describe('T6 planting decoys', () => {
  it('stores none of a pool tenant', async () => {
    const world = await onboarded('pool');
    await world.deliver(honeyRequested());
    expect(await stored(world)).toEqual([]);
    expect(world.ofType('HoneyPlanted')).toMatchObject([{ decoys: names.map((credentialId) => ({ credentialId, stored: false })) }]);
  });

  it.each(['before', 'after', 'crash'] as const)(
    'of a dedicated tenant comes to the same when the second is interrupted: %s',
    async (mode) => {
      const world = await onboarded('dedicated');
      world.faults.set({ call: 'vault.store', nth: 2, mode });
      expect(await world.deliverUntilDone(honeyRequested())).toBe(2);
      expect(await stored(world)).toEqual(names);
      expect(await world.registry.tenant(acme)).toMatchObject({ hasDecoys: true });
      expect(world.ofType('HoneyPlanted')).toHaveLength(1);
      await world.deliver(honeyRequested());
      expect(await stored(world)).toEqual(names);
    },
  );

  it('leaves none behind when the tenant is offboarded meanwhile', async () => {
    const world = await onboarded('dedicated');
    await world.deliver(honeyRequested());
    // The next time they are known to be there, so that nothing is written of the tenant.
    const { openVault } = world.deps;
    world.deps.openVault = async (owner) => {
      await offboard(world);
      return openVault(owner);
    };
    await world.deliver(honeyRequested());
    expect(await stored(world)).toEqual([]);
    expect(world.ofType('HoneyPlanted')).toHaveLength(1);
    expect(world.ofType('HoneyPlantingFailed')).toMatchObject([{ reason: { code: 'TENANT_OFFBOARDED' } }]);
  });

  it('leaves none behind when that was seen by nobody who could take them away', async () => {
    const world = await onboarded('dedicated');
    world.faults.set({ call: 'vault.store', nth: 3, mode: 'crash' });
    const message = honeyRequested();
    expect(await world.deliver(message)).toBe(false);
    world.faults.restart();
    await offboard(world);
    await world.deliver(message, 2);
    expect(await stored(world)).toEqual([]);
  });

  it('says nothing of decoys that are gone already', async () => {
    const world = await onboarded('dedicated');
    await world.deliver(honeyRequested());
    await offboard(world);
    world.vault.refuse(true);
    await world.deliver(honeyRequested());
    expect(world.ofType('IsolationViolationDetected')).toEqual([]);
    expect(world.ofType('HoneyPlantingFailed')).toHaveLength(1);
  });
});
