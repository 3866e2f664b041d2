import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProviders } from '../../functions/providers/create-providers.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import type { World } from '../../local/world/world.ts';
import { type SimulatedProviders, startSimulatedProviders } from './simulated-providers.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const key = (attempt: number) => ({ tenantId: acme, credentialId: main, attempt, mayExist: attempt > 1 }) as const;

let world: World;
let clock: SimulatedProviders['clock'];
let faults: SimulatedProviders['faults'];
let open: SimulatedProviders['open'];

beforeEach(async () => {
  ({ world, clock, faults, open } = await startSimulatedProviders());
});
afterEach(() => world.close());

describe('R4 OpenAI’s projects', () => {
  it('are found although the answer was lost', async () => {
    const provider = open('openai');
    faults.set('POST /organization/projects', { mode: 'after' });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    await provider.ensureAccount(acme, true);
    expect(world.openai.organization.projects.size).toBe(1);
  });

  it('are found behind more than one page of others, and not when archived', async () => {
    for (let count = 0; count < 230; count += 1) world.openai.organization.createProject(`cordon.other-${count}`);
    world.openai.organization.archiveProject(world.openai.organization.createProject('cordon.acme'));
    world.openai.organization.createProject('acme');
    const wanted = world.openai.organization.createProject('cordon.acme');
    expect(await open('openai').findAccount(acme)).toEqual({ accountId: wanted.id });
  });
});

describe('R4 Mistral’s workspaces', () => {
  it('are found although the answer was lost, and not by a part of the name', async () => {
    const provider = open('mistral');
    const other = await provider.ensureAccount(tenantId.parse('acme-2'), false);
    faults.set('POST /api/admin/workspaces', { mode: 'after' });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
    const found = await provider.ensureAccount(acme, true);
    expect(found).not.toEqual(other);
    expect(await provider.findAccount(acme)).toEqual(found);
  });
});

describe('R4 keys behind more than one page of others', () => {
  it.each(['mistral', 'openrouter'] as const)('are found at %s', async (name) => {
    const provider = open(name);
    const account = await provider.ensureAccount(acme, false);
    const many = 120;
    const bulk = credentialId.parse('bulk');
    for (let attempt = 1; attempt <= many; attempt += 1)
      await provider.createKey(account, { tenantId: acme, credentialId: bulk, attempt, mayExist: false });
    const made = await provider.createKey(account, key(1));
    expect(await provider.listKeys(account, acme, main)).toEqual([{ keyId: made.keyId, name: 'acme.main.1' }]);
    expect(await provider.listKeys(account, acme, bulk)).toHaveLength(many);
  });
});

describe('R4 Gemini’s keys made in the background', () => {
  it('are waited for', async () => {
    const provider = open('gemini');
    const account = await provider.ensureAccount(acme, false);
    world.misbehave('gemini', { pendingPolls: 1 });
    const made = await provider.createKey(account, key(1));
    expect(await provider.validateKey(made.apiKey, account)).toBe('valid');
  });
});

describe('R4 providers that make no keys', () => {
  it('lets Anthropic’s keys be listed and switched off, and none be made', async () => {
    const provider = open('anthropic');
    expect(provider.capabilities).toMatchObject({ createKey: false, rotation: 'customer-next' });
    await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
    const apiKey = new SecretText(world.issueKey('anthropic', 'acme.main.1'));
    world.issueKey('anthropic', 'acme-2.main.1');
    const account = await provider.findAccount(acme);
    if (account === undefined) throw new Error('there is one organization');
    const listed = await provider.listKeys(account, acme, main);
    expect(listed).toMatchObject([{ name: 'acme.main.1' }]);
    expect(await provider.confirmRevoked(apiKey)).toBe(false);
    for (const { keyId } of listed) {
      await provider.revokeKey(account, keyId);
      await provider.revokeKey(account, keyId);
    }
    expect(await provider.confirmRevoked(apiKey)).toBe(true);
    expect(await provider.listKeys(account, acme, main)).toEqual([]);
  });

  it('lets Cohere’s keys only be tried', async () => {
    const { cohere } = createProviders(
      { cohere: { baseUrl: world.providers['cohere']?.baseUrl } },
      { clock: clock.now, readAdminKey: () => Promise.reject(new Error('there is none')) },
    );
    if (cohere === undefined) throw new Error('it is configured');
    expect(cohere.capabilities).toEqual({ createKey: false, revoke: 'none', rotation: 'customer-next', usage: 'none' });
    const secret = world.issueKey('cohere');
    expect(await cohere.validateKey(new SecretText(secret))).toBe('valid');
    world.simulators['cohere']?.revokeKey(secret);
    expect(await cohere.confirmRevoked(new SecretText(secret))).toBe(true);
    expect(await cohere.listKeys({ accountId: 'cohere' }, acme, main)).toEqual([]);
  });
});
