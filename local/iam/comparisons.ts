/**
 * What each condition operator compares, one policy value with one request value. Negation, set operators and `…IfExists` are the caller's.
 * Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
 */
import { BlockList, isIP } from 'node:net';
import { arnMatcher } from './arn.ts';
import { MalformedPolicy } from './malformed-policy.ts';
import { type TextMatcher, textMatcher } from './variables.ts';

/** Prepares a policy value. Throws `MalformedPolicy` when it is not of the operator's type. */
export type Compare = (policyValue: string, variables: boolean) => TextMatcher;

const text: Compare = (value, variables) => textMatcher(value, { wildcards: false, variables });
const textIgnoringCase: Compare = (value, variables) => textMatcher(value, { wildcards: false, variables, ignoreCase: true });
const pattern: Compare = (value, variables) => textMatcher(value, { wildcards: true, variables });
const arn: Compare = (value, variables) => arnMatcher(value, { wildcards: true, variables });

/** Numbers and dates share their relations; neither takes policy variables. A request value of another type matches nothing. */
function ordered(type: string, parse: (value: string) => number, relation: (found: number, wanted: number) => boolean): Compare {
  return (value) => {
    const wanted = parse(value);
    if (Number.isNaN(wanted)) throw new MalformedPolicy(`${value} is no ${type}`);
    return (found) => relation(parse(found), wanted);
  };
}

function number(value: string): number {
  return /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
}

/** Milliseconds since 1970 of an ISO 8601 date of the W3C profile, or of seconds since 1970. Four digits are a year. */
function instant(value: string): number {
  if (/^\d{5,}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  return /^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/.test(value) ? Date.parse(value) : Number.NaN;
}

const bool: Compare = (value, variables) => {
  if (!/^(true|false)$/i.test(value) && !(variables && value.includes('${'))) throw new MalformedPolicy(`${value} is no boolean`);
  return textIgnoringCase(value, variables);
};

/** Both sides are base64; the bytes are compared. */
const binary: Compare = (value) => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw new MalformedPolicy(`${value} is not base64`);
  const wanted = Buffer.from(value, 'base64');
  return (found) => wanted.equals(Buffer.from(found, 'base64'));
};

/** An IPv4 or IPv6 address or range; without a prefix length it is that one address. */
const ip: Compare = (value) => {
  const [address = '', length, ...rest] = value.split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const prefix = length === undefined ? longest : number(length);
  if (version === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= longest))
    throw new MalformedPolicy(`${value} is no IP address or range`);
  const range = new BlockList();
  range.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return (found) => {
    const foundVersion = isIP(found);
    return foundVersion !== 0 && range.check(found, foundVersion === 4 ? 'ipv4' : 'ipv6');
  };
};

const relations: Readonly<Record<string, (found: number, wanted: number) => boolean>> = {
  Equals: (found, wanted) => found === wanted,
  LessThan: (found, wanted) => found < wanted,
  LessThanEquals: (found, wanted) => found <= wanted,
  GreaterThan: (found, wanted) => found > wanted,
  GreaterThanEquals: (found, wanted) => found >= wanted,
};

interface Comparison {
  readonly compare: Compare;
  readonly negated: boolean;
}

const relational = Object.entries(relations).flatMap(([name, relation]): [string, Compare][] => [
  [`Numeric${name}`, ordered('number', number, relation)],
  [`Date${name}`, ordered('date', instant, relation)],
]);
const positive: readonly [string, Compare][] = [
  ['StringEquals', text],
  ['StringEqualsIgnoreCase', textIgnoringCase],
  ['StringLike', pattern],
  ['Bool', bool],
  ['BinaryEquals', binary],
  ['IpAddress', ip],
  ['ArnEquals', arn],
  ['ArnLike', arn],
  ...relational,
];

/** How the negated form of an operator is called; the others have none. */
const negatedNames: Readonly<Record<string, string>> = {
  StringEquals: 'StringNotEquals',
  StringEqualsIgnoreCase: 'StringNotEqualsIgnoreCase',
  StringLike: 'StringNotLike',
  IpAddress: 'NotIpAddress',
  ArnEquals: 'ArnNotEquals',
  ArnLike: 'ArnNotLike',
  NumericEquals: 'NumericNotEquals',
  DateEquals: 'DateNotEquals',
};

/** Operator name, e.g. `StringNotEquals`, to what it compares and whether it negates. `Null` is not among them: it compares nothing. */
export const comparisons: ReadonlyMap<string, Comparison> = new Map(
  positive.flatMap(([name, compare]): [string, Comparison][] => {
    const negatedName = negatedNames[name];
    return negatedName === undefined
      ? [[name, { compare, negated: false }]]
      : [
          [name, { compare, negated: false }],
          [negatedName, { compare, negated: true }],
        ];
  }),
);
