import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { FaultMode } from '../../contracts/fakes/faults.ts';
import { anthropicOwn, openAiMain, platformEvent, tenantOnboarded } from '../../contracts/fakes/platform-events.ts';
import { createTenantsWorld, type TenantsWorld } from '../../contracts/fakes/tenants-world.ts';

const acme = tenantId.parse('acme');
const issuer = 'https://idp.example.com';
const ann = userIdOf(issuer, 'ann');
const base = { version: 1, tenantId: 'acme', requestedBy: 'operator' };
const userEvent = platformEvent('UserOnboarded', { ...base, issuer, subject: 'ann', displayName: 'Ann' });
const credentialEvent = (credential: object, over: object = {}): string =>
  platformEvent('CredentialRequested', { ...base, ...over, credential });
const _rulesEvent = (use: string, over: Record<string, unknown> = {}, match: object = {}): string =>
  platformEvent(
    'RoutingRulesChanged',
    { ...base, rules: [{ match: { provider: 'openai', environment: 'production', ...match }, use }] },
    over,
  );
const annsKey = { credentialId: 'ann-openai', provider: 'openai', source: 'platform-issued', environment: 'production', userId: ann };

async function onboarded(over: Record<string, unknown> = {}): Promise<TenantsWorld> {
  const world = createTenantsWorld();
  await world.deliver(tenantOnboarded(over));
  return world;
}

describe('U1 onboarding a user', () => {
  it('adds the user under an ID that follows from issuer and subject, once', async () => {
    const world = await onboarded();
    expect(await world.deliver(userEvent)).toBe(true);
    expect(await world.deliver(userEvent)).toBe(true);
    expect(await world.registry.user(acme, ann)).toMatchObject({
      issuer,
      subject: 'ann',
      displayName: 'Ann',
      status: 'active',
      epoch: 0,
      announced: true,
    });
    expect(world.ofType('UserProvisioned')).toEqual([{ version: 1, tenantId: 'acme', userId: ann, requestedBy: 'operator' }]);
  });

  it.each<FaultMode>(['before', 'after', 'crash'])('converges after a fault of mode %s at any call', async (mode) => {
    const plain = await onboarded();
    const start = plain.faults.journal.length;
    await plain.deliver(userEvent);
    for (const call of new Set(plain.faults.journal.slice(start))) {
      const world = await onboarded();
      world.faults.set({ call, nth: 1, mode });
      await world.deliverUntilDone(userEvent);
      expect(await world.registry.user(acme, ann), `${mode} at ${call}`).toMatchObject({ status: 'active', announced: true });
    }
  });
});

describe('U1 I6 requesting a credential', () => {
  it('refuses a key of a provider whose adapter makes none, before anything is asked there', async () => {
    const world = await onboarded();
    const { capabilities } = world.provider;
    world.deps.providers.anthropic = { ...world.provider, name: 'anthropic', capabilities: { ...capabilities, createKey: false } };
    const before = world.provider.keys.length;
    expect(await world.deliver(credentialEvent({ ...anthropicOwn, credentialId: 'claude', source: 'platform-issued' }))).toBe(true);
    expect(world.ofType('CredentialProvisioningFailed')).toMatchObject([{ reason: { code: 'EVENT_INVALID' } }]);
    expect(world.provider.keys).toHaveLength(before);
  });

  it("adds a user's own credential behind a session that names the user, in the account that the tenant has", async () => {
    const world = await onboarded();
    await world.deliver(userEvent);
    expect(await world.deliver(credentialEvent(annsKey))).toBe(true);
    expect(world.vaultOwners.at(-1)).toEqual({ tenantId: 'acme', tier: 'pool', userId: ann });
    expect((await world.vault.describe(acme, credentialId.parse('ann-openai')))?.tags).toMatchObject({ UserId: ann, TenantId: 'acme' });
    expect(world.provider.accounts).toHaveLength(1);
    expect(world.provider.lists).toBe(0);
    expect(world.ofType('CredentialProvisioned')).toMatchObject([
      { tenantId: 'acme', credential: { credentialId: 'ann-openai', userId: ann, status: 'active' } },
    ]);
  });

  it('waits for a user whose own event is late', async () => {
    const world = await onboarded();
    const message = credentialEvent(annsKey);
    expect(await world.deliver(message)).toBe(false);
    await world.deliver(userEvent);
    expect(await world.deliver(message, 2)).toBe(true);
    expect(world.deadLetters).toEqual([]);
  });

  it('is said once, however often it is asked', async () => {
    const world = await onboarded();
    await world.deliver(credentialEvent(anthropicOwn));
    await world.deliver(credentialEvent(anthropicOwn));
    expect(world.ofType('CredentialProvisioned')).toHaveLength(1);
    await world.deliver(credentialEvent(openAiMain));
    expect(world.ofType('CredentialProvisioned')).toHaveLength(1);
    expect(world.provider.keys).toHaveLength(1);
  });

  it.each([
    ['another environment', { ...openAiMain, environment: 'staging' }, 'EVENT_CONTRADICTS'],
    ['a user for a credential of the tenant', { ...openAiMain, userId: ann }, 'EVENT_CONTRADICTS'],
    ['federation in the pool', { ...anthropicOwn, credentialId: 'f', source: 'federated' }, 'EVENT_INVALID'],
    ['a provider without an adapter', { ...openAiMain, credentialId: 'g', provider: 'gemini' }, 'EVENT_INVALID'],
  ])('is refused when it asks for %s', async (_what, credential, code) => {
    const world = await onboarded();
    await world.deliver(userEvent);
    const before = await world.registry.credentials(acme);
    await world.deliver(credentialEvent(credential));
    expect(world.deadLetters).toMatchObject([{ code }]);
    expect(world.ofType('CredentialProvisioningFailed')).toMatchObject([{ tenantId: 'acme', reason: { code }, left: [] }]);
    expect(await world.registry.credentials(acme)).toEqual(before);
  });

  it.each<FaultMode>(['before', 'after', 'crash'])(
    'ends with one stored live key and one account after a fault of mode %s at any call',
    async (mode) => {
      const start = async (): Promise<TenantsWorld> => onboarded({ credentials: [anthropicOwn] });
      const plain = await start();
      const from = plain.faults.journal.length;
      await plain.deliver(credentialEvent(openAiMain));
      const seen = new Map<string, number>();
      for (const call of plain.faults.journal.slice(from)) {
        const nth = (seen.get(call) ?? 0) + 1;
        seen.set(call, nth);
        const world = await start();
        world.faults.set({ call, nth, mode });
        await world.deliverUntilDone(credentialEvent(openAiMain));
        const live = world.provider.keys.filter((key) => key.live);
        expect(live, `${mode} at ${call} #${nth}`).toHaveLength(1);
        expect(world.vault.valueOf('cordon/acme/openai-main')).toBe(live[0]?.value);
        expect(world.provider.accounts).toHaveLength(1);
        expect(await world.registry.tenant(acme)).toMatchObject({
          status: 'active',
          leaseUntil: 0,
          accounts: { openai: { accountId: 'proj_1' } },
        });
        expect(await world.registry.credential(acme, credentialId.parse('openai-main'))).toMatchObject({
          status: 'active',
          announced: true,
        });
      }
    },
  );

  it('waits while a worker may still be at it, also when that one has died', async () => {
    const world = await onboarded({ credentials: [anthropicOwn] });
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    const message = credentialEvent(openAiMain);
    await world.deliver(message);
    world.faults.restart();
    world.advance(59_999);
    expect(await world.deliver(message, 2)).toBe(false);
    expect(world.provider.keys).toHaveLength(1);
    world.advance(1);
    expect(await world.deliver(message, 3)).toBe(true);
    expect(world.provider.keys.map((key) => key.live)).toEqual([false, true]);
  });

  it('deletes the secret that a worker may have stored before it died', async () => {
    const world = await onboarded({ credentials: [anthropicOwn] });
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    const message = credentialEvent(openAiMain);
    await world.deliver(message);
    world.faults.restart();
    world.advance(360_000);
    world.faults.set({ call: 'registry.changeCredential', nth: 1, mode: 'before' });
    expect(await world.deliver(message, world.maxReceiveCount)).toBe(true);
    expect(world.vault.names).toEqual([]);
    expect(world.provider.keys.filter((key) => key.live)).toEqual([]);
  });

  it("leaves the tenant's account to the worker that may still be making it", async () => {
    const world = await onboarded({ credentials: [anthropicOwn] });
    world.faults.set({ call: 'provider.ensureAccount', nth: 1, mode: 'crash' });
    await world.deliver(credentialEvent(openAiMain));
    world.faults.restart();
    const other = credentialEvent({ ...openAiMain, credentialId: 'other' });
    expect(await world.deliver(other)).toBe(false);
    expect(world.faults.journal.filter((call) => call === 'provider.ensureAccount')).toHaveLength(1);
    world.advance(60_000);
    expect(await world.deliver(other, 2)).toBe(true);
    expect(world.provider.accounts).toHaveLength(1);
  });

  it('takes back what it made when it is given up, and leaves the tenant active', async () => {
    const world = await onboarded();
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'after' });
    const message = credentialEvent({ ...openAiMain, credentialId: 'more' });
    await world.deliver(message);
    world.vault.refuse(true);
    await world.deliver(message, 2);
    expect(world.ofType('CredentialProvisioningFailed')).toMatchObject([
      { reason: { code: 'ACCESS_REFUSED' }, left: ['the secret of more may be left: it could not be deleted (ACCESS_REFUSED)'] },
    ]);
    expect(world.provider.keys.filter((key) => key.live).map((key) => key.name)).toEqual(['acme.openai-main.1']);
    expect((await world.registry.tenant(acme))?.status).toBe('active');
    expect(await world.registry.credential(acme, credentialId.parse('more'))).toMatchObject({
      status: 'failed',
      failure: { code: 'ACCESS_REFUSED' },
    });
  });
});

describe('an unforeseen error', () => {
  it('is tried again, and tells others nothing of itself', async () => {
    const world = await onboarded();
    world.deps.providers.openai = { ...world.provider, ensureAccount: () => Promise.reject(new Error('boom sk-canary')) };
    const message = tenantOnboarded({ tenantId: 'other' });
    await world.deliverUntilDone(message);
    expect(world.deadLetters).toMatchObject([{ message: 'something unexpected happened; the log has it' }]);
    expect(JSON.stringify(world.announced)).not.toContain('boom');
  });

  it('is not mistaken for a refusal', () => {
    expect(new CordonError('CONFLICT', 'x').retryable).toBe(false);
  });
});
