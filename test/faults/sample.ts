import { randomInt } from 'node:crypto';
import { z } from 'zod';

const settings = z.object({
  SEED: z.coerce
    .number()
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(() => randomInt(2 ** 32)),
  COUNT: z.coerce.number().int().min(1).max(100_000).default(200),
});

/** What a campaign is repeated by: `SEED` and `COUNT` of the environment, or a seed of chance and 200. Throws when they are no numbers. */
export function campaignSettings(environment: Readonly<Record<string, string | undefined>>): {
  readonly seed: number;
  readonly count: number;
} {
  const { SEED: seed, COUNT: count } = settings.parse(environment);
  return { seed, count };
}

/** Numbers from 0 up to 1 that the seed decides. Mulberry32: one 32-bit word of state, which is plenty for choosing among thousands. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of them. Throws RangeError when there is none. */
export function oneOf<Value>(values: readonly Value[], random: () => number): Value {
  const found = values[Math.floor(random() * values.length)];
  if (found === undefined) throw new RangeError('There is nothing to choose from.');
  return found;
}
