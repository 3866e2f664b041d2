import type { DueItem } from './due-item.ts';

/** What is due in one lane. */
export interface DueLane {
  readonly items: readonly DueItem[];
  /** Items that one run sends of this lane at most. */
  readonly maxPerRun: number;
}

export interface SendBounds {
  /** Items in all. */
  readonly room: number;
  /** Items of each tenant, whichever lanes they are in. */
  readonly perTenant: number;
  /** A number that rises by one from run to run: which lane comes first, so that scarce room is not always the same one's. */
  readonly turn: number;
}

/**
 * Which of the due items are sent now. Lanes take turns, so that none waits for what piles up in another; and so do the tenants within a lane: one with a thousand due
 * items takes no more room than one with ten. The longest due comes first, of the tenants of a lane and of each one's items. Pure.
 */
export function planSends(lanes: readonly DueLane[], { room, perTenant, turn }: SendBounds): DueItem[] {
  const waiting = lanes
    .filter(({ items }) => items.length > 0)
    .map(({ items, maxPerRun }) => ({ items: byTurns(items), next: 0, left: maxPerRun }));
  const first = waiting.length === 0 ? 0 : turn % waiting.length;
  let open = [...waiting.slice(first), ...waiting.slice(0, first)];
  const ofTenant = new Map<string, number>();
  const planned: DueItem[] = [];
  while (open.length > 0) {
    open = open.filter((lane) => {
      const taken = (tenantId: string): number => ofTenant.get(tenantId) ?? 0;
      // Who is passed over has had its share, and has it in the rest of this run.
      const item = nextOf(lane, ({ tenantId }) => taken(tenantId) < perTenant);
      if (item === undefined || planned.length >= room || lane.left === 0) return false;
      planned.push(item);
      ofTenant.set(item.tenantId, taken(item.tenantId) + 1);
      lane.left -= 1;
      return true;
    });
  }
  return planned;
}

/** One item of each tenant, then the second of each, and so on. */
function byTurns(items: readonly DueItem[]): DueItem[] {
  const byTenant = new Map<string, DueItem[]>();
  for (const item of [...items].sort((a, b) => a.dueAt - b.dueAt || (a.sk < b.sk ? -1 : 1))) {
    const own = byTenant.get(item.tenantId) ?? [];
    own.push(item);
    byTenant.set(item.tenantId, own);
  }
  const turns = [...byTenant.values()];
  const rounds = Math.max(0, ...turns.map((own) => own.length));
  return Array.from({ length: rounds }, (_, round) => turns.flatMap((own) => own[round] ?? [])).flat();
}

/** The next one that may be sent; those before it are not looked at again. */
function nextOf(lane: { readonly items: readonly DueItem[]; next: number }, may: (item: DueItem) => boolean): DueItem | undefined {
  while (lane.next < lane.items.length) {
    const item = lane.items[lane.next];
    lane.next += 1;
    if (item !== undefined && may(item)) return item;
  }
  return undefined;
}
