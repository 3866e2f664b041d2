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
    addConnection: (item) => items.add<Connection>(keyOf(item.customerAccountId), { ...item, ...items.added() }),
    changeConnection: (item, change) => items.change<Connection>(keyOf(item.customerAccountId), item, change),
    postpone: (tenantId, customerAccountId, change) => items.postpone(tenantId, keyOf(customerAccountId), change),
  };
}
