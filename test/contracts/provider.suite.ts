import { describe, expect, it } from 'vitest';
import { idleSlot, type KeySlot, type Provider, type ProviderAccount } from '../../functions/providers/provider.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';

const acme = tenantId.parse('acme');
const [main, other] = [credentialId.parse('main'), credentialId.parse('main-2')];

/** A provider and what can be done to it from outside. Options that only a simulator has are left out for others. */
export interface ProviderRig {
  readonly provider: Provider;
  /** Makes what `ensureAccount` does not: where the platform makes the account by hand. */
  prepare?(): void;
}

export interface ProviderTraits {
  /** `made`: each tenant gets one of its own; `shared`: all tenants' keys are in one; `found`: each has one, made by the platform. */
  readonly accounts: 'made' | 'shared' | 'found';
}

const request = (attempt: number, credential = main) =>
  ({ tenantId: acme, credentialId: credential, attempt, mayExist: attempt > 1 }) as const;

/** What every provider at which keys can be made does. */
export function providerContract(name: string, make: () => Promise<ProviderRig>, { accounts }: ProviderTraits): void {
  const open = async (): Promise<{ provider: Provider; account: ProviderAccount }> => {
    const { provider, prepare } = await make();
    prepare?.();
    return { provider, account: await provider.ensureAccount(acme, false) };
  };

  describe(`${name} as a provider`, () => {
    it("makes a tenant's account once when told that it may exist", async () => {
      const { provider, prepare } = await make();
      if (accounts === 'made') expect(await provider.findAccount(acme)).toBeUndefined();
      if (accounts === 'found') await expect(provider.ensureAccount(acme, false)).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      prepare?.();
      const account = await provider.ensureAccount(acme, false);
      expect(await provider.ensureAccount(acme, true)).toEqual(account);
      expect(await provider.findAccount(acme)).toEqual(account);
      if (accounts !== 'shared') expect(await provider.findAccount(tenantId.parse('acme-2'))).toBeUndefined();
    });

    it('makes keys named by credential and attempt, each with a value of its own', async () => {
      const { provider, account } = await open();
      const first = await provider.createKey(account, request(1));
      const second = await next(provider, account, first.keyId, 2);
      expect([first.name, second.name]).toEqual(['acme.main.1', 'acme.main.2']);
      expect(second.ownerId === first.ownerId || accounts === 'shared').toBe(true);
      expect(first.apiKey.reveal()).not.toBe(second.apiKey.reveal());
      expect(first.keyId).not.toBe(second.keyId);
    });

    it('keeps both keys valid until one is revoked, again without complaint, and leaves the other valid', async () => {
      const { provider, account } = await open();
      const first = await provider.createKey(account, request(1));
      const second = await next(provider, account, first.keyId, 2);
      expect(await provider.validateKey(first.apiKey, account)).toBe('valid');
      expect(await provider.confirmRevoked(first.apiKey, account)).toBe(false);
      await provider.revokeKey(account, first.keyId);
      await provider.revokeKey(account, first.keyId);
      expect(await provider.validateKey(first.apiKey, account)).toBe('refused');
      expect(await provider.confirmRevoked(first.apiKey, account)).toBe(true);
      expect(await provider.validateKey(second.apiKey, account)).toBe('valid');
      expect(await provider.confirmRevoked(second.apiKey, account)).toBe(false);
    });
  });
}

/** What those do besides at which keys have names. */
export function namedKeysContract(name: string, make: () => Promise<ProviderRig>): void {
  describe(`${name} as a provider of named keys`, () => {
    it('lists the live keys of one credential, and no other’s', async () => {
      const { provider } = await make();
      const account = await provider.ensureAccount(acme, false);
      const first = await provider.createKey(account, request(1));
      const second = await provider.createKey(account, request(2));
      await provider.createKey(account, request(1, other));
      const listed = await provider.listKeys(account, acme, main);
      expect(listed.map((key) => key.name).sort()).toEqual(['acme.main.1', 'acme.main.2']);
      expect(listed.map((key) => key.keyId).sort()).toEqual([first.keyId, second.keyId].sort());
      await provider.revokeKey(account, first.keyId);
      expect(await provider.listKeys(account, acme, main)).toEqual([{ keyId: second.keyId, name: second.name }]);
    });

    it('does not take another tenant’s key for this one’s, however alike their names are', async () => {
      const { provider } = await make();
      const [dashed, short] = [tenantId.parse('acme-2'), credentialId.parse('2-main')];
      const account = await provider.ensureAccount(acme, false);
      const theirs = await provider.ensureAccount(dashed, false);
      await provider.createKey(theirs, { tenantId: dashed, credentialId: main, attempt: 1, mayExist: false });
      await provider.createKey(account, { tenantId: acme, credentialId: short, attempt: 1, mayExist: false });
      expect(await provider.listKeys(account, acme, main)).toEqual([]);
      expect(await provider.listKeys(account, acme, short)).toMatchObject([{ name: 'acme.2-main.1' }]);
      expect(await provider.listKeys(theirs, dashed, main)).toMatchObject([{ name: 'acme-2.main.1' }]);
    });
  });
}

/** What those do besides that have two keys, and no names for them. */
export function twoSlotContract(name: string, make: () => Promise<ProviderRig>): void {
  const open = async () => {
    const { provider, prepare } = await make();
    prepare?.();
    const account = await provider.ensureAccount(acme, false);
    if (provider.regenerateSlot === undefined) throw new Error('a two-slot provider renews slots');
    return { provider, account, renew: provider.regenerateSlot.bind(provider) };
  };
  const slots: readonly KeySlot[] = ['Key1', 'Key2'];

  describe(`${name} as a provider with two slots`, () => {
    it('rotates by renewing the idle slot, so that the live key never stops', async () => {
      const { provider, account, renew } = await open();
      let live = await provider.createKey(account, request(1));
      for (const attempt of [2, 3, 4]) {
        const made = await renew(account, idleSlot(live.keyId), request(attempt));
        expect(await provider.validateKey(live.apiKey, account)).toBe('valid');
        expect(await provider.validateKey(made.apiKey, account)).toBe('valid');
        await provider.revokeKey(account, live.keyId);
        expect(await provider.confirmRevoked(live.apiKey, account)).toBe(true);
        live = made;
      }
      expect(slots).toContain(live.keyId);
      expect(await provider.validateKey(live.apiKey, account)).toBe('valid');
    });

    it('leaves no orphan when a slot is renewed twice: the first value is dead', async () => {
      const { provider, account, renew } = await open();
      const live = await provider.createKey(account, request(1));
      const lost = await renew(account, idleSlot(live.keyId), request(2));
      const made = await renew(account, idleSlot(live.keyId), request(3));
      expect(await provider.confirmRevoked(lost.apiKey, account)).toBe(true);
      expect(await provider.validateKey(made.apiKey, account)).toBe('valid');
      expect(await provider.validateKey(live.apiKey, account)).toBe('valid');
    });

    it('refuses a second credential, whose keys would be the first one’s', async () => {
      const { provider, account } = await open();
      const live = await provider.createKey(account, request(1));
      await expect(provider.createKey(account, request(1, other))).rejects.toMatchObject({ code: 'PROVIDER_REFUSED' });
      // Who gives up on the second one has nothing to revoke.
      expect(await provider.listKeys(account, acme, other)).toEqual([]);
      expect((await provider.listKeys(account, acme, main)).map(({ keyId }) => keyId)).toEqual(['Key1', 'Key2']);
      expect(await provider.validateKey(live.apiKey, account)).toBe('valid');
    });

    it('lets no late worker renew what a later attempt has made', async () => {
      const { provider, account, renew } = await open();
      const live = await provider.createKey(account, request(1));
      const made = await renew(account, idleSlot(live.keyId), request(3));
      await expect(renew(account, idleSlot(live.keyId), request(2))).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await provider.validateKey(made.apiKey, account)).toBe('valid');
    });
  });
}

/** The next key: by its slot where there are two of them. */
export function next(provider: Provider, account: ProviderAccount, liveKeyId: string, attempt: number) {
  return provider.regenerateSlot
    ? provider.regenerateSlot(account, idleSlot(liveKeyId), request(attempt))
    : provider.createKey(account, request(attempt));
}
