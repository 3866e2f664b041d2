import type { AttributionEntry } from '../../../functions/attribution/attribution-entry.ts';
import { dayOf } from '../../../functions/attribution/attribution-item.ts';
import type { AttributionPageQuery, AttributionPages } from '../../../functions/attribution/attribution-pages.ts';

/** The attribution log in memory, read a page at a time. */
export function createMemoryAttributionPages(): AttributionPages & { add(entry: AttributionEntry): void } {
  const all: AttributionEntry[] = [];
  const isOf = ({ credentialId, actor }: AttributionEntry, of: AttributionPageQuery['of']): boolean => {
    if (of === undefined) return true;
    if ('credentialId' in of) return credentialId === of.credentialId;
    if ('userId' in of) return actor.userId === of.userId;
    return actor.sessionId === of.sessionId;
  };
  return {
    add: (entry) => void all.push(structuredClone(entry)),
    async page({ tenantId, day, of, after, before, limit }) {
      const found = all
        .filter(
          (entry) => entry.tenantId === tenantId && dayOf(entry.id) === day && entry.id > after && entry.id < before && isOf(entry, of),
        )
        .sort((a, b) => (`${a.id}${a.kind}` < `${b.id}${b.kind}` ? -1 : 1));
      return { entries: found.slice(0, limit), more: found.length > limit };
    },
  };
}
