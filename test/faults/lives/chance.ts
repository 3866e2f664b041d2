import { seeded } from '../sample.ts';

/** All that is left to chance in a run, by its seed. */
export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  uuid(): string;
  /** Begins anew. */
  restart(seed: number): void;
}

export function createChance(seed: number): Chance {
  let draw = seeded(seed);
  return {
    next: () => draw(),
    uuid() {
      const hex = Array.from({ length: 32 }, () => Math.floor(draw() * 16).toString(16)).join('');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
    },
    restart(another) {
      draw = seeded(another);
    },
  };
}
