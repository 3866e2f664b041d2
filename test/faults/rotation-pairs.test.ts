import { describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { type FaultPoint, pointName } from '../support/fault-points.ts';
import type { Kind } from '../support/rotation-ending.ts';
import { openLab, wellPlayed } from '../support/rotation-flow.ts';
import { effectsOn, type Trouble } from '../support/troubled-line.ts';
import { campaignSettings, oneOf, seeded } from './sample.ts';

const lab = await openLab(await testCloud());
const { seed, count } = campaignSettings(process.env);
const random = seeded(seed);
const kinds: readonly Kind[] = ['overlap', 'two-slot', 'customer-next'];

/** Every call of a rotation that nothing happens to. */
async function record(kind: Kind): Promise<readonly FaultPoint[]> {
  expect(await lab.play(await lab.take(kind))).toEqual(wellPlayed(kind));
  return [...lab.line.calls];
}

/** A trouble anywhere. */
function troubleAt(points: readonly FaultPoint[]): Trouble {
  const point = oneOf(points, random);
  return { point, effect: oneOf(effectsOn(point), random) };
}

/**
 * The second comes in the run that the first has changed: it meets the call of that number there, which may be a repetition. Whether it is met depends on how the
 * first ends, so that only the first must be.
 */
const recorded = new Map<Kind, readonly FaultPoint[]>();
for (const kind of kinds) recorded.set(kind, await record(kind));
const pairs = Array.from({ length: count }, (_, index) => {
  const kind = kinds[index % kinds.length] ?? 'overlap';
  const points = recorded.get(kind) ?? [];
  const [a, b] = [troubleAt(points), troubleAt(points)];
  return { kind, troubles: pointName(a.point) === pointName(b.point) ? [a] : [a, b] };
});

describe(`R7 rotations with two things going wrong (SEED=${seed} COUNT=${count})`, () => {
  for (const [index, { kind, troubles }] of pairs.entries()) {
    const what = troubles.map(({ point, effect }) => `${pointName(point)} ${effect}`).join(', and ');
    it(`${index + 1}. ${kind}: ends with one live key, the old one dead and nothing left over when ${what}`, async () => {
      const ending = await lab.play(await lab.take(kind), troubles).catch((error: unknown) => {
        throw new Error(`To be repeated by SEED=${seed} COUNT=${count}: ${what}`, { cause: error });
      });
      expect(lab.line.waiting.length, 'one of them came at least').toBeLessThan(troubles.length);
      expect(ending, `to be repeated by SEED=${seed} COUNT=${count}: ${what}`).toEqual(wellPlayed(kind));
    });
  }
});

describe('R7 rotations with one thing going wrong', () => {
  // Those of the openai credential are in `npm test`.
  for (const kind of ['two-slot', 'customer-next'] as const) {
    for (const trouble of (recorded.get(kind) ?? []).flatMap((point) => effectsOn(point).map((effect): Trouble => ({ point, effect })))) {
      it(`${kind}: ends well when ${pointName(trouble.point)} ${trouble.effect}`, async () => {
        const ending = await lab.play(await lab.take(kind), [trouble]);
        expect(lab.line.waiting, 'the trouble came').toEqual([]);
        expect(ending).toEqual(wellPlayed(kind));
      });
    }
  }
});
