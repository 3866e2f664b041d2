/** What can go wrong in a life, from the calls and deliveries of one in which nothing did. */
import { type FaultPoint, pointName } from '../../support/fault-points.ts';
import { effectsOn } from '../../support/troubled-line.ts';
import { oneOf } from '../sample.ts';
import { deliveryEffects } from './mail.ts';
import type { Lived, Wrong } from './play.ts';

type Recorded = Pick<Lived, 'calls' | 'deliveries'>;

/** The sweep asks every shard the same at once: the first of such a row stands for it, and every eighth. */
function inRows(calls: readonly FaultPoint[]): readonly FaultPoint[] {
  let row = 0;
  return calls.filter(({ action }, index) => {
    row = action === 'Query' && calls[index - 1]?.action === 'Query' ? row + 1 : 0;
    return row % 8 === 0;
  });
}

/** Everything that can go wrong once. */
export function singlesOf({ calls, deliveries }: Recorded): readonly Wrong[] {
  return [
    ...inRows(calls).flatMap((point) => effectsOn(point).map((effect): Wrong => ({ point, effect }))),
    ...deliveries.flatMap((point) => deliveryEffects.map((effect): Wrong => ({ point, effect }))),
  ];
}

/** So many of them, each at a call of its own. */
export function severalOf(recorded: Recorded, count: number, random: () => number): readonly Wrong[] {
  const singles = singlesOf(recorded);
  const chosen = new Map<string, Wrong>();
  while (chosen.size < Math.min(count, singles.length / 8)) {
    const wrong = oneOf(singles, random);
    chosen.set(pointName(wrong.point), wrong);
  }
  return [...chosen.values()];
}

/** `dynamodb UpdateItem 3 kills`. */
export const wrongName = ({ point, effect }: Wrong): string => `${pointName(point)} ${effect}`;
