/** Formulas about one request, and their SMT-LIB 2 text. */
import { classesOf, matches, type NameClass, type Pattern } from './names.ts';

/** `is`: the one value of a slot matches. `each` and `some`: of a slot's several values those that match, or do not. `present`: there is a value. */
export type Formula =
  | boolean
  | { readonly op: 'and'; readonly of: readonly Formula[] }
  | { readonly op: 'or'; readonly of: readonly Formula[] }
  | { readonly op: 'not'; readonly of: Formula }
  | { readonly op: 'present'; readonly slot: string }
  | { readonly op: 'is'; readonly slot: string; readonly test: number }
  | { readonly op: 'each'; readonly slot: string; readonly tests: readonly number[]; readonly negated: boolean }
  | { readonly op: 'some'; readonly slot: string; readonly tests: readonly number[]; readonly negated: boolean };

export function and(...of: readonly Formula[]): Formula {
  const left = of.filter((one) => one !== true);
  if (left.includes(false)) return false;
  return left.length > 1 ? { op: 'and', of: left } : (left[0] ?? true);
}
export function or(...of: readonly Formula[]): Formula {
  const left = of.filter((one) => one !== false);
  if (left.includes(true)) return true;
  return left.length > 1 ? { op: 'or', of: left } : (left[0] ?? false);
}
export function not(of: Formula): Formula {
  return typeof of === 'boolean' ? !of : { op: 'not', of };
}
export const implies = (when: Formula, then: Formula): Formula => or(not(when), then);

/** A test on a text that is no pattern, e.g. on a date; the texts on which such tests of a slot differ are given with them. */
export interface OtherTest {
  readonly key: string;
  readonly holds: (text: string) => boolean;
  readonly borders: readonly string[];
}

/** A part of the request that is not given: the action, the resource, or a condition key. */
export interface Slot {
  readonly several: boolean;
  /** Set for the resource and the action, which each request has. */
  readonly required: boolean;
  /** Texts that are preferred in examples. */
  readonly preferred: readonly string[];
  /** There are no texts but the preferred. */
  readonly closed?: boolean;
  readonly tests: (Pattern | OtherTest)[];
}

/** The slots that the formulas of one question speak of. */
export class Request {
  readonly slots = new Map<string, Slot>();

  declare(name: string, slot: Omit<Slot, 'tests'>): void {
    if (!this.slots.has(name)) this.slots.set(name, { ...slot, tests: [] });
  }

  /** The number of a test in its slot; the same test has one number. */
  test(name: string, test: Pattern | OtherTest): number {
    const slot = this.#slot(name);
    const index = slot.tests.findIndex(({ key }) => key === test.key);
    return index >= 0 ? index : slot.tests.push(test) - 1;
  }

  #slot(name: string): Slot {
    const slot = this.slots.get(name);
    if (slot === undefined) throw new Error(`nobody declared ${name}`);
    return slot;
  }

  /** What the patterns of a slot say to one text. */
  answers(name: string, text: string): readonly boolean[] {
    return this.#slot(name).tests.flatMap((test) => ('tokens' in test ? [matches(test, text)] : []));
  }

  /** Every kind of value that the slot may have, told apart by its tests. */
  classes(name: string): readonly NameClass[] {
    const { tests, preferred, closed } = this.#slot(name);
    const patterns = tests.filter((test) => 'tokens' in test);
    const others = tests.filter((test) => 'borders' in test);
    if (others.length > 0 && patterns.length > 0) throw new Error(`${name} is compared both as a text and as a date or number`);
    if (others.length > 0)
      return distinct(others.flatMap(({ borders }) => borders).map((text) => ({ answers: others.map(({ holds }) => holds(text)), text })));
    const remembered = rememberedFor(preferred);
    const key = `${closed} ${patterns.map((one) => one.key).join()}`;
    const found = remembered.get(key) ?? sort(patterns, preferred, closed === true);
    remembered.set(key, found);
    return found;
  }
}

const remembered = new WeakMap<readonly string[], Map<string, readonly NameClass[]>>();
function rememberedFor(preferred: readonly string[]): Map<string, readonly NameClass[]> {
  const found = remembered.get(preferred) ?? new Map<string, readonly NameClass[]>();
  remembered.set(preferred, found);
  return found;
}

function sort(patterns: readonly Pattern[], preferred: readonly string[], closed: boolean): readonly NameClass[] {
  const known = preferred.map((text) => ({ answers: patterns.map((one) => matches(one, text)), text }));
  return distinct(closed ? known : [...known, ...classesOf(patterns)]);
}

function distinct(classes: readonly NameClass[]): NameClass[] {
  const found = new Map<string, NameClass>();
  for (const one of classes) {
    const key = one.answers.map(Number).join('');
    if (!found.has(key)) found.set(key, one);
  }
  return [...found.values()];
}
