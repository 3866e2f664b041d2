import { describe, expect, it } from 'vitest';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { credentialDueShard } from '../../../functions/sweep/due-shard.ts';
import { createDoorWorld } from '../../contracts/fakes/door-world.ts';
import { openAiMain, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const day = 86_400_000;

describe('R1 the first schedule', () => {
  it.each([
    ['its plan', { everyDays: 30, graceHours: 1 }, 30],
    ['90 days by default', undefined, 90],
  ])('of a key that Cordon made is %s', async (_plan, rotation, days) => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded({ credentials: [{ ...openAiMain, rotation }] }));
    const item = await world.registry.credential(acme, credentialId.parse('openai-main'));
    const madeAt = world.deps.clock();
    expect(item).toMatchObject({ dueAt: madeAt + days * day, dueShard: credentialDueShard('openai', 'acme'), keyAttempt: 1 });
  });

  it('is written with what is written anyway', async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded());
    expect(world.faults.journal.filter((call) => call === 'registry.changeCredential')).toHaveLength(1);
  });

  it('names the attempt that the key in force carries', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    await world.deliverUntilDone(tenantOnboarded());
    const item = await world.registry.credential(acme, credentialId.parse('openai-main'));
    expect(item?.keyAttempt).toBe(2);
    expect(world.provider.keys.find(({ live }) => live)?.name).toBe('acme.openai-main.2');
  });

  it('is none of what stores nothing', async () => {
    const world = createTenantsWorld();
    const federated = { ...openAiMain, credentialId: 'federated', source: 'federated' };
    await world.deliver(tenantOnboarded({ tier: 'dedicated', credentials: [federated] }));
    const item = await world.registry.credential(acme, credentialId.parse('federated'));
    expect(item?.status).toBe('recorded');
    expect(item?.dueAt).toBeUndefined();
    expect(item?.dueShard).toBeUndefined();
  });

  it('of a customer’s key begins when it is handed over; the next one is due at once, with the one before to be ended', async () => {
    const world = await createDoorWorld();
    const [id, admin] = ['anthropic-own', 'admin-at-acme'];
    expect((await world.credential('acme', id))?.dueAt).toBeUndefined();
    await world.post(admin, id, { jwe: await world.seal(admin, id, 'sk-ant-old-0123456789') });
    const first = await world.credential('acme', id);
    expect(first).toMatchObject({ dueAt: (first?.suppliedAt ?? 0) + 90 * day, dueShard: credentialDueShard('anthropic', 'acme') });
    expect(first?.previous).toBeUndefined();
    world.advance(60_000);
    await world.post(admin, id, { jwe: await world.seal(admin, id, 'sk-ant-next-0123456789') });
    const second = await world.credential('acme', id);
    expect(second).toMatchObject({ dueAt: second?.suppliedAt, previous: { versionId: first?.secretVersionId } });
  });
});
