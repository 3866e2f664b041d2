import type { AttributionEntry } from '../../../functions/attribution/attribution-entry.ts';
import { dayOf } from '../../../functions/attribution/attribution-item.ts';
import type { AttributionQuery, AttributionStore } from '../../../functions/attribution/attribution-store.ts';

export interface MemoryAttributionStore extends AttributionStore {
  /** Everything recorded, in the order of recording. */
  readonly all: readonly AttributionEntry[];
}

/** The attribution log in memory. */
export function createMemoryAttributionStore(): MemoryAttributionStore {
  const all = new Map<string, AttributionEntry>();
  const isOf = (entry: AttributionEntry, of: AttributionQuery['of']): boolean => {
    if (of === undefined) return true;
    if ('credentialId' in of) return entry.credentialId === of.credentialId;
    if ('userId' in of) return entry.actor.userId === of.userId;
    return entry.actor.sessionId === of.sessionId;
  };
  return {
    get all() {
      return [...all.values()];
    },
    async record(entry) {
      const key = `${entry.tenantId} ${entry.id} ${entry.kind}`;
      if (!all.has(key)) all.set(key, structuredClone(entry));
    },
    async entries(query) {
      return [...all.values()]
        .filter((entry) => entry.tenantId === query.tenantId && dayOf(entry.id) === query.day && isOf(entry, query.of))
        .sort((a, b) => (`${a.id}${a.kind}` < `${b.id}${b.kind}` ? -1 : 1));
    },
  };
}
