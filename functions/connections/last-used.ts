import type { Clock } from '../shared/clock.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { KnownCredential, TenantView } from './tenant-view.ts';

/** Each day is a partition of its own, so that the search has to end somewhere. Today counts. */
export const lastUsedDays = 30;
const dayMs = 86_400_000;
/** Credentials whose earlier days are remembered. */
const capacity = 2000;

/** ISO 8601; undefined when there was no use within the last 30 days. */
export type LastUsed = (
  tenantId: TenantId,
  view: Pick<TenantView, 'newestUse'>,
  credential: Pick<KnownCredential, 'credentialId' | 'createdAt'>,
) => Promise<string | undefined>;

/**
 * Finds when a credential was last used, by the newest entry of its index. Days that are over do not change: they are searched once a day and remembered, so that a
 * page that looks every few seconds costs one query per credential.
 */
export function createLastUsed(clock: Clock): LastUsed {
  const earlier = createExpiringCache<string | undefined>({ clock, capacity, marginMs: 0 });
  return async (tenantId, view, { credentialId, createdAt }) => {
    const today = Math.floor(clock() / dayMs);
    const now = await view.newestUse(credentialId, dayText(today));
    if (now !== undefined) return now;
    return earlier.get(`${tenantId}|${credentialId}|${today}`, async () => {
      const first = Math.max(Math.floor(Date.parse(createdAt) / dayMs), today - lastUsedDays + 1);
      let found: string | undefined;
      for (let day = today - 1; day >= first && found === undefined; day -= 1) found = await view.newestUse(credentialId, dayText(day));
      return { value: found, expiresAt: (today + 1) * dayMs };
    });
  };
}

/** @param day days since the epoch */
function dayText(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
