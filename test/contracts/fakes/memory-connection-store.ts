import type { Connection } from '../../../functions/byoc/connection.ts';
import type { ConnectionStore } from '../../../functions/byoc/connection-store.ts';
import type { Clock, NextId } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';

export interface MemoryConnectionStore extends ConnectionStore {
  /** Every connection of every tenant, as it is kept. */
  readonly all: readonly Connection[];
}

/** Connections in memory. */
export function createMemoryConnectionStore({ clock, nextId }: { clock: Clock; nextId: NextId }): MemoryConnectionStore {
  const items = new Map<string, Connection>();
  const keyOf = (tenantId: string, customerAccountId: string): string => `${tenantId}#${customerAccountId}`;
  const now = (): string => new Date(clock()).toISOString();
  const conflict = (message: string): CordonError => new CordonError('CONFLICT', message, { retryable: true });
  const keep = (item: Connection): Connection => {
    items.set(keyOf(item.tenantId, item.customerAccountId), structuredClone(item));
    return item;
  };
  return {
    get all() {
      return [...items.values()];
    },
    connection: async (tenantId, customerAccountId) => structuredClone(items.get(keyOf(tenantId, customerAccountId))),
    connections: async (tenantId) =>
      [...items.values()]
        .filter((item) => item.tenantId === tenantId)
        .sort((a, b) => (a.customerAccountId < b.customerAccountId ? -1 : 1))
        .map((item) => structuredClone(item)),
    async addConnection(item) {
      if (items.has(keyOf(item.tenantId, item.customerAccountId))) throw conflict('the item exists');
      return keep({ ...item, version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() });
    },
    async changeConnection(item, change) {
      if (items.get(keyOf(item.tenantId, item.customerAccountId))?.version !== item.version) throw conflict('the item was changed');
      return keep({ ...item, ...change, version: item.version + 1, writeId: nextId(), updatedAt: now() });
    },
    async postpone(tenantId, customerAccountId, { dueAt, until }) {
      const item = items.get(keyOf(tenantId, customerAccountId));
      if (item?.dueAt !== dueAt) return false;
      keep({ ...item, dueAt: until });
      return true;
    },
  };
}
