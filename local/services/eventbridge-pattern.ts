/**
 * Event patterns: checked and compiled once, then asked for each event. An operator that is not known here refuses the pattern: a rule that
 * silently matches nothing would lose events. Source: EventBridge User Guide, "Comparison operators for use in event patterns".
 */
import { AwsError, notImplemented } from '../core/aws-error.ts';

/** Says whether an event (or the part of it that the matcher was compiled for) matches; `undefined` is a field that is not there. */
export type Matcher = (value: unknown) => boolean;
type Fields = Readonly<Record<string, unknown>>;

const invalid = (why: string): AwsError => new AwsError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${why}`);
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const isLeaf = (value: unknown): boolean => value !== undefined && !isFields(value);

/** @throws AwsError `InvalidEventPatternException`, or NotImplemented for an operator that is not covered. */
export function compilePattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (cause) {
    throw Object.assign(invalid('it is not JSON'), { cause });
  }
  if (!isFields(pattern)) throw invalid('it is not an object');
  return compileFields(pattern);
}

function compileFields(pattern: Fields): Matcher {
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw invalid('Empty patterns are not allowed');
  const matchers = fields.map(([name, part]): Matcher => {
    if (name === '$or') return compileOr(part);
    if (!Array.isArray(part) && !isFields(part)) throw invalid(`"${name}" must be an object or an array`);
    const matches = isFields(part) ? compileFields(part) : compileValues(name, part);
    return (value) => matches(isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined);
  });
  // A field holding an array of objects matches when one of them does.
  return (value) => (Array.isArray(value) ? value : [value]).some((one) => matchers.every((matches) => matches(one)));
}

function compileOr(alternatives: unknown): Matcher {
  if (!Array.isArray(alternatives) || alternatives.length < 2) throw invalid('"$or" must be an array of at least two patterns');
  const matchers = alternatives.map((part) => {
    if (!isFields(part)) throw invalid('"$or" must hold objects');
    return compileFields(part);
  });
  return (value) => matchers.some((matches) => matches(value));
}

function compileValues(name: string, values: readonly unknown[]): Matcher {
  if (values.length === 0) throw invalid(`"${name}" must not be an empty array`);
  const matchers = values.map((value): Matcher => {
    if (!isFields(value)) return exactly(value);
    const [entry, ...more] = Object.entries(value);
    if (entry === undefined || more.length > 0) throw invalid(`Only one key allowed in match expression of "${name}"`);
    const [operator, operand] = entry;
    if (operator === 'exists') return exists(operand);
    return perElement(compileOperator(operator, operand));
  });
  return (value) => matchers.some((matches) => matches(value));
}

/** A field that is absent or an object matches no value; of an array one element must match. */
const perElement =
  (matches: Matcher): Matcher =>
  (value) =>
    isLeaf(value) && (Array.isArray(value) ? value.some((one) => isLeaf(one) && matches(one)) : matches(value));

function exactly(expected: unknown): Matcher {
  if (Array.isArray(expected)) throw invalid('arrays may not be nested');
  return perElement((value) => value === expected);
}

function exists(operand: unknown): Matcher {
  if (typeof operand !== 'boolean') throw invalid('exists match pattern must be either true or false');
  // "Exists matching only works on leaf nodes."
  return (value) => isLeaf(value) === operand;
}

function compileOperator(operator: string, operand: unknown): Matcher {
  switch (operator) {
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
      return textual(operator, operand);
    case 'numeric':
      return numeric(operand);
    case 'anything-but': {
      const matches = isFields(operand) ? excluded(operand) : compileList(operand);
      return (value) => !matches(value);
    }
    default:
      throw notImplemented(`the event pattern operator "${operator}"`);
  }
}

function compileList(operand: unknown): Matcher {
  const values = [operand].flat();
  if (values.length === 0 || values.some((value) => typeof value !== 'string' && typeof value !== 'number'))
    throw invalid('anything-but must be strings or numbers');
  return (value) => values.includes(value);
}

/** What stands inside `{"anything-but": {…}}`: one textual operator, with one operand or a list. */
function excluded(operand: Fields): Matcher {
  const [entry, ...more] = Object.entries(operand);
  if (entry === undefined || more.length > 0) throw invalid('anything-but takes one operator');
  const matchers = [entry[1]].flat().map((one) => textual(entry[0], one));
  if (matchers.length === 0) throw invalid('anything-but must not be empty');
  return (value) => matchers.some((matches) => matches(value));
}

function textual(operator: string, operand: unknown): Matcher {
  if ((operator === 'prefix' || operator === 'suffix') && isFields(operand)) {
    const [entry, ...more] = Object.entries(operand);
    if (entry?.[0] !== 'equals-ignore-case' || typeof entry[1] !== 'string' || more.length > 0)
      throw invalid(`${operator} takes a string or equals-ignore-case`);
    const expected = entry[1].toLowerCase();
    return onText((text) => (operator === 'prefix' ? text.toLowerCase().startsWith(expected) : text.toLowerCase().endsWith(expected)));
  }
  if (typeof operand !== 'string') throw invalid(`${operator} match pattern must be a string`);
  switch (operator) {
    case 'prefix':
      return onText((text) => text.startsWith(operand));
    case 'suffix':
      return onText((text) => text.endsWith(operand));
    case 'equals-ignore-case':
      return onText((text) => text.toLowerCase() === operand.toLowerCase());
    case 'wildcard':
      return wildcard(operand);
    default:
      throw notImplemented(`the event pattern operator "${operator}"`);
  }
}

const onText =
  (matches: (text: string) => boolean): Matcher =>
  (value) =>
    typeof value === 'string' && matches(value);

/** `*` stands for any text, `\*` for a star. Matched part by part: a regular expression could be made to backtrack without end. */
function wildcard(pattern: string): Matcher {
  if (pattern.includes('**')) throw invalid('Consecutive wildcard characters');
  const parts = pattern.split(/(?<!\\)\*/).map((part) => part.replaceAll('\\*', '*').replaceAll('\\\\', '\\'));
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return onText((text) => text === first);
  return onText((text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  });
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(operand: unknown): Matcher {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) throw invalid('numeric takes one or two comparisons');
  const tests: Matcher[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const compare = comparisons[String(operand[index])];
    const bound: unknown = operand[index + 1];
    if (compare === undefined || typeof bound !== 'number') throw invalid('numeric takes =, <, <=, > or >= and a number');
    tests.push((value) => typeof value === 'number' && compare(value, bound));
  }
  return (value) => tests.every((test) => test(value));
}
