import { attemptOf, idleSlot, keyName, keySlots, type Provider } from '../../../functions/providers/provider.ts';
import type { Clock } from '../../../functions/shared/clock.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createMemoryProvider } from '../../contracts/fakes/memory-provider.ts';

/** A provider's keys as the test sees them. */
export interface FakeProvider {
  readonly provider: Provider;
  /** Values the provider accepts now. */
  live(): readonly string[];
  /** The provider goes on accepting a revoked key for so long, in milliseconds. */
  delayDeath(ms: number): void;
  /** Keys made from now on are refused. */
  refuseNew(refused: boolean): void;
}

/** Keys side by side, each deleted by its ID. */
export function createOverlapProvider(clock: Clock): FakeProvider {
  const memory = createMemoryProvider();
  const diedAt = new Map<string, number>();
  const bad = new Set<string>();
  let delay = 0;
  let refusing = false;
  const accepts = (value: string): boolean => {
    const key = memory.keys.find((one) => one.value === value);
    if (!key || bad.has(value)) return false;
    return key.live || clock() < (diedAt.get(key.keyId) ?? 0) + delay;
  };
  const provider: Provider = {
    ...memory,
    async createKey(account, request) {
      const made = await memory.createKey(account, request);
      if (refusing) bad.add(made.apiKey.reveal());
      return made;
    },
    async revokeKey(account, keyId) {
      if (!diedAt.has(keyId)) diedAt.set(keyId, clock());
      await memory.revokeKey(account, keyId);
    },
    validateKey: async (key) => (accepts(key.reveal()) ? 'valid' : 'refused'),
    confirmRevoked: async (key) => !accepts(key.reveal()),
  };
  return {
    provider,
    live: () => memory.keys.filter(({ live }) => live).map(({ value }) => value),
    delayDeath(ms) {
      delay = ms;
    },
    refuseNew(refused) {
      refusing = refused;
    },
  };
}

/** Two slots of one value each, as an Azure OpenAI resource has them. The slot that nothing of ours is in holds a value that nobody knows. */
export function createTwoSlotProvider(): FakeProvider {
  let made = 0;
  const value = (): string => `azure-canary-${++made}`;
  const slots = { Key1: '', Key2: '' };
  let latest: string | undefined;
  const thrownAway = new Set<string>();
  const live = (): string[] => Object.values(slots).filter((one) => one !== '' && !thrownAway.has(one));
  const provider: Provider = {
    name: 'azure-openai',
    capabilities: { createKey: true, revoke: 'regenerate', rotation: 'two-slot', usage: 'workspace' },
    ensureAccount: async () => ({ accountId: 'acme-openai' }),
    findAccount: async () => ({ accountId: 'acme-openai' }),
    async createKey(_account, { tenantId, credentialId, attempt }) {
      for (const slot of keySlots) slots[slot] = value();
      latest = keyName(tenantId, credentialId, attempt);
      thrownAway.add(slots.Key2);
      return { keyId: 'Key1', name: keyName(tenantId, credentialId, attempt), ownerId: 'acme-openai', apiKey: new SecretText(slots.Key1) };
    },
    async regenerateSlot(_account, slot, { tenantId, credentialId, attempt }) {
      slots[slot] = value();
      latest = keyName(tenantId, credentialId, attempt);
      return { keyId: slot, name: keyName(tenantId, credentialId, attempt), ownerId: 'acme-openai', apiKey: new SecretText(slots[slot]) };
    },
    async listKeys(_account, tenantId, credentialId) {
      const name = latest ?? '';
      return attemptOf(name, tenantId, credentialId) === undefined ? [] : keySlots.map((keyId) => ({ keyId, name }));
    },
    validateKey: async (key) => (Object.values(slots).includes(key.reveal()) ? 'valid' : 'refused'),
    async revokeKey(_account, keyId) {
      const slot = keyId === 'Key1' ? 'Key1' : idleSlot('Key1');
      slots[slot] = value();
      thrownAway.add(slots[slot]);
    },
    confirmRevoked: async (key) => !Object.values(slots).includes(key.reveal()),
  };
  return { provider, live, delayDeath: () => undefined, refuseNew: () => undefined };
}
