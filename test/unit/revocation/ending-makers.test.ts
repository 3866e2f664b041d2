import { describe, expect, it } from 'vitest';
import { advanceEnding, type EndingDeps } from '../../../functions/revocation/advance-ending.ts';
import { endedCredential } from '../../../functions/revocation/ending-changes.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { SecretText } from '../../../functions/shared/secret-text.ts';
import type { Registry } from '../../../functions/tenants/registry.ts';
import { createDoorWorld, type DoorWorld } from '../../contracts/fakes/door-world.ts';
import { openAiMain, platformEvent, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, type TenantsWorld } from '../../contracts/fakes/tenants-world.ts';
import { by } from './ending-world.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('openai-main');
const own = credentialId.parse('anthropic-own');
const hour = 60 * 60_000;
const admin = 'admin-at-acme';

type Ends = Omit<EndingDeps, 'log' | 'announcer' | 'pause'>;

/** Goes on with the ending until it is over. */
async function end(world: TenantsWorld | DoorWorld, deps: Ends, id: typeof main): Promise<void> {
  const { registry, attribution, vault } = world;
  vault.refuseMissing(true);
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => silent };
  const all: EndingDeps = { ...deps, log: silent, announcer: { announce: async () => undefined }, pause: async () => undefined };
  for (let passed = 0; passed < 3; passed += 1) {
    const [tenant, item] = await Promise.all([registry.tenant(acme), registry.credential(acme, id)]);
    if (!tenant || !item) throw new Error('there is no such credential');
    await advanceEnding(all, { stores: { registry, attribution }, tenant, item, deadline: deps.clock() + hour });
    world.advance(hour);
  }
}

/** Writes that the credential is revoked; false when there is none yet. */
async function revoke(registry: Registry, id: typeof main, now: number): Promise<boolean> {
  const item = await registry.credential(acme, id);
  if (item) await registry.changeCredential(item, endedCredential(item, by, now));
  return item !== undefined;
}

function numbered(journal: readonly string[]): { call: string; nth: number }[] {
  const counts = new Map<string, number>();
  return journal.map((call) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth };
  });
}

describe('X1 X3 a credential that is revoked while it is being made', () => {
  const asked = platformEvent('CredentialRequested', {
    ...{ version: 1, tenantId: 'acme', requestedBy: 'ann' },
    credential: { ...openAiMain, credentialId: 'openai-second', environment: 'staging' },
  });
  const makes = [
    ['with its tenant', async (_world: TenantsWorld) => undefined, tenantOnboarded(), main],
    [
      'for a tenant',
      async (world: TenantsWorld) => void (await world.deliver(tenantOnboarded())),
      asked,
      credentialId.parse('openai-second'),
    ],
  ] as const;

  it.each(makes)(
    '%s stays revoked, with no key alive and nothing stored, whichever call is under way',
    async (_what, prepare, event, id) => {
      const first = createTenantsWorld();
      await prepare(first);
      const before = first.faults.journal.length;
      await first.deliver(event);
      let revoked = 0;
      for (const { call, nth } of numbered(first.faults.journal.slice(before)))
        for (const when of ['before', 'after'] as const) {
          const world = createTenantsWorld();
          await prepare(world);
          let was = false;
          const work = async (): Promise<void> => {
            was = await revoke(world.registry, id, world.deps.clock());
          };
          world.faults.meanwhile({ call, nth, when, work });
          await world.deliverUntilDone(event);
          expect(world.faults.struck).toBe(true);
          if (!was) continue;
          revoked += 1;
          const deps: Ends = {
            ...{ clock: world.deps.clock, nextId: world.deps.nextId, providers: { openai: world.provider } },
            tryCustomerKey: async () => 'unknown',
            openVault: async () => world.vault.revocation,
          };
          await end(world, deps, id);
          const item = await world.registry.credential(acme, id);
          expect(item, `${when} ${call} ${nth}`).toMatchObject({ status: 'revoked', ending: { phase: 'ended' } });
          expect(world.provider.keys.filter(({ live, name }) => live && name.includes(id))).toEqual([]);
          expect(world.vault.names).not.toContain(`cordon/acme/${id}`);
          // Asked for again, it is not made again.
          await world.deliverUntilDone(event);
          expect(await world.registry.credential(acme, id)).toEqual(item);
          expect(world.provider.keys.filter(({ live, name }) => live && name.includes(id))).toEqual([]);
        }
      expect(revoked).toBeGreaterThan(10);
    },
  );
});

describe('X1 X3 a credential that is revoked while the customer hands its key over', () => {
  it.each(['before', 'after'] as const)('stays revoked, and takes in nothing any more (%s a call)', async (when) => {
    const first = await createDoorWorld();
    const jwe = await first.seal(admin, own, 'sk-ant-1');
    const before = first.faults.journal.length;
    expect((await first.post(admin, own, { jwe })).statusCode).toBe(200);
    for (const { call, nth } of numbered(first.faults.journal.slice(before))) {
      const world = await createDoorWorld();
      const body = { jwe: await world.seal(admin, own, 'sk-ant-1') };
      world.faults.meanwhile({ call, nth, when, work: async () => void (await revoke(world.registry, own, world.clock())) });
      await world.post(admin, own, body);
      expect(world.faults.struck).toBe(true);
      const revoked = await world.credential('acme', own);
      expect(revoked, `${when} ${call} ${nth}`).toMatchObject({ status: 'revoked', epoch: 4 });

      const stored = world.vault.names.length > 0;
      world.advance(60_000);
      const again = await world.post(admin, own, body);
      expect(JSON.parse(again.body).error.code).toBe('CREDENTIAL_NOT_SUPPLIED');
      expect(JSON.parse((await world.post(admin, own, { jwe: await world.seal(admin, own, 'sk-ant-2') })).body).error.code).toBe(
        'CREDENTIAL_NOT_SUPPLIED',
      );
      expect(await world.credential('acme', own)).toEqual(revoked);

      const tried: string[] = [];
      const tryCustomerKey = async (_item: object, secret: SecretText) => {
        tried.push(secret.reveal());
        return 'refused' as const;
      };
      const deps: Ends = {
        ...{ clock: world.clock, nextId: world.nextId, providers: {}, tryCustomerKey },
        openVault: async () => world.vault.revocation,
      };
      await end(world, deps, own);
      expect((await world.credential('acme', own))?.ending).toMatchObject({ phase: 'ended' });
      // What was stored in the meantime was found, and asked about.
      expect([...new Set(tried)]).toEqual(stored ? ['sk-ant-1'] : []);
      expect(world.vault.names).toEqual([]);
    }
  });
});
