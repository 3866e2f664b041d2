import { afterEach, describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { everyNth, type FaultPoint, inFull, pointName } from '../support/fault-points.ts';
import type { Kind } from '../support/rotation-ending.ts';
import { openLab, wellPlayed } from '../support/rotation-flow.ts';
import { delaysOf } from '../support/troubled-line.ts';

const lab = await openLab(await testCloud());
const minuteMs = 60_000;

afterEach(() => lab.deliverEach('once'));

/** Every call of a rotation that nothing happens to. */
async function record(kind: Kind): Promise<{ readonly kind: Kind; readonly points: readonly FaultPoint[] }> {
  expect(await lab.play(await lab.take(kind))).toEqual(wellPlayed(kind));
  return { kind, points: [...lab.line.calls] };
}

/** `npm run faults` goes through the others too. */
const recorded = [await record('overlap'), ...(inFull ? [await record('emergency'), await record('two-slot')] : [])];

describe('R7 two workers at once', () => {
  it.each(['overlap', 'emergency', 'two-slot', 'customer-next'] as const)('make one key between them (%s)', async (kind) => {
    // Who is first where differs from time to time.
    for (let time = 0; time < (inFull ? 8 : 2); time += 1) {
      lab.deliverEach('to two workers at once');
      expect(await lab.play(await lab.take(kind))).toEqual(wellPlayed(kind));
    }
  });

  it.each(['overlap', 'emergency', 'two-slot', 'customer-next'] as const)(
    'or one after the other change nothing twice (%s)',
    async (kind) => {
      lab.deliverEach('twice');
      expect(await lab.play(await lab.take(kind))).toEqual(wellPlayed(kind));
    },
  );
});

describe.each(recorded)('R7 a worker ($kind) that is held up past its lease, while another takes over', ({ kind, points }) => {
  const late = [
    ...(inFull || kind === 'emergency' ? [{ past: 'by three minutes', ms: 5 * minuteMs }] : []),
    // Without grace three minutes are enough for that.
    ...(kind === 'emergency' ? [] : [{ past: 'until the rotation is over', ms: 50 * minuteMs }]),
  ];
  /** A slot is renewed in place: a request that reaches the provider only after the other worker has put its key into that slot ends it, and it is replaced at once. */
  const mayEndTheLiveOne = ({ action }: FaultPoint): boolean => action.endsWith('/regenerateKey');

  for (const point of everyNth(points, 2)) {
    for (const effect of delaysOf(point)) {
      for (const { past, ms } of late) {
        it(`leaves one live key, the one in force, when ${pointName(point)} ${effect} ${past}`, async () => {
          const course = await lab.take(kind);
          const ending = await lab.play(course, [{ point, effect, meanwhile: () => lab.othersGoOn(course, ms) }]);
          expect(lab.line.waiting, 'it was held up').toEqual([]);
          const excused = mayEndTheLiveOne(point) && effect === 'is held up' ? { missteps: expect.any(Array) } : {};
          expect(ending).toEqual({ ...wellPlayed(kind), ...excused });
        });
      }
    }
  }
});
