import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Epochs, type GateReading } from '../../../functions/broker/gate.ts';
import { createSecretCache } from '../../../functions/broker/secret-cache.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { createBrokerWorld, main, startProvider } from './broker-world.ts';

const at = (over: Partial<Epochs> = {}): Epochs => ({ tenant: 0, user: -1, credential: 0, itemVersion: 1, secretVersionId: 'v1', ...over });

describe('X2 the cache of secrets', () => {
  it.each([
    ['tenant', { tenant: 1 }],
    ['user', { user: 1 }],
    ['credential', { credential: 1, itemVersion: 2 }],
    ['version', { secretVersionId: 'v2', itemVersion: 2 }],
  ] as const)('serves nothing under another %s than it was filled under', (_what, other) => {
    const cache = createSecretCache<string>();
    cache.observe(main, at());
    expect(cache.fill(main, at(), 'secret')).toBe(true);
    expect(cache.get(main, at())).toBe('secret');
    expect(cache.get(main, at(other))).toBeUndefined();
  });

  it.each([
    ['tenant', { tenant: 1 }],
    ['user', { user: 1 }],
    ['credential', { credential: 1, itemVersion: 2 }],
    ['version', { secretVersionId: 'v2', itemVersion: 2 }],
  ] as const)('is not filled by a read that was begun before the %s changed and ends after it', (_what, later) => {
    const cache = createSecretCache<string>();
    cache.observe(main, at());
    cache.observe(main, at(later));
    expect(cache.isOutdated(main, at())).toBe(true);
    expect(cache.fill(main, at(), 'old')).toBe(false);
    expect(cache.get(main, at())).toBeUndefined();
    expect(cache.fill(main, at(later), 'new')).toBe(true);
    expect(cache.get(main, at(later))).toBe('new');
  });

  it('forgets what can never be served again as soon as the gate says so', () => {
    const cache = createSecretCache<string>();
    cache.fill(main, at(), 'old');
    cache.observe(main, at({ credential: 1, itemVersion: 2 }));
    expect(cache.get(main, at())).toBeUndefined();
  });

  it('is not set back by a gate answer that arrives late', () => {
    const cache = createSecretCache<string>();
    cache.observe(main, at({ credential: 1, itemVersion: 2 }));
    cache.observe(main, at());
    expect(cache.fill(main, at(), 'old')).toBe(false);
  });

  it('keeps credentials apart', () => {
    const cache = createSecretCache<string>();
    cache.fill(main, at(), 'secret');
    expect(cache.get(credentialId.parse('main-2'), at())).toBeUndefined();
  });

  it('whatever the order of readings, reads and fills: holds only what was read under the latest that was shown', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('observe' as const), epoch: fc.nat(4) }),
      fc.record({ do: fc.constant('fill' as const), epoch: fc.nat(4) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const cache = createSecretCache<number>();
        const under = (epoch: number): Epochs => at({ credential: epoch, itemVersion: epoch + 1 });
        let shown = -1;
        for (const { do: what, epoch } of steps) {
          // A read is begun only by a call whose own gate reading was observed.
          if (what === 'observe') {
            cache.observe(main, under(epoch));
            shown = Math.max(shown, epoch);
          } else if (epoch <= shown) cache.fill(main, under(epoch), epoch);
          for (let older = 0; older < shown; older += 1) expect(cache.get(main, under(older))).toBeUndefined();
          expect(cache.get(main, under(shown)) ?? shown).toBe(shown);
        }
      }),
    );
  });
});

describe('X2 calls under way while something is revoked', () => {
  /** Holds back the nth call of a port until it is let go. */
  function holding(world: ReturnType<typeof createBrokerWorld>, port: string, nth: number) {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let count = 0;
    world.hooks.push(async (name) => {
      if (name !== port) return;
      count += 1;
      if (count !== nth) return;
      reached.resolve();
      await released.promise;
    });
    return { reached: reached.promise, release: () => released.resolve() };
  }

  it('a slow read of the secret brings nothing back that a later call was shown as revoked', async () => {
    const provider = await startProvider((_request, response) => void response.end('{}'));
    const world = createBrokerWorld({ providerUrl: provider.url });
    const held = holding(world, 'secret', 1);
    const slow = world.run();
    await held.reached;
    world.state.standing.set('main', { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' });
    expect((await world.run()).error.code).toBe('CREDENTIAL_REVOKED');
    // Active again, with another version: what the slow read brings is of before.
    world.state.standing.set('main', { status: 'active', epoch: 1, version: 3, secretVersionId: 'v2' });
    expect((await world.run()).seen.status).toBe(200);
    held.release();
    expect((await slow).seen.status).toBe(200);
    expect((await world.run()).seen.status).toBe(200);
    const used = provider.requests.map(({ headers }) => headers['authorization']);
    expect(new Set(used)).toEqual(new Set(['Bearer sk-canary-main-0002']));
    await provider.close();
  });

  it('a slow gate answer of before admits nothing into the cache that serves after', async () => {
    const provider = await startProvider((_request, response) => void response.end('{}'));
    const world = createBrokerWorld({ providerUrl: provider.url });
    const held = holding(world, 'gate', 1);
    const slow = world.run();
    await held.reached;
    world.state.standing.set('main', { status: 'active', epoch: 1, version: 2, secretVersionId: 'v2' });
    await world.run();
    held.release();
    await slow;
    world.calls.length = 0;
    await world.run();
    expect(new Set(world.calls)).toEqual(new Set(['gate', 'INTENT', 'OUTCOME']));
    expect(provider.requests.at(-1)?.headers['authorization']).toBe('Bearer sk-canary-main-0002');
    await provider.close();
  });

  it('a call that begins after the registry was written is refused, however many are under way', async () => {
    const provider = await startProvider((_request, response) => void response.end('{}'));
    const world = createBrokerWorld({ providerUrl: provider.url });
    await world.run();
    const under = Array.from({ length: 20 }, () => world.run());
    world.state.standing.set('main', { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' });
    const forwarded = provider.requests.length;
    const late = await Promise.all(Array.from({ length: 20 }, () => world.run()));
    expect(late.map(({ seen }) => seen.status)).toEqual(Array.from({ length: 20 }, () => 401));
    await Promise.all(under);
    expect(provider.requests.length).toBeLessThanOrEqual(forwarded + 20);
    await provider.close();
  });
});

describe('the gate', () => {
  const reading: GateReading = {
    tenant: { status: 'active', epoch: 3, rulesVersion: 1 },
    user: { status: 'active', epoch: 5, version: 1 },
    credential: { status: 'active', epoch: 7, version: 9, secretVersionId: 'v1' },
    agentRevoked: false,
    sessionRevoked: false,
  };
  const shared = { source: 'platform-issued', userId: undefined } as const;

  it('answers the epochs of tenant and credential, and of the user for the user’s own credential only', async () => {
    const { ann } = await import('./broker-world.ts');
    expect(admit(reading, shared)).toEqual({ tenant: 3, user: -1, credential: 7, itemVersion: 9, secretVersionId: 'v1' });
    expect(admit(reading, { ...shared, userId: ann })).toMatchObject({ user: 5 });
  });

  it.each([
    ['no tenant', { tenant: undefined }, 'TENANT_NOT_ACTIVE'],
    ['a tenant being provisioned', { tenant: { status: 'provisioning', epoch: 0, rulesVersion: 1 } }, 'TENANT_NOT_ACTIVE'],
    ['no credential', { credential: undefined }, 'CREDENTIAL_NOT_ACTIVE'],
    ['no stored version', { credential: { status: 'active', epoch: 0, version: 1, secretVersionId: undefined } }, 'CREDENTIAL_NOT_ACTIVE'],
    [
      'a recorded credential that is not federated',
      { credential: { status: 'recorded', epoch: 0, version: 1, secretVersionId: 'v1' } },
      'CREDENTIAL_NOT_ACTIVE',
    ],
  ])('refuses %s', (_what, over, code) => {
    expect(() => admit({ ...reading, ...over }, shared)).toThrow(expect.objectContaining({ code }));
    expect(() => admit({ ...reading, ...over }, shared)).toThrow(CordonError);
  });

  it('admits a federated credential that is recorded', () => {
    const federated = { ...reading, credential: { status: 'recorded', epoch: 0, version: 1, secretVersionId: undefined } };
    expect(admit(federated, { source: 'federated', userId: undefined })).toMatchObject({ secretVersionId: 'federated' });
  });
});
