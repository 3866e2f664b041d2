import { describe, expect, it } from 'vitest';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import type { NewCredential, NewTenant, NewUser, Registry } from '../../functions/tenants/registry.ts';

const ann = userIdOf('https://idp.example.com', 'ann');
const item = (id: string) => ({ tenantId: tenantId.parse(id), epoch: 0, requestedBy: 'op', announced: false, attempt: 1, leaseUntil: 0 });
const newTenant = (id: string): NewTenant => ({
  ...item(id),
  kind: 'TENANT',
  status: 'provisioning',
  displayName: 'Ünïcode & Co. 🦊',
  tier: 'pool',
  accounts: { openai: { attempt: 1 } },
  plan: [],
  rules: [{ match: { provider: 'openai', environment: 'production', labels: { a: 'b' } }, use: credentialId.parse('main') }],
  rulesVersion: 1,
  rulesTime: '2026-11-21T12:00:00Z',
  rulesEventIds: ['e-1'],
  rulesAnnounced: true,
});
const newCredential = (id: string, name: string): NewCredential => ({
  ...item(id),
  kind: 'CREDENTIAL',
  tier: 'pool',
  credentialId: credentialId.parse(name),
  provider: 'openai',
  source: 'platform-issued',
  environment: 'production',
  status: 'provisioning',
  secretMayExist: false,
  dataClasses: [],
  rotation: { everyDays: 90, graceHours: 0 },
});

const newUser = (id: string): NewUser => ({
  ...{ tenantId: tenantId.parse(id), epoch: 0, requestedBy: 'op', announced: false },
  ...{ kind: 'USER', userId: ann, status: 'active', issuer: 'https://i', subject: 'ann' },
});

/** What every registry does. */
export function registryContract(name: string, make: () => Promise<Registry>): void {
  describe(`${name} as a registry`, () => {
    it('answers what was added, and nothing for what was not', async () => {
      const registry = await make();
      const acme = tenantId.parse('acme');
      expect(await registry.tenant(acme)).toBeUndefined();
      const added = await registry.addTenant(newTenant('acme'));
      expect(added).toMatchObject({ version: 1, createdAt: expect.stringMatching(/Z$/), displayName: 'Ünïcode & Co. 🦊' });
      expect(await registry.tenant(acme)).toEqual(added);
      const user = await registry.addUser(newUser('acme'));
      expect(await registry.user(acme, ann)).toEqual(user);
      expect(await registry.credential(acme, credentialId.parse('main'))).toBeUndefined();
    });

    it('adds an item once', async () => {
      const registry = await make();
      await registry.addTenant(newTenant('acme'));
      await expect(registry.addTenant(newTenant('acme'))).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    });

    it('changes what is named, removes what is named without a value, and leaves the rest', async () => {
      const registry = await make();
      const added = await registry.addTenant(newTenant('acme'));
      const changed = await registry.changeTenant(added, {
        status: 'active',
        accounts: { openai: { attempt: 1, accountId: 'proj_1' } },
        rulesTime: undefined,
        rules: [],
      });
      expect(changed).toMatchObject({ version: 2, status: 'active' });
      const read = await registry.tenant(added.tenantId);
      expect(read).toMatchObject({
        version: 2,
        status: 'active',
        accounts: { openai: { accountId: 'proj_1' } },
        displayName: added.displayName,
        rules: [],
      });
      expect(read?.rulesTime).toBeUndefined();
    });

    it('refuses a change of what somebody else has changed', async () => {
      const registry = await make();
      const added = await registry.addTenant(newTenant('acme'));
      await registry.changeTenant(added, { epoch: 1 });
      await expect(registry.changeTenant(added, { epoch: 7 })).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await registry.tenant(added.tenantId))?.epoch).toBe(1);
    });

    it('lets one of many concurrent writers win', async () => {
      const registry = await make();
      await registry.addTenant(newTenant('acme'));
      const added = await registry.addCredential(newCredential('acme', 'main'));
      const writes = await Promise.allSettled([1, 2, 3, 4].map((attempt) => registry.changeCredential(added, { attempt })));
      expect(writes.filter((write) => write.status === 'fulfilled')).toHaveLength(1);
    });

    it("lists a tenant's credentials in order, and none of a tenant whose ID begins alike", async () => {
      const registry = await make();
      for (const id of ['acme', 'acme-2']) await registry.addTenant(newTenant(id));
      for (const [id, name] of [
        ['acme', 'b'],
        ['acme', 'a'],
        ['acme-2', 'c'],
        ['acme', 'a-2'],
      ] as const)
        await registry.addCredential(newCredential(id, name));
      expect((await registry.credentials(tenantId.parse('acme'))).map((found) => found.credentialId)).toEqual(['a', 'a-2', 'b']);
      expect((await registry.credentials(tenantId.parse('acme-2'))).map((found) => found.credentialId)).toEqual(['c']);
      expect(await registry.credentials(tenantId.parse('acme-3'))).toEqual([]);
    });

    it.each(['suspended', 'failed', 'offboarded'] as const)('adds nothing to a tenant that is %s', async (status) => {
      const registry = await make();
      const tenant = await registry.addTenant(newTenant('acme'));
      await registry.addCredential(newCredential('acme', 'before'));
      await registry.changeTenant(tenant, { status });
      await expect(registry.addCredential(newCredential('acme', 'main'))).rejects.toMatchObject({
        code: 'TENANT_NOT_ACTIVE',
        retryable: true,
      });
      await expect(registry.addUser(newUser('acme'))).rejects.toMatchObject({ code: 'TENANT_NOT_ACTIVE', retryable: true });
      expect((await registry.credentials(tenant.tenantId)).map((found) => found.credentialId)).toEqual(['before']);
      expect(await registry.user(tenant.tenantId, ann)).toBeUndefined();
    });

    it('adds nothing to a tenant that does not exist', async () => {
      const registry = await make();
      await expect(registry.addCredential(newCredential('acme', 'main'))).rejects.toMatchObject({ code: 'TENANT_NOT_ACTIVE' });
    });

    it.each(['suspended', 'offboarded', undefined] as const)('adds no credential to a user who is %s', async (status) => {
      const registry = await make();
      const { tenantId: acme } = await registry.addTenant(newTenant('acme'));
      const user = status && (await registry.addUser(newUser('acme')));
      if (user) await registry.changeUser(user, { status });
      await expect(registry.addCredential({ ...newCredential('acme', 'main'), userId: ann })).rejects.toMatchObject({
        code: 'USER_UNKNOWN',
      });
      expect(await registry.credentials(acme)).toEqual([]);
    });
  });
}
