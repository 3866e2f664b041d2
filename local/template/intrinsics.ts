/**
 * CloudFormation's intrinsic functions, resolved against what is known of parameters and resources. Anything not listed is refused.
 * Source: AWS CloudFormation Template Reference, "Intrinsic functions" and "Pseudo parameters".
 */
export type Fields = Readonly<Record<string, unknown>>;

export interface Lookup {
  /** A parameter's value (a list for `CommaDelimitedList`), a resource's `Ref`, or a pseudo parameter; undefined when there is none of that name. */
  ref(name: string): string | readonly string[] | undefined;
  attribute(logicalId: string, attribute: string): string | undefined;
  /** The condition expression of that name. */
  condition(name: string): unknown;
}

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Marks what `AWS::NoValue` stands for: the property is not there. */
const noValue = Symbol('AWS::NoValue');

/** @throws TemplateError naming an unknown function, reference or attribute. */
export function resolve(value: unknown, lookup: Lookup): unknown {
  const resolved = resolvePart(value, lookup);
  return resolved === noValue ? undefined : resolved;
}

function resolvePart(value: unknown, lookup: Lookup): unknown {
  if (Array.isArray(value)) return value.map((item) => resolvePart(item, lookup)).filter((item) => item !== noValue);
  if (!isFields(value)) return value;
  const call = intrinsicOf(value);
  if (call !== undefined) return apply(call.name, call.argument, lookup);
  const entries = Object.entries(value).map(([key, item]) => [key, resolvePart(item, lookup)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== noValue));
}

/** An object with the single key `Ref`, `Fn::…` or `Condition` (the last only where conditions stand) is a function call. */
function intrinsicOf(value: Fields): { name: string; argument: unknown } | undefined {
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return undefined;
  return entry[0] === 'Ref' || entry[0].startsWith('Fn::') ? { name: entry[0], argument: entry[1] } : undefined;
}

function apply(name: string, argument: unknown, lookup: Lookup): unknown {
  switch (name) {
    case 'Ref': {
      if (argument === 'AWS::NoValue') return noValue;
      return found(lookup.ref(text(argument, name)), `Ref ${String(argument)}`);
    }
    case 'Fn::GetAtt': {
      const [id, ...path] = typeof argument === 'string' ? argument.split('.') : list(argument, name);
      const attribute = path.join('.');
      return found(lookup.attribute(text(id, name), attribute), `Fn::GetAtt ${String(id)}.${attribute}`);
    }
    case 'Fn::Join': {
      const [separator, parts] = list(argument, name);
      return list(resolvePart(parts, lookup), name)
        .map((part) => text(part, name))
        .join(text(separator, name));
    }
    case 'Fn::Sub':
      return substitute(argument, lookup);
    case 'Fn::Select': {
      const [index, from] = list(argument, name);
      return found(list(resolvePart(from, lookup), name)[Number(index)], `Fn::Select ${String(index)}`);
    }
    case 'Fn::Split': {
      const [separator, source] = list(argument, name);
      return text(resolvePart(source, lookup), name).split(text(separator, name));
    }
    case 'Fn::If': {
      const [condition, yes, no] = list(argument, name);
      return resolvePart(holds({ Condition: condition }, lookup) ? yes : no, lookup);
    }
    default:
      throw new TemplateError(`The intrinsic function ${name} is not known here.`);
  }
}

/** `${Name}`, `${Resource.Attribute}`, `${Local}` of the second argument, and `${!Literal}`. */
function substitute(argument: unknown, lookup: Lookup): string {
  const [pattern, variables] = typeof argument === 'string' ? [argument, {}] : list(argument, 'Fn::Sub');
  const local = isFields(variables) ? variables : {};
  return text(pattern, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    if (Object.hasOwn(local, name)) return text(resolvePart(local[name], lookup), 'Fn::Sub');
    const [id = '', ...path] = name.split('.');
    const value = path.length === 0 ? lookup.ref(id) : lookup.attribute(id, path.join('.'));
    return text(found(value, `Fn::Sub \${${name}}`), `Fn::Sub \${${name}}`);
  });
}

/** Whether a condition expression holds. @throws TemplateError for a function that makes no condition. */
export function holds(expression: unknown, lookup: Lookup): boolean {
  const [entry, ...more] = isFields(expression) ? Object.entries(expression) : [];
  if (entry === undefined || more.length > 0) throw new TemplateError('A condition must be one function.');
  const [name, argument] = entry;
  switch (name) {
    case 'Condition':
      return holds(found(lookup.condition(text(argument, name)), `the condition ${String(argument)}`), lookup);
    case 'Fn::Equals': {
      const [left, right] = list(resolvePart(argument, lookup), name);
      return String(left) === String(right);
    }
    case 'Fn::Not':
      return !holds(list(argument, name)[0], lookup);
    case 'Fn::And':
      return list(argument, name).every((part) => holds(part, lookup));
    case 'Fn::Or':
      return list(argument, name).some((part) => holds(part, lookup));
    default:
      throw new TemplateError(`The condition function ${name} is not known here.`);
  }
}

/** Every logical ID or parameter name that a value refers to, by `Ref`, `Fn::GetAtt` or inside `Fn::Sub`. */
export function referencesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesOf);
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([key, argument]) => {
    if (key === 'Ref' && typeof argument === 'string') return [argument];
    if (key === 'Fn::GetAtt')
      return [String(typeof argument === 'string' ? argument.split('.')[0] : Array.isArray(argument) ? argument[0] : '')];
    const pattern = key === 'Fn::Sub' ? (Array.isArray(argument) ? argument[0] : argument) : undefined;
    const inText = typeof pattern === 'string' ? [...pattern.matchAll(/\$\{([^!}.][^}.]*)/g)].map((match) => match[1] ?? '') : [];
    return [...inText, ...referencesOf(argument)];
  });
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TemplateError(`${what} names nothing that is known.`);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateError(`${where} needs text.`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`${where} needs a list.`);
}
