import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Provider, ProviderAccount } from '../../functions/providers/provider.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import type { World } from '../../local/world/world.ts';
import { createMemoryProvider } from './fakes/memory-provider.ts';
import { namedKeysContract, next, type ProviderRig, type ProviderTraits, providerContract, twoSlotContract } from './provider.suite.ts';
import { type Administered, type SimulatedProviders, startSimulatedProviders } from './simulated-providers.ts';

providerContract('memory', async () => ({ provider: createMemoryProvider() }), { accounts: 'made' });
namedKeysContract('memory', async () => ({ provider: createMemoryProvider() }));

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

const accounts = '/management/subscriptions/{id}/resourceGroups/{id}/providers/Microsoft.CognitiveServices/accounts';

/** How each simulator is addressed by faults, and what its keys' home is. */
const simulated = {
  openai: {
    traits: { accounts: 'made' },
    create: 'POST /organization/projects/{id}/service_accounts/{id}/api_keys',
    revoke: 'DELETE /organization/projects/{id}/api_keys/{id}',
    validate: 'GET /models',
  },
  mistral: {
    traits: { accounts: 'made' },
    create: 'POST /api/admin/api-keys',
    revoke: 'DELETE /api/admin/api-keys/{id}',
    validate: 'GET /models',
  },
  openrouter: { traits: { accounts: 'shared' }, create: 'POST /api/v1/keys', revoke: 'DELETE /api/v1/keys/{id}', validate: 'GET /key' },
  gemini: {
    traits: { accounts: 'shared' },
    create: 'POST /v2/projects/{id}/locations/global/keys',
    revoke: 'DELETE /v2/projects/{id}/locations/global/keys/{id}',
    validate: 'GET /v1beta/models',
  },
  'azure-openai': {
    traits: { accounts: 'found' },
    create: `POST ${accounts}/{id}/regenerateKey`,
    revoke: `POST ${accounts}/{id}/regenerateKey`,
    validate: 'GET /openai/models',
  },
} as const satisfies Partial<Record<Administered, { traits: ProviderTraits; create: string; revoke: string; validate: string }>>;

for (const [name, { traits, ...actions }] of typedEntries(simulated)) {
  const prepare = (): void => {
    if (name === 'azure-openai') world.simulators[name]?.makeAccount('cordon-acme');
  };
  const rig = async (): Promise<ProviderRig> => ({ provider: open(name), prepare });
  const start = async (adminSecret?: string): Promise<{ provider: Provider; account: ProviderAccount }> => {
    prepare();
    const provider = open(name, adminSecret);
    return { provider, account: await provider.ensureAccount(acme, false) };
  };

  describe(`R4 against the ${name} simulator`, () => {
    providerContract(name, rig, traits);
    if (name === 'azure-openai') twoSlotContract(name, rig);
    else namedKeysContract(name, rig);

    it('finds a key whose answer was lost', async () => {
      const { provider, account } = await start();
      faults.set(actions.create, { mode: 'after' });
      await expect(provider.createKey(account, key(1))).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
      clock.advance(15_000);
      const left = await provider.listKeys(account, acme, main);
      expect([...new Set(left.map(({ name }) => name))]).toEqual(['acme.main.1']);
      for (const { keyId } of left) await provider.revokeKey(account, keyId);
      const made = await provider.createKey(account, key(2));
      // What tests count of it: nothing but this one is alive.
      const live = world.simulators[name]?.liveKeys(name === 'azure-openai' ? 'cordon-acme/' : 'acme.main.') ?? [];
      expect(live.filter(({ name: named }) => named !== 'cordon-acme/Key2')).toHaveLength(1);
      expect(await provider.validateKey(made.apiKey, account)).toBe('valid');
    });

    it('revokes a key whose revocation’s answer was lost', async () => {
      const { provider, account } = await start();
      const first = await provider.createKey(account, key(1));
      faults.set(actions.revoke, { mode: 'after' });
      await expect(provider.revokeKey(account, first.keyId)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      await provider.revokeKey(account, first.keyId);
      expect(await provider.confirmRevoked(first.apiKey, account)).toBe(true);
    });

    it.each([
      [429, 'PROVIDER_UNAVAILABLE', true],
      [500, 'PROVIDER_UNAVAILABLE', true],
      [503, 'PROVIDER_UNAVAILABLE', true],
      [403, 'PROVIDER_REFUSED', false],
      [401, 'PROVIDER_REFUSED', false],
    ] as const)('says what status %s of a creation means', async (status, code, retryable) => {
      const { provider, account } = await start();
      faults.set(actions.create, { mode: 'before', status });
      await expect(provider.createKey(account, key(1))).rejects.toMatchObject({ code, retryable });
    });

    it('says when to come again after too many calls', async () => {
      const { provider, account } = await start();
      world.misbehave(name, { adminPerMinute: 0 });
      await expect(provider.createKey(account, key(1))).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        retryable: true,
        retryAfterSeconds: expect.any(Number),
      });
    });

    it('takes no key for dead that the provider still accepts, is limited, lacks a right, or says nothing of', async () => {
      const { provider, account } = await start();
      world.misbehave(name, { deletionDelayMs: 3_600_000 });
      const first = await provider.createKey(account, key(1));
      await next(provider, account, first.keyId, 2);
      await provider.revokeKey(account, first.keyId);
      expect(await provider.confirmRevoked(first.apiKey, account)).toBe(false);
      clock.advance(3_600_001);
      for (const status of [403, 429]) {
        faults.set(actions.validate, { mode: 'before', status });
        expect(await provider.confirmRevoked(first.apiKey, account)).toBe(false);
      }
      faults.set(actions.validate, { mode: 'before', status: 500 });
      await expect(provider.confirmRevoked(first.apiKey, account)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
      expect(await provider.confirmRevoked(first.apiKey, account)).toBe(true);
    });

    it('is refused with an admin secret that is not the provider’s, and repeats nothing of it', async () => {
      prepare();
      const secret = world.simulators[name]?.adminSecret ?? '';
      const wrong = /^\{/.test(secret) ? spoiled(secret) : 'sk-canary-0000000000';
      const provider = open(name, wrong);
      const account = { accountId: name === 'gemini' ? '1' : 'cordon-acme' };
      const failed = await provider.createKey(account, key(1)).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: 'PROVIDER_REFUSED' });
      expect(String(failed)).not.toContain('canary');
    });
  });
}

describe.each(['mistral', 'openrouter', 'gemini'] as const)('R4 %s’s limit of keys', (name) => {
  it('is a refusal that says where and at what', async () => {
    const provider = open(name);
    const account = await provider.ensureAccount(acme, false);
    await provider.createKey(account, key(1));
    world.misbehave(name, { maxKeys: 1 });
    await expect(provider.createKey(account, key(2))).rejects.toMatchObject({
      code: 'PROVIDER_REFUSED',
      retryable: false,
      message: expect.stringMatching(new RegExp(`^${name} refused creating the key \\(HTTP 40[03]\\)`)),
    });
  });
});

/** The same form with other values where they are secret. */
function spoiled(secret: string): string {
  const value: unknown = JSON.parse(secret);
  return JSON.stringify(
    'clientSecret' in Object(value)
      ? { ...Object(value), clientSecret: 'canary' }
      : { ...Object(value), clientEmail: 'canary@example.com' },
  );
}

function typedEntries<Name extends string, Value>(of: Readonly<Record<Name, Value>>): [Name, Value][] {
  return Object.entries(of) as [Name, Value][];
}
