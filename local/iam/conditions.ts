/**
 * A statement's `Condition`: every operator and key must hold, one of a key's values suffices; negated operators hold when none of the values
 * matches. Sources in the IAM User Guide: "Condition operators", "Conditions with multiple context keys or values", "Single-valued vs.
 * multivalued context keys".
 */
import { type Compare, comparisons } from './comparisons.ts';
import { keyCardinality } from './known-keys.ts';
import { MalformedPolicy } from './malformed-policy.ts';
import type { ConditionValue, PolicyStatement } from './policy.ts';
import { type RequestContext, singleValue } from './request-context.ts';

/** Whether one operator holds for one key in a request. */
export type ConditionTest = (context: RequestContext) => boolean;

interface Operator {
  readonly name: string;
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
  readonly compare: Compare;
  readonly negated: boolean;
  readonly ifExists: boolean;
}

/** Compiles a Condition element. Throws `MalformedPolicy` naming an unknown operator, key or value. `variables`: whether the policy's version knows them. */
export function compileConditions(condition: PolicyStatement['Condition'], variables: boolean): readonly ConditionTest[] {
  if (condition === undefined) return [];
  return entries('Condition', condition).flatMap(([name, keys]) => {
    const operator = name === 'Null' ? undefined : parseOperator(name);
    return entries(name, keys).map(([key, value]) => {
      const values = conditionValues(name, key, value);
      return operator === undefined ? nullTest(key, values) : compileTest(operator, key, values, variables);
    });
  });
}

function entries<T>(name: string, element: Readonly<Record<string, T>>): [string, T][] {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) throw new MalformedPolicy(`${name} must be an object`);
  return Object.entries(element);
}

function parseOperator(name: string): Operator {
  const [, set, plain = '', suffix] = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? [];
  const comparison = comparisons.get(plain);
  if (comparison === undefined) throw new MalformedPolicy(`unknown condition operator ${name}`);
  return { name, set: set === 'ForAllValues' || set === 'ForAnyValue' ? set : undefined, ...comparison, ifExists: suffix !== undefined };
}

function conditionValues(operator: string, key: string, value: ConditionValue): readonly string[] {
  if (keyCardinality(key) === undefined) throw new MalformedPolicy(`unknown condition key ${key}`);
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw new MalformedPolicy(`${operator} on ${key} has no value`);
  return values.map((one: unknown) => {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean') return String(one);
    throw new MalformedPolicy(`${operator} on ${key} has a value that is no string, number or boolean`);
  });
}

/** `true`: the key must be absent; `false`: it must be there. An empty string is a value. */
function nullTest(key: string, values: readonly string[]): ConditionTest {
  const [wanted] = values;
  if (values.length !== 1 || (wanted !== 'true' && wanted !== 'false')) throw new MalformedPolicy(`Null on ${key} takes true or false`);
  const name = key.toLowerCase();
  return (context) => context.has(name) === (wanted === 'false');
}

function compileTest(operator: Operator, key: string, values: readonly string[], variables: boolean): ConditionTest {
  checkCardinality(operator, key);
  const name = key.toLowerCase();
  const { negated, ifExists, set } = operator;
  const matchers = values.map((value) => operator.compare(value, variables));
  const [first, ...more] = matchers;
  const holds = (value: string, context: RequestContext) => {
    let matched = first?.(value, context) === true;
    for (let index = 0; !matched && index < more.length; index += 1) matched = more[index]?.(value, context) === true;
    return matched !== negated;
  };
  if (set === undefined) {
    return (context) => {
      const value = singleValue(context, name);
      // Without the key nothing matches: a negated operator holds ("Condition operators", Important).
      return value === undefined ? ifExists || negated : holds(value, context);
    };
  }
  const every = set === 'ForAllValues';
  return (context) => {
    const found = context.get(name);
    if (found === undefined) return ifExists || every;
    // An empty string counts as the empty set ("Single-valued vs. multivalued context keys"): all of nothing holds, any of nothing does not.
    if (found.length === 1 && found[0] === '') return every;
    return every ? found.every((value) => holds(value, context)) : found.some((value) => holds(value, context));
  };
}

function checkCardinality({ name, set }: Operator, key: string): void {
  if (set === undefined && keyCardinality(key) === 'many') {
    throw new MalformedPolicy(`condition key ${key} holds several values: ${name} needs ForAllValues or ForAnyValue`);
  }
  // KMS Developer Guide, "AWS KMS condition keys": an encryption context key has one value and takes no set operator.
  if (set !== undefined && key.toLowerCase().startsWith('kms:encryptioncontext:')) {
    throw new MalformedPolicy(`condition key ${key} takes no set operator: ${name}`);
  }
}
