import type { BlastRadius } from '../blast-radius/blast-radius.ts';
import type { Level } from '../blast-radius/level.ts';
import type { Row } from '../blast-radius/reach.ts';
import { fieldLines, tableLines } from '../table.ts';

const words: Readonly<Record<Level, string>> = { none: '-', one: 'one', callers: 'callers’', all: 'all' };

export interface Grouped {
  readonly things: readonly string[];
  readonly verbs: readonly string[];
  readonly tenants: Level;
  readonly through: string;
  readonly asks: readonly string[];
}

/** Rows that differ in the thing alone, as one: by what may be done with them and how, the widest first. */
export function grouped(rows: readonly Row[]): readonly Grouped[] {
  const groups = new Map<string, Grouped & { things: string[] }>();
  for (const { thing, verbs, tenants, through, asks } of rows) {
    const key = JSON.stringify([verbs, tenants, through, asks]);
    const group = groups.get(key) ?? { things: [], verbs, tenants, through, asks };
    group.things.push(thing);
    groups.set(key, group);
  }
  const order: readonly Level[] = ['all', 'callers', 'one', 'none'];
  return [...groups.values()].sort((a, b) => order.indexOf(a.tenants) - order.indexOf(b.tenants));
}

export function blastRadiusLines(radius: BlastRadius): readonly string[] {
  const { kind, subject, tenants, itself, secrets, rows } = radius;
  return [
    ...fieldLines({
      [kind]: subject,
      tenants: words[tenants],
      'without asking a function': words[itself],
      'values of secrets': words[secrets],
    }),
    '',
    ...tableLines(
      ['TENANTS', 'MAY', 'WHAT', 'THROUGH', 'WHICH HAS ACT'],
      grouped(rows).flatMap((group) =>
        // One line for each thing, and what holds of all of them once.
        group.things.map((thing, at) =>
          at === 0 ? [words[group.tenants], group.verbs.join(', '), thing, group.through, group.asks.join(', ')] : ['', '', thing, '', ''],
        ),
      ),
    ),
  ];
}

/** Everybody at a glance, whoever reaches most first. */
export function overviewLines(radii: readonly BlastRadius[]): readonly string[] {
  const order: readonly Level[] = ['all', 'callers', 'one', 'none'];
  const rank = (one: BlastRadius): number => order.indexOf(one.itself) * 4 + order.indexOf(one.tenants);
  return tableLines(
    ['WHO', 'KIND', 'ITSELF', 'BY ASKING', 'VALUES OF SECRETS'],
    [...radii]
      .sort((a, b) => rank(a) - rank(b))
      .map((one) => [one.subject, one.kind, words[one.itself], words[one.tenants], words[one.secrets]]),
  );
}
