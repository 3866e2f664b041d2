import { describe, expect, it } from 'vitest';
import type { Provider } from '../../functions/providers/provider.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';

const acme = tenantId.parse('acme');
const [main, other] = [credentialId.parse('main'), credentialId.parse('main-2')];

/** What every provider at which keys can be made does. */
export function providerContract(name: string, make: () => Promise<Provider>): void {
  describe(`${name} as a provider`, () => {
    it("makes a tenant's account once when told that it may exist", async () => {
      const provider = await make();
      expect(await provider.findAccount(acme)).toBeUndefined();
      const account = await provider.ensureAccount(acme, false);
      expect(await provider.ensureAccount(acme, true)).toEqual(account);
      expect(await provider.findAccount(acme)).toEqual(account);
      expect(await provider.findAccount(tenantId.parse('acme-2'))).toBeUndefined();
    });

    it('makes keys named by credential and attempt, and lists those of one credential', async () => {
      const provider = await make();
      const account = await provider.ensureAccount(acme, false);
      const first = await provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 1, mayExist: false });
      const second = await provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 2, mayExist: true });
      await provider.createKey(account, { tenantId: acme, credentialId: other, attempt: 1, mayExist: false });
      expect([first.name, second.name]).toEqual(['acme.main.1', 'acme.main.2']);
      expect(second.ownerId).toBe(first.ownerId);
      const listed = await provider.listKeys(account, acme, main);
      expect(listed.map((key) => key.name).sort()).toEqual(['acme.main.1', 'acme.main.2']);
      expect(listed.map((key) => key.keyId).sort()).toEqual([first.keyId, second.keyId].sort());
      expect(first.apiKey.reveal()).not.toBe(second.apiKey.reveal());
    });

    it('revokes one key, again without complaint, and leaves the others valid', async () => {
      const provider = await make();
      const account = await provider.ensureAccount(acme, false);
      const first = await provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 1, mayExist: false });
      const second = await provider.createKey(account, { tenantId: acme, credentialId: main, attempt: 2, mayExist: true });
      expect(await provider.validateKey(first.apiKey)).toBe('valid');
      expect(await provider.confirmRevoked(first.apiKey)).toBe(false);
      await provider.revokeKey(account, first.keyId);
      await provider.revokeKey(account, first.keyId);
      expect(await provider.validateKey(first.apiKey)).toBe('refused');
      expect(await provider.confirmRevoked(first.apiKey)).toBe(true);
      expect(await provider.validateKey(second.apiKey)).toBe('valid');
      expect((await provider.listKeys(account, acme, main)).map((key) => key.keyId)).toEqual([second.keyId]);
    });
  });
}
