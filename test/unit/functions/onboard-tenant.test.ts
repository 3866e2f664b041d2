import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { anthropicOwn, openAiMain, platformEvent, tenantDetail, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, poolKeyArn } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const _refusedByProvider = new CordonError('PROVIDER_REFUSED', 'openai refused creating the key (HTTP 403)');
const _providerDown = new CordonError('PROVIDER_UNAVAILABLE', 'openai could not be used (HTTP 429)', {
  retryable: true,
  retryAfterSeconds: 77,
});

describe('I1 I4 I6 onboarding a tenant', () => {
  it('creates, vaults and tags a platform-issued key, awaits a customer-supplied one, and tells of both', async () => {
    const world = createTenantsWorld();
    const useful = { ...openAiMain, useCase: 'support', team: 'care', labels: { cost: 'c1' }, rotation: { everyDays: 90, graceHours: 24 } };
    expect(await world.deliver(tenantOnboarded({ credentials: [useful, anthropicOwn] }))).toBe(true);
    expect(await world.vault.describe(acme, credentialId.parse('openai-main'))).toMatchObject({
      kmsKeyArn: poolKeyArn,
      tags: {
        TenantId: 'acme',
        CredentialId: 'openai-main',
        Provider: 'openai',
        Tier: 'pool',
        Environment: 'production',
        Team: 'care',
        UseCase: 'support',
      },
    });
    expect(world.vault.names).toEqual(['cordon/acme/openai-main']);
    const items = await world.registry.credentials(acme);
    expect(items).toMatchObject([
      { credentialId: 'anthropic-own', status: 'awaiting', epoch: 0 },
      { credentialId: 'openai-main', status: 'active', labels: { cost: 'c1' }, rotation: { everyDays: 90, graceHours: 24 } },
    ]);
    expect(world.ofType('TenantProvisioned')).toMatchObject([
      {
        tenantId: 'acme',
        tier: 'pool',
        credentials: [
          { credentialId: 'openai-main', status: 'active' },
          { credentialId: 'anthropic-own', status: 'awaiting' },
        ],
      },
    ]);
  });

  it("does not go through the provider's accounts on a first attempt, so that its calls do not grow with the tenants there", async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded());
    expect(world.provider.lists).toBe(0);
  });

  it('names the key so that acme and acme-2 can never be mistaken for each other', async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded({ tenantId: 'acme-2', credentials: [{ ...openAiMain, credentialId: 'main' }] }));
    await world.deliver(tenantOnboarded({ credentials: [{ ...openAiMain, credentialId: '2-main' }] }));
    expect(world.provider.keys.map((key) => key.name)).toEqual(['acme-2.main.1', 'acme.2-main.1']);
  });

  it("makes a dedicated tenant's roles and key and opens its vault as its own", async () => {
    const world = createTenantsWorld();
    const federated = { credentialId: 'claude', provider: 'anthropic', source: 'federated', environment: 'production' };
    await world.deliver(tenantOnboarded({ tier: 'dedicated', credentials: [openAiMain, federated] }));
    expect([...world.dedicated.roles]).toEqual(['TenantAgent-acme', 'TenantAgent-acme.writer']);
    expect(await world.registry.tenant(acme)).toMatchObject({ status: 'active', keyArn: world.dedicated.keys[0]?.keyArn });
    expect(world.vaultOwners).toMatchObject([{ tenantId: 'acme', tier: 'dedicated' }]);
    expect(await world.vault.describe(acme, credentialId.parse('openai-main'))).toMatchObject({
      kmsKeyArn: world.dedicated.keys[0]?.keyArn,
      tags: { Tier: 'dedicated' },
    });
    expect(world.ofType('TenantProvisioned')).toMatchObject([
      { credentials: [{ status: 'active' }, { credentialId: 'claude', status: 'recorded' }] },
    ]);
  });

  it('E2 records an intent before each thing it makes and an outcome after', async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded({ tier: 'dedicated' }));
    expect(world.attribution.all.map((entry) => [entry.operation, entry.kind])).toEqual(
      ['iam.create-roles', 'kms.create-key', 'provider.create-account', 'provider.create-key', 'vault.store-secret'].flatMap(
        (operation) => [
          [operation, 'INTENT'],
          [operation, 'OUTCOME'],
        ],
      ),
    );
    const stored = world.attribution.all.at(-1);
    expect(stored).toMatchObject({
      credentialId: 'openai-main',
      provider: 'openai',
      actor: { function: 'tenants', requestedBy: tenantDetail.requestedBy },
    });
    expect(stored?.credentialVersion).toHaveLength(64);
  });

  it('makes no key when the intent cannot be recorded', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'attribution.record', nth: 3, mode: 'before' });
    await world.deliver(tenantOnboarded());
    expect(world.provider.accounts).toHaveLength(1);
    expect(world.provider.keys).toEqual([]);
  });
});

describe('a repeated or contradicting onboarding', () => {
  it('changes nothing and says nothing when all was done and told', async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded());
    const before = await world.registry.tenant(acme);
    expect(await world.deliver(tenantOnboarded({ displayName: 'Acme Limited' }))).toBe(true);
    expect(await world.registry.tenant(acme)).toEqual(before);
    expect(world.provider.keys).toHaveLength(1);
    expect(world.announced).toHaveLength(1);
  });

  it('tells again only what was not told', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'announcer.announce', nth: 1, mode: 'before' });
    const message = tenantOnboarded();
    expect(await world.deliver(message)).toBe(false);
    expect(await world.deliver(message, 2)).toBe(true);
    expect(world.ofType('TenantProvisioned')).toHaveLength(1);
    expect(world.provider.keys).toHaveLength(1);
  });

  it.each([
    ['another tier', { tier: 'dedicated' }],
    ['another provider', { credentials: [{ ...openAiMain, provider: 'anthropic', source: 'customer-supplied' }] }],
    ['another source', { credentials: [{ ...openAiMain, source: 'customer-supplied' }] }],
    ['another environment', { credentials: [{ ...openAiMain, environment: 'staging' }] }],
    ['one more credential', { credentials: [openAiMain, anthropicOwn] }],
    ['one credential less', { credentials: [] }],
  ])('is refused with the reason and changes nothing: %s', async (_what, over) => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded());
    const before = [await world.registry.tenant(acme), await world.registry.credentials(acme), [...world.provider.keys]];
    const message = tenantOnboarded(over);
    expect(await world.deliver(message)).toBe(true);
    expect(world.deadLetters).toMatchObject([{ body: message, code: 'EVENT_CONTRADICTS' }]);
    expect(world.ofType('TenantProvisioningFailed')).toMatchObject([{ tenantId: 'acme', reason: { code: 'EVENT_CONTRADICTS' }, left: [] }]);
    expect([await world.registry.tenant(acme), await world.registry.credentials(acme), [...world.provider.keys]]).toEqual(before);
  });

  it('is refused for a tenant that was offboarded', async () => {
    const world = createTenantsWorld();
    await world.deliver(tenantOnboarded());
    const tenant = await world.registry.tenant(acme);
    if (tenant) await world.registry.changeTenant(tenant, { status: 'offboarded' });
    await world.deliver(tenantOnboarded());
    expect(world.deadLetters).toMatchObject([{ code: 'TENANT_OFFBOARDED' }]);
    expect((await world.registry.tenant(acme))?.status).toBe('offboarded');
  });

  it('waits while a worker may still be at it, also when that one has died', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'provider.createKey', nth: 1, mode: 'crash' });
    const message = tenantOnboarded();
    await world.deliver(message);
    world.faults.restart();
    world.advance(59_999);
    expect(await world.deliver(message, 2)).toBe(false);
    expect(world.provider.keys).toHaveLength(1);
    world.advance(1);
    expect(await world.deliver(message, 3)).toBe(true);
    expect(world.provider.keys.map((key) => [key.name, key.live])).toEqual([
      ['acme.openai-main.1', false],
      ['acme.openai-main.2', true],
    ]);
  });

  it("waits likewise before it looks for a dedicated tenant's key", async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'dedicated.ensureKey', nth: 1, mode: 'crash' });
    const message = tenantOnboarded({ tier: 'dedicated' });
    await world.deliver(message);
    world.faults.restart();
    expect(await world.deliver(message, 2)).toBe(false);
    expect(world.faults.journal.filter((call) => call === 'dedicated.ensureKey')).toHaveLength(1);
  });

  it('does not undo a tenant that another event is still provisioning', async () => {
    const world = createTenantsWorld();
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    const message = tenantOnboarded();
    await world.deliver(message);
    world.faults.restart();
    expect(await world.deliver(tenantOnboarded({ tier: 'dedicated' }))).toBe(true);
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_CONTRADICTS' }]);
    expect(world.provider.keys.filter((key) => key.live)).toHaveLength(1);
    await world.deliverUntilDone(message, { from: 2 });
    expect((await world.registry.tenant(acme))?.status).toBe('active');
  });
});

describe('events that come before their tenant', () => {
  it('wait for it, and go aside with the reason when it never comes', async () => {
    const world = createTenantsWorld();
    const message = platformEvent('CredentialRequested', { version: 1, tenantId: 'acme', requestedBy: 'op', credential: anthropicOwn });
    expect(await world.deliver(message)).toBe(false);
    await world.deliver(tenantOnboarded());
    expect(await world.deliver(message, 2)).toBe(true);
    expect(world.ofType('CredentialProvisioned')).toHaveLength(1);

    const orphan = platformEvent('UserOnboarded', {
      version: 1,
      tenantId: 'nobody',
      issuer: 'https://idp.example.com',
      subject: 'ann',
      requestedBy: 'op',
    });
    await world.deliverUntilDone(orphan);
    expect(world.deadLetters).toMatchObject([{ body: orphan, code: 'TENANT_UNKNOWN' }]);
    expect(world.ofType('UserProvisioningFailed')).toMatchObject([{ tenantId: 'nobody', reason: { code: 'TENANT_UNKNOWN' } }]);
  });
});
