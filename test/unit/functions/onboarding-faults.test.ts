import { describe, expect, it } from 'vitest';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { FaultMode } from '../../contracts/fakes/faults.ts';
import { openAiMain, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, type TenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const second = { ...openAiMain, credentialId: 'openai-second', environment: 'staging' };
const event = (tier: string): string => tenantOnboarded({ tier, credentials: [openAiMain, second] });

/** What must be true in the end, whatever went wrong on the way. */
async function expectConverged(world: TenantsWorld): Promise<void> {
  const tenant = await world.registry.tenant(acme);
  expect(tenant).toMatchObject({ status: 'active', announced: true, leaseUntil: 0 });
  for (const { credentialId } of [openAiMain, second]) {
    const live = world.provider.keys.filter((key) => key.live && key.name.startsWith(`acme.${credentialId}.`));
    expect(live, `one live key for ${credentialId}`).toHaveLength(1);
    expect(world.vault.valueOf(`cordon/acme/${credentialId}`), 'the stored key is the live one').toBe(live[0]?.value);
    const item = (await world.registry.credentials(acme)).find((credential) => credential.credentialId === credentialId);
    expect(item).toMatchObject({ status: 'active', keyId: live[0]?.keyId, leaseUntil: 0 });
  }
  expect(world.vault.names).toHaveLength(2);
  expect(world.provider.accounts, 'one account').toHaveLength(1);
  expect(world.ofType('TenantProvisioned').length).toBeGreaterThan(0);
  expect(world.ofType('TenantProvisioningFailed')).toEqual([]);
  expect(world.deadLetters).toEqual([]);
  for (const entry of world.attribution.all) {
    if (entry.kind === 'OUTCOME')
      expect(world.attribution.all.some((other) => other.kind === 'INTENT' && other.id === entry.id)).toBe(true);
  }
  const text = JSON.stringify([world.announced, world.lines, world.attribution.all, tenant, await world.registry.credentials(acme)]);
  expect(text).not.toContain('sk-canary');
}

/** Every call of a run without faults, as (call, how many times it was made). */
async function recordedCalls(tier: string): Promise<[call: string, nth: number][]> {
  const world = createTenantsWorld();
  await world.deliver(event(tier));
  const seen = new Map<string, number>();
  return world.faults.journal.map((call) => {
    const nth = (seen.get(call) ?? 0) + 1;
    seen.set(call, nth);
    return [call, nth];
  });
}

describe.each(['pool', 'dedicated'])('an interrupted onboarding of tier %s converges to one key that is stored and live', (tier) => {
  it.each<FaultMode>(['before', 'after', 'crash'])('with a fault of mode %s at any one call', async (mode) => {
    const points = await recordedCalls(tier);
    expect(points.length).toBeGreaterThan(15);
    for (const [call, nth] of points) {
      const world = createTenantsWorld();
      world.faults.set({ call, nth, mode });
      const message = event(tier);
      try {
        await world.deliverUntilDone(message);
        expect(world.faults.struck).toBe(true);
        await expectConverged(world);
        if (tier === 'dedicated') expect(world.dedicated.keys).toHaveLength(1);
      } catch (error) {
        throw new Error(`fault ${mode} at ${call} #${nth}`, { cause: error });
      }
    }
  });

  it('with two faults, the second one while the first is being made good', async () => {
    const points = await recordedCalls(tier);
    const writes = points.filter(([call]) => /createKey|store|change|add|announce/.test(call));
    for (const [call, nth] of writes) {
      for (const mode of ['after', 'crash'] as const) {
        const world = createTenantsWorld();
        world.faults.set({ call, nth, mode });
        const message = event(tier);
        if (await world.deliver(message)) continue;
        world.faults.restart();
        world.advance(360_000);
        world.faults.set({ call: 'provider.createKey', nth: 1, mode });
        try {
          await world.deliverUntilDone(message, { from: 2 });
          await expectConverged(world);
        } catch (error) {
          throw new Error(`${mode} at ${call} #${nth}, then at createKey`, { cause: error });
        }
      }
    }
  });
});

describe('deliveries of one onboarding that run side by side', () => {
  it('make one key: who comes second waits for the lease', async () => {
    const world = createTenantsWorld();
    const message = event('pool');
    const done = await Promise.all([world.deliver(message), world.deliver(message), world.deliver(message)]);
    expect(done.filter(Boolean)).toHaveLength(1);
    await world.deliverUntilDone(message, { from: 2 });
    await expectConverged(world);
    expect(world.provider.keys).toHaveLength(2);
  });
});
