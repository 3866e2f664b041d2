/**
 * All texts there are, sorted by what a set of patterns says to them. Each pattern is a finite automaton; running them side by side over every text
 * visits finitely many states, and so finds every combination of answers there is, with a shortest text for each. Nothing is sampled: a text of any
 * length and content gives one of these combinations.
 */

/** `any` and `one`: a wildcard; `…InPart`: one that does not reach across a colon (ARN operators). A string is one literal character. */
type Token = string | { readonly wild: 'any' | 'one' | 'anyInPart' | 'oneInPart' };

/** A pattern: what it matches, without variables. */
export interface Pattern {
  /** Equal keys, equal patterns; short, because it is compared all the time. */
  readonly key: string;
  readonly tokens: readonly Token[];
  readonly ignoreCase: boolean;
}

/** A combination of answers, and a text that gets them. */
export interface NameClass {
  readonly answers: readonly boolean[];
  readonly text: string;
}

export const literal = (text: string): Token[] => [...text];
export const wild = (kind: 'any' | 'one' | 'anyInPart' | 'oneInPart'): Token => ({ wild: kind });

const patterns = new Map<string, Pattern>();

/** The pattern of these tokens: the same object for the same pattern. */
export function pattern(tokens: readonly Token[], ignoreCase = false): Pattern {
  const text = JSON.stringify([ignoreCase, ...tokens]);
  const found = patterns.get(text) ?? { key: String(patterns.size), tokens, ignoreCase };
  patterns.set(text, found);
  return found;
}

/** One pattern as an automaton. Its states are numbers, worked out as they are met; state 0 is where every text begins. */
class Automaton {
  readonly #pattern: Pattern;
  /** Positions in the pattern that are reached, ascending; none: the text cannot match any more. */
  readonly #states: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #steps: Map<string, number>[] = [];

  constructor(of: Pattern) {
    this.#pattern = of;
    this.#number(this.#close([0]));
  }

  accepts(state: number): boolean {
    return this.#states[state]?.at(-1) === this.#pattern.tokens.length;
  }

  step(state: number, read: string): number {
    const steps = this.#steps[state];
    const found = steps?.get(read);
    if (found !== undefined) return found;
    const next = this.#number(this.#close(this.#reached(this.#states[state] ?? [], read)));
    steps?.set(read, next);
    return next;
  }

  #number(positions: readonly number[]): number {
    const key = positions.join(',');
    const found = this.#numbers.get(key);
    if (found !== undefined) return found;
    const number = this.#states.push(positions) - 1;
    this.#steps.push(new Map());
    this.#numbers.set(key, number);
    return number;
  }

  #reached(positions: readonly number[], read: string): number[] {
    const { tokens, ignoreCase } = this.#pattern;
    return positions.flatMap((at) => {
      const token = tokens[at];
      if (token === undefined) return [];
      if (typeof token === 'string') return token === read || (ignoreCase && token.toLowerCase() === read.toLowerCase()) ? [at + 1] : [];
      if (read === ':' && token.wild.endsWith('InPart')) return [];
      return token.wild.startsWith('any') ? [at] : [at + 1];
    });
  }

  /** What can be reached without reading: a wildcard of any length may be skipped. */
  #close(positions: readonly number[]): readonly number[] {
    const { tokens } = this.#pattern;
    const closed = new Set<number>();
    for (let at of positions) {
      closed.add(at);
      for (let token = tokens[at]; typeof token === 'object' && token.wild.startsWith('any'); token = tokens[at]) {
        at += 1;
        closed.add(at);
      }
    }
    // Once a wildcard is reached that takes everything, what comes before it adds nothing.
    const sorted = [...closed].sort((one, another) => one - another);
    const last = sorted.findLastIndex((at) => isAny(tokens[at]));
    return last > 0 ? sorted.slice(last) : sorted;
  }
}

const isAny = (token: Token | undefined): boolean => typeof token === 'object' && token.wild === 'any';

const automata = new WeakMap<Pattern, Automaton>();
function automatonOf(of: Pattern): Automaton {
  const found = automata.get(of) ?? new Automaton(of);
  automata.set(of, found);
  return found;
}

/** Whether a pattern matches a text. */
export function matches(by: Pattern, text: string): boolean {
  const automaton = automatonOf(by);
  let state = 0;
  for (const read of text) state = automaton.step(state, read);
  return automaton.accepts(state);
}

/** One character stands for all that no pattern mentions. */
const unmentioned = [...'zyxwvq9~|'];

function alphabetOf(patterns: readonly Pattern[]): string[] {
  const mentioned = new Set<string>();
  // Where nothing looks at case, lower case stands for both.
  const anyCase = patterns.every(({ ignoreCase }) => ignoreCase);
  for (const { tokens, ignoreCase } of patterns) {
    for (const token of tokens) {
      if (typeof token !== 'string') {
        if (token.wild.endsWith('InPart')) mentioned.add(':');
      } else {
        mentioned.add(anyCase ? token.toLowerCase() : token);
        if (ignoreCase && !anyCase) mentioned.add(token.toLowerCase()).add(token.toUpperCase());
      }
    }
  }
  const other = unmentioned.find((character) => !mentioned.has(character) && !mentioned.has(character.toUpperCase()));
  if (other === undefined) throw new Error('the patterns mention every character that could stand for the others');
  return [other, ...mentioned];
}

const known = new Map<string, readonly NameClass[]>();
const mostStates = 200_000;

/** Every combination of answers that some text gets. Throws when there are too many states to visit, which no policy here comes near. */
export function classesOf(patterns: readonly Pattern[]): readonly NameClass[] {
  const key = patterns.map((one) => one.key).join();
  const found = known.get(key) ?? visit(patterns);
  known.set(key, found);
  return found;
}

function visit(patterns: readonly Pattern[]): readonly NameClass[] {
  const alphabet = alphabetOf(patterns);
  const automata = patterns.map(automatonOf);
  const start = automata.map(() => 0);
  const seen = new Set([start.join()]);
  const queue: { readonly state: readonly number[]; readonly text: string }[] = [{ state: start, text: '' }];
  const classes = new Map<string, NameClass>();
  // The queue grows while it is walked.
  for (const { state, text } of queue) {
    const answers = automata.map((one, index) => one.accepts(state[index] ?? 0));
    const key = answers.map(Number).join('');
    if (!classes.has(key)) classes.set(key, { answers, text });
    for (const read of alphabet) {
      const next = automata.map((one, index) => one.step(state[index] ?? 0, read));
      const nextKey = next.join();
      if (seen.has(nextKey)) continue;
      if (seen.size > mostStates) throw new Error(`more than ${mostStates} states for ${patterns.length} patterns`);
      seen.add(nextKey);
      queue.push({ state: next, text: text + read });
    }
  }
  return [...classes.values()];
}
