import { CordonError } from '../shared/errors.ts';
import { createRegistryItems, type RegistryItemsDeps } from '../shared/registry-items.dynamodb.ts';
import { type Connection, connection, connectionPrefix } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';

/** @param deps.client a client with the credentials of a session of the one tenant */
export function createConnectionStore(deps: RegistryItemsDeps): ConnectionStore {
  const items = createRegistryItems(deps);
  const keyOf = (customerAccountId: string): string => `${connectionPrefix}${customerAccountId}`;
  return {
    connection: (tenantId, customerAccountId) => items.get(connection, tenantId, keyOf(customerAccountId)),
    connections: (tenantId) => items.list(connection, tenantId, connectionPrefix),
    async addConnection(begun) {
      const item: Connection = { ...begun, ...items.added() };
      const { tenantId } = item;
      // In the same write, so that an offboarding that ends the tenant's connections overlooks none.
      const unmet = new CordonError('TENANT_NOT_ACTIVE', `tenant ${tenantId} is not active`, { retryable: true });
      await items.writeAll(tenantId, [
        { add: item, sk: keyOf(item.customerAccountId) },
        { demand: { status: ['active'] }, sk: 'TENANT', unmet },
      ]);
      return item;
    },
    changeConnection: (item, change) => items.change<Connection>(keyOf(item.customerAccountId), item, change),
    postpone: (tenantId, customerAccountId, change) => items.postpone(tenantId, keyOf(customerAccountId), change),
  };
}
