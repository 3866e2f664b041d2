import type { Clock, NextId } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { CredentialItem, Registry, RegistryItem, TenantItem, UserItem } from '../../../functions/tenants/registry.ts';
import { demandsOf } from '../../../functions/tenants/registry-demands.ts';

/** The registry of one tenant in memory. */
export function createMemoryRegistry({
  clock,
  nextId,
  tombstones = new Set(),
}: {
  clock: Clock;
  nextId: NextId;
  /** What was revoked before it came to be, e.g. `acme#REVOKED#USER#…`. */
  tombstones?: ReadonlySet<string>;
}): Registry {
  const tenants = new Map<string, TenantItem>();
  const users = new Map<string, UserItem>();
  const credentials = new Map<string, CredentialItem>();
  const now = (): string => new Date(clock()).toISOString();
  const added = () => ({ version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() });

  function statusOf(tenantId: string, sk: string): string | undefined {
    if (sk === 'TENANT') return tenants.get(tenantId)?.status;
    return users.get(`${tenantId}#${sk.slice('USER#'.length)}`)?.status;
  }

  function add<Item extends RegistryItem>(items: Map<string, Item>, key: string, item: Item): Item {
    for (const { demand, sk, unmet } of demandsOf(item)) {
      const isMet =
        typeof demand === 'string' ? !tombstones.has(`${item.tenantId}#${sk}`) : demand.status.includes(statusOf(item.tenantId, sk) ?? '');
      if (!isMet) throw unmet;
    }
    if (items.has(key)) throw new CordonError('CONFLICT', 'the item exists', { retryable: true });
    items.set(key, structuredClone(item));
    return item;
  }

  function change<Item extends RegistryItem>(items: Map<string, Item>, key: string, item: Item, changes: Partial<Item>): Item {
    if (items.get(key)?.version !== item.version) throw new CordonError('CONFLICT', 'the item was changed', { retryable: true });
    const changed = { ...item, ...changes, version: item.version + 1, writeId: nextId(), updatedAt: now() };
    items.set(key, structuredClone(changed));
    return changed;
  }

  return {
    tenant: async (tenantId) => structuredClone(tenants.get(tenantId)),
    user: async (tenantId, userId) => structuredClone(users.get(`${tenantId}#${userId}`)),
    isBuried: async (tenantId, { userId, agentId, sessionId }) =>
      [`USER#${userId}`, `AGENT#${agentId}`, `SESSION#${sessionId}`].some((name) => tombstones.has(`${tenantId}#REVOKED#${name}`)),
    credential: async (tenantId, credentialId) => structuredClone(credentials.get(`${tenantId}#${credentialId}`)),
    credentials: async (tenantId) =>
      [...credentials.values()]
        .filter((item) => item.tenantId === tenantId)
        .sort((a, b) => (a.credentialId < b.credentialId ? -1 : 1))
        .map((item) => structuredClone(item)),
    addTenant: async (item) => add(tenants, item.tenantId, { ...item, ...added() }),
    addUser: async (item) => add(users, `${item.tenantId}#${item.userId}`, { ...item, ...added() }),
    addCredential: async (item) => add(credentials, `${item.tenantId}#${item.credentialId}`, { ...item, ...added() }),
    async postponeCredential(tenantId, credentialId, { dueAt, until }) {
      const item = credentials.get(`${tenantId}#${credentialId}`);
      if (item?.dueAt !== dueAt) return false;
      credentials.set(`${tenantId}#${credentialId}`, { ...item, dueAt: until });
      return true;
    },
    changeTenant: async (item, changes) => change<TenantItem>(tenants, item.tenantId, item, changes),
    changeUser: async (item, changes) => change<UserItem>(users, `${item.tenantId}#${item.userId}`, item, changes),
    changeCredential: async (item, changes) => change<CredentialItem>(credentials, `${item.tenantId}#${item.credentialId}`, item, changes),
  };
}
