import type { Clock } from './clock.ts';

export interface Loaded<Value> {
  readonly value: Value;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface ExpiringCache<Value> {
  /** The value under `key`, loaded when there is none that lasts. Concurrent asks for one key share one load; a failed load is not kept. */
  get(key: string, load: () => Promise<Loaded<Value>>): Promise<Value>;
  /** Drops what was asked for before `askedBefore` (milliseconds since the epoch) under a key that fits; whoever waits for it still gets it. */
  forget(fits: (key: string) => boolean, askedBefore: number): void;
}

interface Slot<Value> {
  readonly loading: Promise<Loaded<Value>>;
  readonly askedAt: number;
  /** Undefined while loading. */
  expiresAt: number | undefined;
}

/**
 * A bounded cache; the least recently used entry goes first. An entry is used until `marginMs` before it expires, so that whoever gets it
 * still has that long to use it.
 */
export function createExpiringCache<Value>(options: { clock: Clock; capacity: number; marginMs: number }): ExpiringCache<Value> {
  const slots = new Map<string, Slot<Value>>();
  return {
    async get(key, load) {
      const found = slots.get(key);
      if (found && (found.expiresAt === undefined || options.clock() < found.expiresAt - options.marginMs)) {
        slots.delete(key);
        slots.set(key, found);
        return (await found.loading).value;
      }
      const slot: Slot<Value> = { askedAt: options.clock(), loading: load(), expiresAt: undefined };
      slots.delete(key);
      slots.set(key, slot);
      for (const oldest of slots.keys()) {
        if (slots.size <= options.capacity) break;
        slots.delete(oldest);
      }
      try {
        const loaded = await slot.loading;
        slot.expiresAt = loaded.expiresAt;
        return loaded.value;
      } catch (error) {
        if (slots.get(key) === slot) slots.delete(key);
        throw error;
      }
    },
    forget(fits, askedBefore) {
      for (const [key, { askedAt }] of slots) if (askedAt < askedBefore && fits(key)) slots.delete(key);
    },
  };
}
