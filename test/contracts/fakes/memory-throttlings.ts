import type { Pair, Tellings, Throttling, Throttlings } from '../../../functions/isolation/limits/throttlings.ts';
import { togetherMs, windowOf } from '../../../functions/isolation/limits/together.ts';

export function createMemoryThrottlings(): Throttlings {
  const kept = new Map<string, Throttling>();
  const all = (provider: string, from: number, to: number): Throttling[] =>
    [...kept.values()].filter((one) => one.provider === provider && from <= one.at && one.at <= to).sort((a, b) => a.at - b.at);
  return {
    async keep(throttling) {
      const key = `${throttling.tenantId}#${throttling.provider}#${windowOf(throttling.at) * togetherMs}`;
      if (!kept.has(key)) kept.set(key, throttling);
    },
    of: async (tenantId, provider, { from, to }) => all(provider, from, to).filter((one) => one.tenantId === tenantId),
    ofAll: async (provider, { from, to }) => all(provider, from, to),
  };
}

export function createMemoryTellings(clock: () => number): Tellings {
  const taken = new Map<string, { by: string; at: number; told: boolean }>();
  const keyOf = (pair: Pair, provider: string, day: string): string => `${pair.join('#')}#${provider}#${day}`;
  return {
    async take(pair, provider, day, by) {
      const key = keyOf(pair, provider, day);
      const found = taken.get(key);
      if (found !== undefined && (found.told || (found.by !== by && clock() - found.at <= 600_000))) return false;
      taken.set(key, { by, at: clock(), told: false });
      return true;
    },
    async told(pair, provider, day) {
      const found = taken.get(keyOf(pair, provider, day));
      if (found !== undefined) found.told = true;
    },
  };
}
