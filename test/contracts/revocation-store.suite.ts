import { describe, expect, it } from 'vitest';
import type { NewRevocation } from '../../functions/revocation/revocation.ts';
import type { NewTombstone, RevocationStore } from '../../functions/revocation/revocation-store.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { NewCredential, NewTenant, NewUser, Registry } from '../../functions/tenants/registry.ts';

export const acme = tenantId.parse('acme');
const ann = userIdOf('https://idp.example.com', 'ann');
const main = credentialId.parse('main');
const common = { tenantId: acme, epoch: 0, requestedBy: 'op', announced: true };
const held = { attempt: 1, leaseUntil: 0 };

const tenant: NewTenant = {
  ...common,
  ...held,
  ...{ kind: 'TENANT', status: 'active', displayName: 'Acme', tier: 'pool', accounts: {}, plan: [], rules: [], rulesVersion: 0 },
  ...{ rulesEventIds: [], rulesAnnounced: true },
};
const user: NewUser = { ...common, kind: 'USER', userId: ann, status: 'active', issuer: 'https://i', subject: 'ann' };
const credential: NewCredential = {
  ...common,
  ...held,
  ...{ kind: 'CREDENTIAL', tier: 'pool', credentialId: main, provider: 'openai', source: 'platform-issued', environment: 'production' },
  ...{ status: 'provisioning', secretMayExist: false },
};
const revocation = (revocationId: string): NewRevocation => ({
  ...common,
  ...held,
  ...{ kind: 'REVOCATION', revocationId, action: 'revoke', scope: 'tenant', reason: 'a leak', requestedAt: '2026-11-22T00:00:00Z' },
  ...{ inForceAt: 1, status: 'open', told: false, marked: false, setbacks: 0, dueShard: 'revocation#1', dueAt: 5 },
  counts: { credentials: 0, versions: 0, confirmed: 0, unconfirmed: 0 },
});
const stone = (of: NewTombstone['of'], id?: string): NewTombstone => ({
  ...{ tenantId: acme, kind: 'REVOKED', of, action: 'revoke', suspendedAt: '2026-11-22T00:00:00Z' },
  ...(id !== undefined && { id }),
});

/** What every store of revocations does. `open` gives one with the registry that it shares its items with. */
export function revocationStoreContract(name: string, open: () => Promise<{ store: RevocationStore; registry: Registry }>): void {
  describe(`${name} as a store of revocations`, () => {
    it('writes subject and revocation in one', async () => {
      const { store, registry } = await open();
      const item = await registry.addTenant(tenant);
      const begun = await store.begin(revocation('e-1'), { of: 'TENANT', item, change: { status: 'suspended', epoch: 1 } });
      expect(await store.revocation(acme, 'e-1')).toEqual(begun);
      expect(await registry.tenant(acme)).toMatchObject({ status: 'suspended', epoch: 1, version: 2 });
      expect(await store.revocation(acme, 'e-2')).toBeUndefined();
    });

    it('writes neither when the subject is not as it was read, or the revocation is there', async () => {
      const { store, registry } = await open();
      const read = await registry.addTenant(tenant);
      const item = await registry.changeTenant(read, { displayName: 'Acme Ltd' });
      await expect(store.begin(revocation('e-1'), { of: 'TENANT', item: read, change: { status: 'suspended' } })).rejects.toMatchObject({
        code: 'CONFLICT',
        retryable: true,
      });
      expect(await store.revocation(acme, 'e-1')).toBeUndefined();
      await store.begin(revocation('e-1'), { of: 'NOTHING' });
      await expect(store.begin(revocation('e-1'), { of: 'TENANT', item, change: { status: 'suspended' } })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(await registry.tenant(acme)).toMatchObject({ status: 'active', displayName: 'Acme Ltd' });
    });

    it('keeps away what was revoked before it came to be', async () => {
      const { store, registry } = await open();
      await store.begin(revocation('e-1'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('TENANT') });
      await expect(registry.addTenant(tenant)).rejects.toMatchObject({ code: 'EVENT_CONTRADICTS' });
      const known = await store.tombstone(acme, 'TENANT', undefined);
      await store.begin(revocation('e-2'), { of: 'TOMBSTONE', known, tombstone: { ...stone('TENANT'), lifted: true } });
      await registry.addTenant(tenant);
      await store.begin(revocation('e-3'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('USER', ann) });
      await store.begin(revocation('e-4'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('CREDENTIAL', main) });
      await expect(registry.addUser(user)).rejects.toMatchObject({ code: 'EVENT_CONTRADICTS' });
      await expect(registry.addCredential(credential)).rejects.toMatchObject({ code: 'EVENT_CONTRADICTS' });
      await registry.addCredential({ ...credential, credentialId: credentialId.parse('other') });
    });

    it('shows the registry who is buried, by whatever name a token has, and who is so no more', async () => {
      const { store, registry } = await open();
      await store.begin(revocation('e-1'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('USER', ann) });
      await store.begin(revocation('e-2'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('AGENT', 'bot') });
      await store.begin(revocation('e-3'), { of: 'TOMBSTONE', known: undefined, tombstone: stone('SESSION', 's-1') });
      for (const who of [{ userId: ann }, { agentId: 'bot' }, { sessionId: 's-1', agentId: 'other' }])
        expect(await registry.isBuried(acme, who)).toBe(true);
      for (const who of [{}, { agentId: 's-1' }, { sessionId: 'bot' }]) expect(await registry.isBuried(acme, who)).toBe(false);
      expect(await registry.isBuried(tenantId.parse('acme-2'), { agentId: 'bot' })).toBe(false);
      const known = await store.tombstone(acme, 'USER', ann);
      await store.begin(revocation('e-4'), { of: 'TOMBSTONE', known, tombstone: { ...stone('USER', ann), lifted: true } });
      expect(await registry.isBuried(acme, { userId: ann })).toBe(false);
    });

    it.each(['TENANT', 'USER', 'CREDENTIAL'] as const)('puts no tombstone in place of a %s that has come to be meanwhile', async (of) => {
      const { store, registry } = await open();
      await registry.addTenant(tenant);
      await registry.addUser(user);
      await registry.addCredential(credential);
      const id = { TENANT: undefined, USER: ann, CREDENTIAL: main }[of];
      await expect(store.begin(revocation('e-1'), { of: 'TOMBSTONE', known: undefined, tombstone: stone(of, id) })).rejects.toMatchObject({
        code: 'CONFLICT',
        retryable: true,
      });
      expect(await store.tombstone(acme, of, id)).toBeUndefined();
      expect(await store.revocation(acme, 'e-1')).toBeUndefined();
    });

    it('changes a revocation as it was read, lists all of a tenant, and postpones what is due then', async () => {
      const { store } = await open();
      const one = await store.begin(revocation('e-1'), { of: 'NOTHING' });
      await store.begin(revocation('e-2'), { of: 'NOTHING' });
      const changed = await store.changeRevocation(one, { status: 'done', dueAt: 7 });
      await expect(store.changeRevocation(one, { status: 'open' })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await store.revocations(acme)).map(({ revocationId, status }) => [revocationId, status])).toEqual([
        ['e-1', 'done'],
        ['e-2', 'open'],
      ]);
      expect(await store.revocations(tenantId.parse('acme-2'))).toEqual([]);
      expect(await store.postpone(acme, 'e-1', { dueAt: 5, until: 9 })).toBe(false);
      expect(await store.postpone(acme, 'e-1', { dueAt: 7, until: 9 })).toBe(true);
      expect(await store.revocation(acme, 'e-1')).toMatchObject({ dueAt: 9, version: changed.version });
    });
  });
}
