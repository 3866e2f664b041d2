import type { DueItem } from './due-item.ts';

/**
 * Which of the due items are sent now: at most `perTenant` of each tenant and `room` in all, by turns, so that a tenant with a thousand due items takes no more room
 * than one with ten. The longest due comes first, of the tenants and of each one's items. Pure.
 */
export function planSends(due: readonly DueItem[], { room, perTenant }: { readonly room: number; readonly perTenant: number }): DueItem[] {
  const byTenant = new Map<string, DueItem[]>();
  for (const item of [...due].sort((a, b) => a.dueAt - b.dueAt || (a.sk < b.sk ? -1 : 1))) {
    const items = byTenant.get(item.tenantId) ?? [];
    items.push(item);
    byTenant.set(item.tenantId, items);
  }
  const turns = [...byTenant.values()];
  const planned: DueItem[] = [];
  for (let round = 0; round < perTenant && planned.length < room; round += 1) {
    for (const items of turns) {
      const item = items[round];
      if (item !== undefined && planned.length < room) planned.push(item);
    }
  }
  return planned;
}
