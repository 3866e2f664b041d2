import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginnings, quietMs, sharedLimit, spanMs } from '../../../functions/isolation/limits/decide-shared.ts';
import { areTogether, togetherMs, windowOf } from '../../../functions/isolation/limits/together.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const minutes = (...all: readonly number[]): number[] => all.map((minute) => start + minute * 60_000);
/** A bad moment: throttled at `at`, and again each few seconds for so long. */
const bout = (at: number, lastsMs: number, everyMs = 5000): number[] =>
  Array.from({ length: Math.floor(lastsMs / everyMs) + 1 }, (_, index) => at + index * everyMs);
const later = (times: readonly number[], ms: number): number[] => times.map((at) => at + ms);
/** Nothing about them keeps time. */
const irregular = minutes(1, 9.3, 22.7, 31.2, 52.9);

describe('T4 two tenants that are throttled', () => {
  it.each<[string, number[], number[]]>([
    ['never', [], []],
    ['one of them never', irregular, []],
    ['twice together', minutes(1, 40), minutes(1, 40)],
    ['three times within ten minutes, which chance does too', minutes(1, 4.2, 10.9), minutes(1, 4.2, 10.9)],
    ['at other times', irregular, later(irregular, 20_000)],
    ['a little more than five seconds apart', irregular, later(irregular, togetherMs + 1)],
    ['together, but more than an hour ago', [...irregular, start + 2 * spanMs], irregular],
    ['for the whole hour', bout(start, spanMs - 1), bout(start + 700, spanMs - 1)],
    ['in one long bad moment', bout(start, 600_000), bout(start, 600_000)],
    [
      'together three times in twelve',
      minutes(1, 9.3, 22.7, 30, 32, 34, 36, 38, 41, 44, 47, 50),
      minutes(1, 9.3, 22.7, 31, 33, 35, 37, 40, 43, 46, 49, 52),
    ],
    ['at each quarter of an hour', minutes(0, 15, 30, 45, 59.9), minutes(0, 15, 30, 45)],
    ['at every fifth minute', minutes(0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55), minutes(0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55)],
  ])('are no pair when it happens to them %s', (_when, first, second) => {
    expect(sharedLimit(first, second)).toBeUndefined();
    expect(sharedLimit(second, first)).toBeUndefined();
  });

  it('are a pair when they begin together time after time, within five seconds of each other', () => {
    const other = later(irregular, togetherMs);
    const found = sharedLimit(irregular, other);
    expect(found).toMatchObject({ together: 5, ofFirst: 5, ofSecond: 5, moments: irregular });
    expect(found?.chance).toBeLessThan(1e-6);
  });

  it('are a pair when three times in an hour is all there is of one of them, and each was the other’s', () => {
    const [few, many] = [minutes(0.5, 22.7, 59), [...minutes(0.5, 22.7, 59)]];
    expect(sharedLimit(few, many)).toMatchObject({ together: 3, ofFirst: 3 });
  });

  it('are no pair when most of what happens to them happens to each alone, however often it is both', () => {
    // One in each 140 seconds, nowhere in particular.
    const offs = fc.sample(fc.noBias(fc.integer({ min: 0, max: 79_000 })), { seed: 5, numRuns: 25 });
    const all = offs.map((off, index) => start + index * 140_000 + off);
    const of = (...own: readonly number[]): number[] => all.filter((_, index) => index % 3 === 0 || own.includes(index % 3));
    expect(sharedLimit(of(1), of(2))).toMatchObject({ together: 9, ofFirst: 17, ofSecond: 17 });
    expect(sharedLimit([...of(1).slice(1), start + 3_510_000], [...of(2).slice(1), start + 3_590_000])).toBeUndefined();
  });

  it('are a pair when one of them is throttled by itself as well', () => {
    expect(sharedLimit(irregular, [...irregular, ...minutes(5, 17, 44)])).toMatchObject({ together: 5, ofFirst: 5, ofSecond: 8 });
    expect(sharedLimit([...irregular, ...minutes(14, 27)], [...irregular, ...minutes(5, 44)])).toMatchObject({ together: 5 });
  });

  it('are a pair when the bad moments are long', () => {
    const long = irregular.flatMap((at) => bout(at, 120_000));
    expect(sharedLimit(long, later(irregular, 2000))).toMatchObject({ together: 5, ofFirst: 5 });
  });

  it('are not compared at moments at which everybody was throttled', () => {
    expect(sharedLimit(irregular, irregular, irregular.slice(0, 3))).toBeUndefined();
    expect(sharedLimit(irregular, irregular, minutes(45))).toMatchObject({ together: 5 });
  });

  it('begin anew only after a quiet minute, also when the hour began in the middle of it', () => {
    expect(beginnings([start + quietMs, start])).toEqual([start]);
    expect(beginnings([start, start + quietMs + 1])).toEqual([start, start + quietMs + 1]);
    const under = bout(start - 120_000, 240_000);
    const end = start + spanMs;
    expect(sharedLimit([...under, ...minutes(9.3, 31.2), end], [...under, ...minutes(9.3, 31.2), end])).toMatchObject({ ofFirst: 3 });
  });
});

describe('T4 windows of five seconds', () => {
  it('that slide: two times that are together are in one window, or in neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: togetherMs }), (at, apart) => {
        expect(areTogether(at, at + apart)).toBe(true);
        expect(windowOf(at + apart) - windowOf(at)).toBeLessThanOrEqual(1);
        expect(areTogether(at, at + togetherMs + 1 + apart)).toBe(false);
      }),
    );
  });
});

/** So many bad moments of a tenant by itself, somewhere in the part of the hour in which there is work. */
const ownTimes = (from: number, to: number) =>
  fc
    .array(fc.record({ at: fc.integer({ min: from, max: to }), lasts: fc.integer({ min: 0, max: 60_000 }) }), {
      minLength: 1,
      maxLength: 30,
    })
    .map((bouts) => bouts.flatMap(({ at, lasts }) => bout(at, lasts, 6000)));
/** Two tenants that are busy in the same part of an hour, and share nothing. */
const strangers = fc
  .record({ from: fc.integer({ min: 0, max: spanMs - 300_000 }), lasts: fc.integer({ min: 300_000, max: spanMs }) })
  .chain(({ from, lasts }) => {
    const [first, last] = [start + from, start + Math.min(from + lasts, spanMs)];
    return fc.tuple(ownTimes(first, last), ownTimes(first, last));
  });

describe('T4 over many hours', () => {
  it('two tenants that share nothing, however busy at the same time, are never a pair', () => {
    fc.assert(
      fc.property(fc.noBias(strangers), ([first, second]) => {
        expect(sharedLimit(first, second)).toBeUndefined();
      }),
      { numRuns: 20_000, seed: 4 },
    );
  });

  it('two tenants that share a limit are found in nine of ten hours in which it is used up six times or more', () => {
    let [hours, found] = [0, 0];
    const moments = fc.uniqueArray(fc.integer({ min: 0, max: 29 }), { minLength: 6, maxLength: 12 });
    const jitter = fc.array(fc.integer({ min: 0, max: togetherMs }), { minLength: 12, maxLength: 12 });
    const off = fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.noBias(fc.tuple(moments, off, jitter)), ([all, offs, jitters]) => {
        const first = all.map((moment, index) => start + moment * 120_000 + (offs[index] ?? 0));
        const second = first.map((at, index) => at + (jitters[index] ?? 0));
        hours += 1;
        if (sharedLimit(first, second) !== undefined) found += 1;
      }),
      { numRuns: 1000, seed: 4 },
    );
    expect(found / hours).toBeGreaterThan(0.9);
  });

  it('it does not matter in which order the times come, nor which tenant is named first', () => {
    const pairs = fc.oneof(strangers, fc.constant<[number[], number[]]>([irregular, later(irregular, 3000)]));
    fc.assert(
      fc.property(pairs, ([first, second]) => {
        const { moments: _, ...said } = sharedLimit(first, second) ?? { moments: [] };
        const { moments: __, ...mirrored } = sharedLimit(second.toReversed(), first.toReversed()) ?? { moments: [] };
        expect({ ...mirrored, ...('ofFirst' in mirrored && { ofFirst: mirrored.ofSecond, ofSecond: mirrored.ofFirst }) }).toEqual(said);
      }),
      { numRuns: 2000, seed: 4 },
    );
  });
});
