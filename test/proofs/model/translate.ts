/**
 * Policy statements as formulas. The evaluator of the local cloud says what a statement means for one request; this says the same for all requests at
 * once, and a test compares the two. Whatever it does not know makes it throw: a proof never rests on a rule that was left out.
 */
import { comparisons } from '../../../local/iam/comparisons.ts';
import { keyCardinality } from '../../../local/iam/known-keys.ts';
import type { ConditionValue, PolicyDocument, PolicyStatement } from '../../../local/iam/policy.ts';
import { type Naming, notPrincipalMatcher, principalMatcher } from '../../../local/iam/principals.ts';
import { examplesOf } from './examples.ts';
import { and, type Formula, not, or, type Request } from './formula.ts';
import { list } from './lists.ts';
import { literal, matches, type Pattern, pattern } from './names.ts';
import { orderedTest } from './ordered.ts';
import { actionPattern, type Caller, kinds, patternOf, type TextKind } from './patterns.ts';

/** Formulas about the requests of one caller. */
export class Translation {
  readonly #request: Request;
  readonly #caller: Caller;

  constructor(request: Request, caller: Caller) {
    this.#request = request;
    this.#caller = caller;
  }

  /** Whether there is a value. */
  present(key: string): Formula {
    const name = key.toLowerCase();
    if (this.#caller.known.has(name)) return this.#caller.known.get(name) !== undefined;
    this.#declare(name);
    return { op: 'present', slot: name };
  }

  /** Whether there is a value and it matches one of the texts. */
  is(key: string, kind: TextKind, ...texts: readonly string[]): Formula {
    return and(this.present(key), or(...texts.map((text) => this.#one(key.toLowerCase(), patternOf(text, kind, this.#caller)))));
  }

  /** Whether each of several values matches one of the texts; true of none. The empty text alone is none. */
  each(key: string, kind: TextKind, ...texts: readonly string[]): Formula {
    return this.#several('each', key, kind, texts, false);
  }

  /** Whether one of several values matches one of the texts. */
  some(key: string, kind: TextKind, ...texts: readonly string[]): Formula {
    return this.#several('some', key, kind, texts, false);
  }

  /** Whether the key holds just these values, in any order; none: it is absent. The empty text twice is told from the empty text once by nothing a proof needs. */
  holds(key: string, values: readonly string[]): Formula {
    const name = key.toLowerCase();
    const [first] = values;
    if (first === undefined) return not(this.present(key));
    if (keyCardinality(name) === 'one') {
      this.#declare(name);
      const { tests = [] } = this.#request.slots.get(name) ?? {};
      if (tests.some((test) => 'borders' in test)) {
        return and(
          this.present(key),
          ...tests.map((test, index): Formula => {
            const one: Formula = { op: 'is', slot: name, test: index };
            return 'borders' in test && test.holds(first) ? one : not(one);
          }),
        );
      }
      return this.is(key, 'exact', first);
    }
    const single: Formula = { op: 'each', slot: name, tests: [], negated: false };
    if (values.every((value) => value === '')) {
      const onlyEmpty = and(this.present(key), not(this.#anythingBut(name, '')));
      // Of nothing, all is true: only the empty text alone counts as nothing.
      return and(onlyEmpty, values.length === 1 ? single : not(single));
    }
    return and(...[...new Set(values)].map((value) => this.#contains(name, value)), not(this.#anythingBut(name, ...values)), not(single));
  }

  #contains(name: string, value: string): Formula {
    this.#declare(name);
    return { op: 'some', slot: name, tests: [this.#request.test(name, pattern(literal(value)))], negated: false };
  }

  #anythingBut(name: string, ...values: readonly string[]): Formula {
    this.#declare(name);
    return { op: 'some', slot: name, tests: values.map((value) => this.#request.test(name, pattern(literal(value)))), negated: true };
  }

  #several(op: 'each' | 'some', key: string, kind: TextKind, texts: readonly string[], negated: boolean): Formula {
    const name = key.toLowerCase();
    this.#declare(name);
    const tests = texts.flatMap((text) => {
      const made = patternOf(text, kind, this.#caller);
      return made === undefined ? [] : [this.#request.test(name, made)];
    });
    if (keyCardinality(name) === 'one') return this.#setOfOne(op, name, tests, negated);
    // One value or several, as the request goes: a set operator would have to be told of both.
    if (keyCardinality(name) !== 'many') throw new Error(`${key} with a set operator is not known to the proofs`);
    return { op, slot: name, tests, negated };
  }

  /** A set operator on a key that has one value at most: the empty text counts as none. */
  #setOfOne(op: 'each' | 'some', slot: string, tests: readonly number[], negated: boolean): Formula {
    const matched = or(...tests.map((test): Formula => ({ op: 'is', slot, test })));
    const empty = or(not(this.present(slot)), this.#one(slot, pattern([])));
    return op === 'each' ? or(empty, negated ? not(matched) : matched) : and(not(empty), negated ? not(matched) : matched);
  }

  /** The statements of one effect that apply, by how they name the caller. */
  statements(
    document: PolicyDocument,
    effect: 'Allow' | 'Deny',
    isResourcePolicy: boolean,
  ): { readonly naming: Naming; readonly applies: Formula }[] {
    return list(document.Statement).flatMap((statement) => {
      if (statement.Effect !== effect) return [];
      const naming = isResourcePolicy ? this.#naming(statement) : 'self';
      return naming === 'none' ? [] : [{ naming, applies: this.#applies(statement) }];
    });
  }

  #naming({ Principal, NotPrincipal }: PolicyStatement): Naming {
    const { principal, bounded } = this.#caller;
    if (Principal !== undefined) return principalMatcher(Principal)(principal);
    if (NotPrincipal === undefined) throw new Error('a statement of a resource policy names nobody');
    return notPrincipalMatcher(NotPrincipal)(principal, bounded) ? 'self' : 'none';
  }

  #applies({ Action, NotAction, Resource, NotResource, Condition }: PolicyStatement): Formula {
    const action = or(...list(Action ?? NotAction).map((text) => this.#action(text)));
    const resource = or(...list(Resource ?? NotResource).map((text) => this.#one('resource', patternOf(text, 'like', this.#caller))));
    return and(
      Action === undefined ? not(action) : action,
      Resource === undefined && NotResource === undefined ? true : Resource === undefined ? not(resource) : resource,
      ...Object.entries(Condition ?? {}).flatMap(([operator, keys]) =>
        Object.entries(keys).map(([key, value]) => this.#condition(operator, key, conditionValues(value))),
      ),
    );
  }

  /** Whether the action is one of these patterns. */
  asks(...patterns: readonly string[]): Formula {
    return or(...patterns.map((text) => this.#action(text)));
  }

  #action(text: string): Formula {
    return this.#one('action', actionPattern(text));
  }

  #one(name: string, by: Pattern | undefined): Formula {
    if (by === undefined) return false;
    const given = this.#caller.known.get(name);
    if (given !== undefined) return matches(by, given);
    this.#declare(name);
    return { op: 'is', slot: name, test: this.#request.test(name, by) };
  }

  #declare(name: string): void {
    const required = name === 'action' || name === 'resource';
    const several = !required && keyCardinality(name) === 'many';
    this.#request.declare(name, { several, required, preferred: examplesOf(name) });
    // Told apart from all others: alone it counts as no value.
    if (several) this.#request.test(name, pattern([]));
  }

  #condition(written: string, key: string, values: readonly string[]): Formula {
    if (written === 'Null') return values[0] === 'true' ? not(this.present(key)) : this.present(key);
    const [, set, plain = '', suffix] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(written) ?? [];
    const comparison = comparisons.get(plain);
    if (comparison === undefined) throw new Error(`the operator ${written} is not known`);
    const { negated } = comparison;
    const name = key.toLowerCase();
    const kind = kinds[plain];
    if (set === undefined) {
      const matched =
        kind === undefined
          ? this.#ordered(name, plain, values)
          : or(...values.map((value) => this.#one(name, patternOf(value, kind, this.#caller))));
      const absent = not(this.present(key));
      return suffix !== undefined || negated ? or(absent, negated ? not(matched) : matched) : and(this.present(key), matched);
    }
    if (kind === undefined) throw new Error(`${written} on ${key} is not known to the proofs`);
    const holds = this.#setOf(set, name, kind, values, negated);
    return suffix === undefined ? holds : or(not(this.present(key)), holds);
  }

  #setOf(set: string, name: string, kind: TextKind, values: readonly string[], negated: boolean): Formula {
    const op = set === 'ForAllValues' ? 'each' : 'some';
    if (!this.#caller.known.has(name)) return this.#several(op, name, kind, values, negated);
    const given = this.#caller.known.get(name);
    if (given === undefined || given === '') return op === 'each';
    const matched = values.some((value) => {
      const made = patternOf(value, kind, this.#caller);
      return made !== undefined && matches(made, given);
    });
    return matched !== negated;
  }

  #ordered(name: string, operator: string, values: readonly string[]): Formula {
    if (this.#caller.known.has(name)) throw new Error(`${name} is given, and compared as a date or number`);
    return or(
      ...values.map((value): Formula => {
        const test = orderedTest(operator, value);
        this.#declare(name);
        return { op: 'is', slot: name, test: this.#request.test(name, test) };
      }),
    );
  }
}

const conditionValues = (value: ConditionValue): string[] => [value].flat().map(String);
