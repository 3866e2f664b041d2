import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOpenAi } from '../../functions/providers/openai.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { createClock } from '../../local/core/clock.ts';
import type { ProviderFault } from '../../local/world/simulator.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { createMemoryProvider } from './fakes/memory-provider.ts';
import { providerContract } from './provider.suite.ts';

providerContract('memory', async () => createMemoryProvider());

describe('against the OpenAI simulator', () => {
  const acme = tenantId.parse('acme');
  const main = credentialId.parse('main');
  let world: World;
  let faults: Map<string, ProviderFault>;

  beforeEach(async () => {
    faults = new Map();
    const takeFault = (_service: string, action: string): ProviderFault | undefined => {
      const fault = faults.get(action);
      faults.delete(action);
      return fault;
    };
    world = await startWorld({ clock: createClock(), takeFault });
  });
  afterEach(() => world.close());

  const openAi = (key = world.openai.adminKey) => createOpenAi({ baseUrl: world.openAiBaseUrl, adminKey: async () => new SecretText(key) });
  providerContract('OpenAI', async () => openAi());

  it('finds what was made although the answer was lost', async () => {
    const provider = openAi();
    faults.set('POST /organization/projects', { mode: 'after' });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    const account = await provider.ensureAccount(acme, true);
    expect(world.openai.organization.projects.size).toBe(1);
    faults.set('POST /organization/projects/{id}/service_accounts/{id}/api_keys', { mode: 'after' });
    await expect(provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 1, mayExist: false })).rejects.toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
    });
    expect(await provider.listKeys(account, acme, main)).toMatchObject([{ name: 'acme.main.1' }]);
  });

  it('finds an account behind more than one page of others, and not an archived one', async () => {
    const provider = openAi();
    for (let count = 0; count < 230; count += 1) world.openai.organization.createProject(`cordon.other-${count}`);
    world.openai.organization.archiveProject(world.openai.organization.createProject('cordon.acme'));
    world.openai.organization.createProject('acme');
    const wanted = world.openai.organization.createProject('cordon.acme');
    expect(await provider.findAccount(acme)).toEqual({ accountId: wanted.id });
  });

  it.each([
    [429, 'PROVIDER_UNAVAILABLE', 1],
    [500, 'PROVIDER_UNAVAILABLE', undefined],
    [403, 'PROVIDER_REFUSED', undefined],
    [401, 'PROVIDER_REFUSED', undefined],
  ])('says what status %s means', async (status, code, retryAfterSeconds) => {
    faults.set('POST /organization/projects', { mode: 'before', status });
    await expect(openAi().ensureAccount(acme, false)).rejects.toMatchObject({ code, retryAfterSeconds });
  });

  it('is refused with an admin key that is none, and does not repeat it', async () => {
    const failed = await openAi('sk-canary')
      .ensureAccount(acme, false)
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'PROVIDER_REFUSED' });
    expect(String(failed)).not.toContain('canary');
  });

  it('does not take a key for dead that the provider still accepts', async () => {
    const provider = openAi();
    world.openai.settings.deletionDelayMs = 3_600_000;
    const account = await provider.ensureAccount(acme, false);
    const key = await provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 1, mayExist: false });
    await provider.revokeKey(account, key.keyId);
    expect(await provider.confirmRevoked(key.apiKey)).toBe(false);
  });
});
