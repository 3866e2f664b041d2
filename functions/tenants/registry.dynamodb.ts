import { z } from 'zod';
import { createRegistryItems, type RegistryItemsDeps } from '../shared/registry-items.dynamodb.ts';
import {
  type CredentialItem,
  credentialItem,
  type Registry,
  type RegistryItem,
  type TenantItem,
  tenantItem,
  type UserItem,
  userItem,
} from './registry.ts';
import { demandsOf } from './registry-demands.ts';

/** What counts of a tombstone. */
const buried = z.object({ lifted: z.boolean().optional() });

/** The sort key of an item. */
export function keyOf(item: RegistryItem): string {
  if (item.kind === 'USER') return `USER#${item.userId}`;
  return item.kind === 'CREDENTIAL' ? `CREDENTIAL#${item.credentialId}` : 'TENANT';
}

/** @param deps.client a client with the credentials of a session of the one tenant whose items are read and written */
export function createRegistry(deps: RegistryItemsDeps): Registry {
  const items = createRegistryItems(deps);
  const add = async <Item extends RegistryItem>(item: Item): Promise<Item> => {
    await items.writeAll(item.tenantId, [{ add: item, sk: keyOf(item) }, ...demandsOf(item)]);
    return item;
  };
  return {
    tenant: (tenantId) => items.get(tenantItem, tenantId, 'TENANT'),
    user: (tenantId, userId) => items.get(userItem, tenantId, `USER#${userId}`),
    async isBuried(tenantId, { userId, agentId, sessionId }) {
      const named = [
        userId !== undefined && `USER#${userId}`,
        agentId !== undefined && `AGENT#${agentId}`,
        sessionId !== undefined && `SESSION#${sessionId}`,
      ];
      const found = await Promise.all(named.map((name) => (name === false ? undefined : items.get(buried, tenantId, `REVOKED#${name}`))));
      return found.some((one) => one !== undefined && one.lifted !== true);
    },
    credential: (tenantId, credentialId) => items.get(credentialItem, tenantId, `CREDENTIAL#${credentialId}`),
    credentials: (tenantId) => items.list(credentialItem, tenantId, 'CREDENTIAL#'),
    addTenant: (item) => add({ ...item, ...items.added() }),
    addUser: (item) => add({ ...item, ...items.added() }),
    addCredential: (item) => add({ ...item, ...items.added() }),
    postponeCredential: (tenantId, credentialId, change) => items.postpone(tenantId, `CREDENTIAL#${credentialId}`, change),
    changeTenant: (item, changes) => items.change<TenantItem>(keyOf(item), item, changes),
    changeUser: (item, changes) => items.change<UserItem>(keyOf(item), item, changes),
    changeCredential: (item, changes) => items.change<CredentialItem>(keyOf(item), item, changes),
  };
}
