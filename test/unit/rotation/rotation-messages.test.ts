import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { requested, rotationEvent } from './rotation-events.ts';
import { acme, createRotationWorld, day, hour, main } from './rotation-world.ts';

const due = (over: object): string =>
  JSON.stringify({ version: 1, kind: 'due', tenantId: 'acme', sk: 'CREDENTIAL#main', dueAt: 0, ...over });

describe('P5 messages of the rotation queue', () => {
  it.each([
    ['is not JSON', '{'],
    ['is of an unknown type', rotationEvent('TenantOnboarded', {})],
    ['is wrong', requested({ why: undefined })],
    ['is due elsewhere', due({ sk: 'CONNECTION#444455556666' })],
    ['names no credential', due({ sk: 'CREDENTIAL#../x' })],
    ['comes from another source', requested().replace('cordon.platform', 'cordon')],
  ])('one that %s is put aside with its reason', async (_what, body) => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    expect(await world.deliver(body)).toBe(true);
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_INVALID' }]);
    expect(world.announced).toHaveLength(1);
  });

  it('one for a credential that does not exist is put aside', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    await world.deliver(requested({ credentialId: 'other' }));
    expect(world.deadLetters).toMatchObject([{ code: 'CREDENTIAL_UNKNOWN' }]);
    expect(world.ofType('CredentialRotationFailed')).toMatchObject([{ tenantId: 'acme', reason: { code: 'CREDENTIAL_UNKNOWN' } }]);
  });

  it('the sweep’s word counts for nothing: what is not due is left alone', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.deliver(due({ dueAt: before.dueAt }));
    await world.deliver(due({ dueAt: world.clock() - 1 }));
    world.advance(91 * day);
    await world.deliver(due({ dueAt: world.clock() - 1 }));
    expect(await world.item()).toEqual(before);
  });

  it('a request waits while another run holds the credential', async () => {
    const world = createRotationWorld();
    const before = await world.onboard('overlap');
    await world.registry.changeCredential(before, { leaseUntil: world.clock() + 1 });
    expect(await world.deliver(requested())).toBe(false);
    expect(world.delays).toHaveLength(1);
    world.advance(2);
    expect(await world.deliver(requested(), 2)).toBe(true);
    expect((await world.item()).keyAttempt).toBe(2);
  });

  it('a provider that refuses is told to the operator, and the credential is left alone for longer and longer', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    const { openai } = world.deps.providers;
    if (!openai) throw new Error('there is no provider');
    const refusing = {
      ...openai,
      createKey: () => Promise.reject(new CordonError('PROVIDER_REFUSED', 'openai refused creating the key (HTTP 403)')),
    };
    Object.assign(world.deps, { providers: { ...world.deps.providers, openai: { ...refusing, capabilities: openai.capabilities } } });
    const message = requested();
    await world.deliver(message);
    const waits: number[] = [];
    for (let run = 0; run < 6; run += 1) {
      const { dueAt = 0 } = await world.item();
      waits.push((dueAt - world.clock()) / 60_000);
      world.advance(dueAt - world.clock());
      await world.sweep();
    }
    expect(waits).toEqual([1, 5, 15, 60, 360, 360]);
    expect(world.ofType('CredentialRotationFailed').length).toBe(7);
  });

  it('a credential whose provider nobody serves is left alone for hours', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    Object.assign(world.deps, { providers: {} });
    world.advance(90 * day);
    await world.sweep();
    expect(world.deadLetters).toMatchObject([{ code: 'PROVIDER_REFUSED' }]);
    expect((await world.item()).dueAt).toBe(world.clock() + 6 * hour);
  });

  it('one that cannot even be read is postponed', async () => {
    const world = createRotationWorld();
    await world.onboard('overlap');
    world.advance(90 * day);
    const [message = ''] = await world.dueMessages();
    Object.assign(world.deps, {
      openStores: async () => ({
        registry: {
          ...world.registry,
          credential: () =>
            Promise.reject(new CordonError('ITEM_NOT_UNDERSTOOD', 'a registry item is not understood', { retryable: true })),
        },
      }),
    });
    await world.deliverUntilDone(message);
    expect(world.deadLetters).toMatchObject([{ code: 'ITEM_NOT_UNDERSTOOD' }]);
    expect((await world.registry.credential(acme, main))?.dueAt).toBe(world.clock() + hour);
  });
});
