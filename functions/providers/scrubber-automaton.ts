/**
 * Finds patterns in a stream of bytes, one table look-up a byte: a deterministic automaton that is built as far as the stream needs it (Aho and others, "Compilers",
 * section 3.7: the subset construction, done lazily). Each character of a pattern may be written as it is, as `%HH` (RFC 3986), as `\u00HH` or, where JSON has
 * one, with its short escape (RFC 8259, section 7).
 */
import type { Pattern } from './scrubber-patterns.ts';

/** How far into an escape a thread is. `%H` and `\u00H` carry the digit read: 16 numbers each from here on. */
const progress = { none: 0, percent: 1, percentDigit: 2, backslash: 18, u: 19, u0: 20, u00: 21, u00Digit: 22 } as const;
/** A thread is a place in the patterns times this, plus its progress. */
const width = 64;
const longestEscape = 6;

const [percent, backslash, letterU, zero] = [0x25, 0x5c, 0x75, 0x30];
/** `"`, `\` and `/`: what `\` may stand before and mean the character itself. */
const shortEscapes: ReadonlySet<number> = new Set([0x22, 0x5c, 0x2f]);

/** A stream that visits more states than this is playing games; the table then starts anew. */
const mostStates = 2048;

/** Where a stream stands. */
export interface Cursor {
  /** The patterns that are under way. Not a state's number: the automaton is shared, and another stream may make it begin its table anew. */
  threads: readonly number[];
  /** No pattern that is under way began at a lower index of the bytes given. */
  earliest: number;
}

export interface Automaton {
  /** Bytes of the longest text that matches. */
  readonly longest: number;
  /** Reads `bytes` from `from` on; stops at the first byte that a pattern ends with and answers its index, else the length. Moves the cursor. */
  run(cursor: Cursor, bytes: Uint8Array, from: number): number;
  /** The least index from `from` on where a pattern begins that ends with the last byte of `bytes`; undefined when none does. */
  beginOfMatch(bytes: Uint8Array, from: number): number | undefined;
  /** The least index from `from` on where a pattern begins that what follows `bytes` could complete; its length when none does. */
  beginOfPartial(bytes: Uint8Array, from: number): number;
}

/** Entries of the table that are no state. */
const [unknown, found] = [-1, -2];

/** @param maxStates at least 2 */
export function createAutomaton(patterns: readonly Pattern[], maxStates = mostStates): Automaton {
  const places: (readonly number[] | 'end')[] = patterns.flatMap((pattern) => [...pattern, 'end' as const]);
  const begins: number[] = [];
  let offset = 0;
  for (const pattern of patterns) {
    begins.push(offset * width);
    offset += pattern.length + 1;
  }
  /** Threads by state; state 0 has none, because every pattern may begin at any byte anyway. */
  let states: (readonly number[])[] = [[]];
  let numbers = new Map<string, number>();
  /** 256 entries for each state. */
  let table = new Int32Array(64 * 256).fill(unknown);

  /** Where these threads are after one more byte; `found` when one of them has reached the end of its pattern. */
  function advance(threads: readonly number[], byte: number): readonly number[] | 'found' {
    const after = new Set<number>();
    for (const thread of threads) {
      const place = Math.floor(thread / width);
      const bytes = places[place];
      if (bytes === undefined || bytes === 'end') continue;
      const { goOn, whole } = step(thread % width, byte, bytes);
      if (goOn !== undefined) after.add(place * width + goOn);
      if (!whole) continue;
      if (places[place + 1] === 'end') return 'found';
      after.add((place + 1) * width);
    }
    return [...after].sort((a, b) => a - b);
  }

  function numberOf(threads: readonly number[]): number {
    if (threads.length === 0) return 0;
    const key = threads.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const made = states.length;
    states.push(threads);
    numbers.set(key, made);
    if (states.length * 256 > table.length) {
      const larger = new Int32Array(table.length * 2).fill(unknown);
      larger.set(table);
      table = larger;
    }
    return made;
  }

  /** Fills in a transition. When there are too many states, begins anew with the two that are needed. */
  function learn(state: number, byte: number): number {
    const threads = states[state] ?? [];
    const after = advance([...begins, ...threads], byte);
    if (states.length >= maxStates) {
      states = [[]];
      numbers = new Map();
      table.fill(unknown);
    }
    const next = after === 'found' ? found : numberOf(after);
    table[numberOf(threads) * 256 + byte] = next;
    return next;
  }

  /** Runs from `from` with no other begin. Answers at which index a pattern ended, or whether one is still under way. */
  function runFrom(bytes: Uint8Array, from: number): number | 'alive' | 'dead' {
    let threads: readonly number[] = begins;
    for (let index = from; index < bytes.length; index += 1) {
      const after = advance(threads, bytes[index] ?? 0);
      if (after === 'found') return index;
      if (after.length === 0) return 'dead';
      threads = after;
    }
    return 'alive';
  }

  return {
    longest: Math.max(0, ...patterns.map((pattern) => pattern.length)) * longestEscape,
    run(cursor, bytes, from) {
      let state = numberOf(cursor.threads);
      let earliest = cursor.earliest;
      let index = from;
      for (; index < bytes.length; index += 1) {
        const byte = bytes[index] ?? 0;
        let next = table[state * 256 + byte] ?? unknown;
        if (next === unknown) next = learn(state, byte);
        if (next === found) {
          state = 0;
          break;
        }
        state = next;
        if (state === 0) earliest = index + 1;
      }
      cursor.threads = states[state] ?? [];
      cursor.earliest = earliest;
      return index;
    },
    beginOfMatch(bytes, from) {
      for (let index = from; index < bytes.length; index += 1) if (runFrom(bytes, index) === bytes.length - 1) return index;
      return undefined;
    },
    beginOfPartial(bytes, from) {
      for (let index = from; index < bytes.length; index += 1) if (runFrom(bytes, index) === 'alive') return index;
      return bytes.length;
    },
  };
}

/** One byte at one place: `whole` when it completes a character that may stand here, `goOn` when it is part of an escape. */
function step(at: number, byte: number, bytes: readonly number[]): { goOn?: number; whole: boolean } {
  if (at === progress.none) {
    const whole = bytes.includes(byte);
    if (byte === percent) return { goOn: progress.percent, whole };
    if (byte === backslash) return { goOn: progress.backslash, whole };
    return { whole };
  }
  if (at === progress.backslash) {
    const whole = shortEscapes.has(byte) && bytes.includes(byte);
    return byte === letterU ? { goOn: progress.u, whole } : { whole };
  }
  if (at === progress.u || at === progress.u0) return byte === zero ? { goOn: at + 1, whole: false } : { whole: false };
  const digit = digitOf(byte);
  if (digit === undefined) return { whole: false };
  if (at === progress.percent) return { goOn: progress.percentDigit + digit, whole: false };
  if (at === progress.u00) return { goOn: progress.u00Digit + digit, whole: false };
  const high = at >= progress.u00Digit ? at - progress.u00Digit : at - progress.percentDigit;
  return { whole: bytes.includes(high * 16 + digit) };
}

/** Of a hexadecimal digit in either case. */
function digitOf(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}
