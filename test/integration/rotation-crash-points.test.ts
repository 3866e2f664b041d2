import { describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { everyNth, inFull, pointName } from '../support/fault-points.ts';
import type { Kind } from '../support/rotation-ending.ts';
import { openLab, wellPlayed } from '../support/rotation-flow.ts';
import { effectsOn, type Trouble } from '../support/troubled-line.ts';

const lab = await openLab(await testCloud());

/** Plays the rotation once. Each of its calls, and each thing that can happen to it, is a trouble. */
async function record(kind: Kind): Promise<{ readonly kind: Kind; readonly troubles: readonly Trouble[] }> {
  expect(await lab.play(await lab.take(kind))).toEqual(wellPlayed(kind));
  return { kind, troubles: lab.line.calls.flatMap((point) => effectsOn(point).map((effect) => ({ point, effect }))) };
}

/** An emergency makes the same calls without the waiting between: `npm run faults` goes through those too. */
const recorded = [await record('overlap'), ...(inFull ? [await record('emergency')] : [])];

describe.each(recorded)('R7 a rotation ($kind) with something going wrong at one call', ({ kind, troubles }) => {
  it('is met at every call', () => {
    const met = (service: string) => troubles.filter(({ point }) => point.service === service).length;
    expect(troubles.length).toBeGreaterThan(120);
    for (const service of ['dynamodb', 'events', 'openai', 'secretsmanager', 'sts']) expect(met(service)).toBeGreaterThan(1);
  });

  for (const trouble of everyNth(troubles, 5)) {
    it(`ends with one live key, the old one dead and nothing left over when ${pointName(trouble.point)} ${trouble.effect}`, async () => {
      const ending = await lab.play(await lab.take(kind), [trouble]);
      expect(lab.line.waiting, 'the trouble came').toEqual([]);
      expect(ending).toEqual(wellPlayed(kind));
    });
  }
});
