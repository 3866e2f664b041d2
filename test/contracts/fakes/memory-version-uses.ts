import { decodeTime } from 'ulid';
import { drainMs, type VersionUses } from '../../../functions/attribution/version-uses.ts';
import type { Clock } from '../../../functions/shared/clock.ts';
import type { MemoryAttributionStore } from './memory-attribution-store.ts';

const dayMs = 86_400_000;

/** Uses as the entries of a log in memory tell of them. */
export function createMemoryVersionUses(store: Pick<MemoryAttributionStore, 'all'>, clock: Clock): VersionUses {
  return {
    async usesOf(tenantId, credentialId, versionId, since) {
      const now = clock();
      const from = Math.max(since, (Math.floor(now / dayMs) - 1) * dayMs);
      const uses = store.all.filter(
        (entry) =>
          entry.tenantId === tenantId &&
          entry.credentialId === credentialId &&
          entry.operation === 'provider.call' &&
          (entry.credentialVersion ?? versionId) === versionId &&
          decodeTime(entry.id) >= from,
      );
      const outcomes = new Map(uses.flatMap((entry) => (entry.kind === 'OUTCOME' ? [[entry.id, entry.outcome] as const] : [])));
      const ids = [...new Set(uses.map(({ id }) => id))].filter((id) => outcomes.get(id)?.code !== 'CREDENTIAL_CHANGED');
      const lastAt = ids.length === 0 ? undefined : Math.max(...ids.map(decodeTime));
      const open = ids.some((id) => !outcomes.has(id) && now - decodeTime(id) < drainMs);
      return { ...(lastAt !== undefined && { lastAt }), open, complete: true };
    },
  };
}
