import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import type { DueItem } from '../../../functions/sweep/due-item.ts';

export const now = 1_000_000;

/** One due item, e.g. `CONNECTION#7` of a tenant. */
export function dueItem(tenant: string, id: number | string, dueAt = now, kind = 'CONNECTION'): DueItem {
  return { tenantId: tenantId.parse(tenant), sk: `${kind}#${id}`, dueAt };
}

/** So many of one tenant, each due a millisecond later than the one before. */
export function dueItems(tenant: string, count: number, dueAt = now, kind = 'CONNECTION'): DueItem[] {
  return Array.from({ length: count }, (_, n) => dueItem(tenant, n, dueAt + n, kind));
}
