import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { openAiMain, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const refusedByProvider = new CordonError('PROVIDER_REFUSED', 'openai refused creating the key (HTTP 403)');
const providerDown = new CordonError('PROVIDER_UNAVAILABLE', 'openai could not be used (HTTP 429)', {
  retryable: true,
  retryAfterSeconds: 77,
});

describe('an onboarding that cannot be', () => {
  it.each([
    ['a platform-issued key of a provider without an adapter', { credentials: [{ ...openAiMain, provider: 'cohere' }] }, 'EVENT_INVALID'],
    ['a user who does not exist', { credentials: [{ ...openAiMain, userId: userIdOf('https://i', 's') }] }, 'USER_UNKNOWN'],
    [
      'a rule that sends production to staging',
      {
        credentials: [{ ...openAiMain, environment: 'staging' }],
        routing: [{ match: { provider: 'openai', environment: 'production' }, use: 'openai-main' }],
      },
      'EVENT_INVALID',
    ],
  ])('is refused before anything is made: %s', async (_what, over, code) => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded(over));
    expect(world.deadLetters).toMatchObject([{ code }]);
    expect(await world.registry.tenant(acme)).toBeUndefined();
    expect(world.provider.accounts).toEqual([]);
    expect(world.attribution.all).toEqual([]);
  });

  it('takes back what it made when the provider refuses for good, and says what is left', async () => {
    const world = createTenantsWorld();
    const staging = { ...openAiMain, credentialId: 'openai-staging', environment: 'staging' };
    const createKey = world.provider.createKey;
    let made = 0;
    world.provider.createKey = async (...args) => {
      if (++made === 2) throw refusedByProvider;
      return createKey(...args);
    };
    expect(await world.deliver(tenantOnboarded({ credentials: [openAiMain, staging] }))).toBe(true);
    expect(world.provider.keys.filter((key) => key.live)).toEqual([]);
    expect(world.vault.names).toEqual([]);
    expect(await world.registry.tenant(acme)).toMatchObject({ status: 'failed', leaseUntil: 0, failure: { code: 'PROVIDER_REFUSED' } });
    expect((await world.registry.credentials(acme)).map((item) => item.status)).toEqual(['failed', 'failed']);
    expect(world.ofType('TenantProvisioningFailed')).toEqual([
      expect.objectContaining({
        tenantId: 'acme',
        reason: { code: 'PROVIDER_REFUSED', message: refusedByProvider.message },
        left: ['the account of acme at openai is left; it holds no key'],
      }),
    ]);
    expect(world.deadLetters).toMatchObject([{ code: 'PROVIDER_REFUSED' }]);
  });

  it('names what could not be taken back', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'after' });
    const message = tenantOnboarded();
    await world.deliver(message);
    world.provider.fail(providerDown);
    expect(await world.deliver(message, world.maxReceiveCount)).toBe(true);
    expect(world.ofType('TenantProvisioningFailed')).toMatchObject([
      {
        left: [
          expect.stringContaining('keys of openai-main at openai may be left'),
          'the account of acme at openai is left; it holds no key',
        ],
      },
    ]);
    expect(world.vault.names).toEqual([]);
  });

  it('deletes no secret where none can be: IAM would refuse it and look like something were left', async () => {
    const world = createTenantsWorld();
    world.provider.createKey = () => Promise.reject(refusedByProvider);
    await world.deliver(tenantOnboarded());
    expect(world.faults.journal).not.toContain('vault.remove');
    expect(world.ofType('TenantProvisioningFailed')).toMatchObject([{ left: ['the account of acme at openai is left; it holds no key'] }]);
  });

  it('deletes the secret that a worker may have stored before it died', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    const message = tenantOnboarded();
    await world.deliver(message);
    world.faults.restart();
    world.advance(360_000);
    world.faults.set({ call: 'registry.changeTenant', nth: 1, mode: 'before' });
    expect(await world.deliver(message, world.maxReceiveCount)).toBe(true);
    expect(world.vault.names).toEqual([]);
    expect(world.provider.keys.filter((key) => key.live)).toEqual([]);
    expect((await world.registry.tenant(acme))?.status).toBe('failed');
  });

  it('can be asked for again once the cause is mended, and ends with one key', async () => {
    const world = createTenantsWorld();
    world.provider.fail(refusedByProvider);
    const message = tenantOnboarded();
    await world.deliver(message);
    expect((await world.registry.tenant(acme))?.status).toBe('failed');
    world.provider.fail(undefined);
    expect(await world.deliver(message)).toBe(true);
    expect(await world.registry.tenant(acme)).toMatchObject({ status: 'active', announced: true });
    expect((await world.registry.tenant(acme))?.failure).toBeUndefined();
    expect(world.provider.keys.filter((key) => key.live)).toHaveLength(1);
    expect(world.ofType('TenantProvisioned')).toHaveLength(1);
  });

  it('I3 raises an isolation event when IAM refuses the vault, and the refusal is attributed', async () => {
    const world = createTenantsWorld();
    world.vault.refuse(true);
    await world.deliver(tenantOnboarded());
    expect(world.ofType('IsolationViolationDetected')).toMatchObject([{ tenantId: 'acme', reason: { code: 'ACCESS_REFUSED' } }]);
    expect(world.attribution.all).toContainEqual(
      expect.objectContaining({ operation: 'vault.store-secret', kind: 'OUTCOME', outcome: { result: 'refused', code: 'ACCESS_REFUSED' } }),
    );
    expect(world.provider.keys.filter((key) => key.live)).toEqual([]);
  });

  it("is patient with a dedicated tenant's roles, which take time to be in force", async () => {
    const world = createTenantsWorld();
    world.vault.refuse(true);
    const message = tenantOnboarded({ tier: 'dedicated' });
    expect(await world.deliver(message)).toBe(false);
    world.vault.refuse(false);
    expect(await world.deliver(message, 2)).toBe(true);
    expect(world.ofType('IsolationViolationDetected')).toEqual([]);
    expect(world.provider.keys.filter((key) => key.live)).toHaveLength(1);
  });
});

describe('a provider that is down', () => {
  it('is tried again later, as late as it asks for', async () => {
    const world = createTenantsWorld();
    world.provider.fail(providerDown);
    const message = tenantOnboarded();
    expect(await world.deliver(message)).toBe(false);
    expect(world.delays).toEqual([77]);
    expect((await world.registry.tenant(acme))?.leaseUntil).toBe(0);
    world.provider.fail(undefined);
    expect(await world.deliver(message, 2)).toBe(true);
    expect((await world.registry.tenant(acme))?.status).toBe('active');
  });

  it('is given up on after the last delivery, with the reason', async () => {
    const world = createTenantsWorld();
    world.provider.fail(new CordonError('PROVIDER_UNAVAILABLE', 'openai did not answer', { retryable: true }));
    const message = tenantOnboarded();
    expect(await world.deliverUntilDone(message)).toBe(world.maxReceiveCount);
    expect(world.delays).toEqual([3, 5, 10, 20]);
    expect(world.deadLetters).toEqual([{ body: message, code: 'PROVIDER_UNAVAILABLE', message: 'openai did not answer' }]);
    expect(await world.registry.tenant(acme)).toMatchObject({ status: 'failed' });
  });
});
