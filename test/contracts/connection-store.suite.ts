import { describe, expect, it } from 'vitest';
import type { NewConnection } from '../../functions/byoc/connection.ts';
import type { ConnectionStore } from '../../functions/byoc/connection-store.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';

export const acme = tenantId.parse('acme');
const account = '444455556666';

export function newConnection(of = 'acme', customerAccountId = account): NewConnection {
  return {
    ...{ kind: 'CONNECTION', tenantId: tenantId.parse(of), customerAccountId, services: ['bedrock', 's3'], regions: ['us-east-1'] },
    ...{ environment: 'production', dataClasses: ['pii'], roleName: 'cordon.acme.abcdefgh', externalId: 'cordon-x', status: 'pending' },
    ...{ findings: [{ code: 'TRUST_NOT_SHOWN', message: 'm' }], requestedUntil: 10, policyVersion: 'v1', setbacks: 0, eventIds: ['e-1'] },
    ...{ statusReason: { code: 'NO_ANSWER', message: 'm', nextStep: 'n' }, reasonSince: 3, eventTime: '2026-11-21T12:00:00Z' },
    ...{ epoch: 0, requestedBy: 'ann', announced: false, attempt: 1, leaseUntil: 5, dueShard: '3', dueAt: 7 },
  };
}

/** What every store of connections does. */
export function connectionStoreContract(name: string, make: () => Promise<ConnectionStore>): void {
  describe(`${name} as a store of connections`, () => {
    it('answers what was added, and nothing for what was not', async () => {
      const store = await make();
      expect(await store.connection(acme, account)).toBeUndefined();
      const added = await store.addConnection(newConnection());
      expect(added).toMatchObject({ ...newConnection(), version: 1 });
      expect(await store.connection(acme, account)).toEqual(added);
      expect(await store.connection(tenantId.parse('acme-2'), account)).toBeUndefined();
    });

    it('adds one connection per account', async () => {
      const store = await make();
      await store.addConnection(newConnection());
      await expect(store.addConnection(newConnection())).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    });

    it('changes what is named, and takes off the schedule what is named without a value', async () => {
      const store = await make();
      const added = await store.addConnection(newConnection());
      await store.changeConnection(added, { status: 'rejected', dueAt: undefined, dueShard: undefined, statusReason: undefined });
      const read = await store.connection(acme, account);
      expect(read).toMatchObject({ status: 'rejected', version: 2, externalId: 'cordon-x' });
      expect(read?.dueAt).toBeUndefined();
      expect(read?.dueShard).toBeUndefined();
      expect(read?.statusReason).toBeUndefined();
    });

    it('lets one of many who read the same version write', async () => {
      const store = await make();
      const added = await store.addConnection(newConnection());
      const writes = await Promise.allSettled([1, 2, 3, 4].map((attempt) => store.changeConnection(added, { attempt })));
      expect(writes.filter((write) => write.status === 'fulfilled')).toHaveLength(1);
      for (const write of writes) if (write.status === 'rejected') expect(write.reason).toMatchObject({ code: 'CONFLICT' });
    });

    it("lists a tenant's connections in order, and none of a tenant whose ID begins alike", async () => {
      const store = await make();
      for (const [of, id] of [
        ['acme', '777788889999'],
        ['acme', account],
        ['acme-2', '999900001111'],
      ] as const)
        await store.addConnection(newConnection(of, id));
      expect((await store.connections(acme)).map((item) => item.customerAccountId)).toEqual([account, '777788889999']);
    });

    it('postpones what is due at the time that is named, and nothing else', async () => {
      const store = await make();
      const added = await store.addConnection(newConnection());
      expect(await store.postpone(acme, account, { dueAt: 6, until: 100 })).toBe(false);
      expect(await store.postpone(acme, account, { dueAt: 7, until: 100 })).toBe(true);
      expect(await store.connection(acme, account)).toMatchObject({ dueAt: 100, dueShard: '3' });
      expect(await store.postpone(acme, '000000000000', { dueAt: 7, until: 100 })).toBe(false);
      expect(await store.connection(acme, '000000000000')).toBeUndefined();
      expect((await store.changeConnection(added, { status: 'active' })).status).toBe('active');
    });
  });
}
