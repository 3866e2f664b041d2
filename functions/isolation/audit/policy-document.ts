import { z } from 'zod';
import { CordonError } from '../../shared/errors.ts';

/** A policy as AWS shows it: statements with whatever elements they have. What is not understood is compared as it stands, never left out. */
const statement = z.looseObject({ Effect: z.string(), Sid: z.string().optional() });
const policyDocument = z.looseObject({
  Version: z.string().optional(),
  Statement: z.union([statement, z.array(statement)]),
});
export type PolicyDocument = z.infer<typeof policyDocument>;
export type Statement = z.infer<typeof statement>;

/** A statement in the one form that every spelling of it has. */
export interface NormalStatement {
  readonly effect: string;
  /** For people: what it is called, or the number of it. */
  readonly name: string;
  /** Equal exactly when both say the same. The name is not part of it: it decides nothing. */
  readonly key: string;
  readonly statement: Statement;
}

/**
 * @param text JSON; percent-encoded as IAM answers it, or plain
 * @throws CordonError AWS_REFUSED when it is no policy
 */
export function parsePolicy(text: string): PolicyDocument {
  try {
    const json: unknown = JSON.parse(text.startsWith('%7B') || text.startsWith('%0A') ? decodeURIComponent(text) : text);
    return policyDocument.parse(json);
  } catch (cause) {
    throw new CordonError('AWS_REFUSED', 'what should be a policy is none', { cause });
  }
}

/** Already JSON, as a template has it. @throws CordonError AWS_REFUSED */
export function asPolicy(value: unknown): PolicyDocument {
  return parsePolicy(typeof value === 'string' ? value : JSON.stringify(value));
}

export function statementsOf({ Statement }: PolicyDocument): readonly Statement[] {
  return [Statement].flat();
}

/** Without a version, policy variables are plain text: it decides what the statements mean. Source: IAM User Guide, "IAM JSON policy elements: Version". */
export function versionOf({ Version = '2008-10-17' }: PolicyDocument): string {
  return Version;
}

export function normalStatements(document: PolicyDocument): readonly NormalStatement[] {
  return statementsOf(document).map((one, index) => ({
    effect: one.Effect,
    name: one.Sid ?? `#${index}`,
    key: canonical(normalElements(one)),
    statement: one,
  }));
}

/**
 * What may be spelled in several ways without meaning anything else: one value or a list of it, the order of a list, upper and lower case of actions, operators and
 * condition keys, an account by its number or its ARN, everybody as `*` or `{"AWS":"*"}`. Source: IAM User Guide, "IAM JSON policy element reference".
 */
function normalElements({ Sid: _, ...elements }: Statement): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(elements).map(([name, value]) => {
      if (name === 'Action' || name === 'NotAction') return [name, listOf(value, lowered)];
      if (name === 'Resource' || name === 'NotResource') return [name, listOf(value)];
      if (name === 'Principal' || name === 'NotPrincipal') return [name, normalPrincipal(value)];
      if (name === 'Condition') return [name, normalCondition(value)];
      return [name, value];
    }),
  );
}

const lowered = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

/** Sorted and each once. */
function listOf(value: unknown, each: (one: unknown) => unknown = (one) => one): readonly unknown[] {
  const texts = new Map([value].flat().map((one) => [canonical(each(one)), each(one)]));
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function normalPrincipal(value: unknown): unknown {
  if (value === '*') return { AWS: ['*'] };
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([type, names]) => [type, listOf(names, type === 'AWS' ? accountAsArn : undefined)]));
}

/** In the partition that nearly everybody is in; elsewhere AWS shows the ARN. */
const accountAsArn = (name: unknown): unknown => (typeof name === 'string' && /^\d{12}$/.test(name) ? `arn:aws:iam::${name}:root` : name);

/** Values compare as text: `true` and `"true"` are the same. */
function normalCondition(value: unknown): unknown {
  if (!isFields(value)) return value;
  return byLoweredNames(value, (keys) =>
    isFields(keys) ? byLoweredNames(keys, (values) => listOf(values, (one) => (typeof one === 'object' ? one : String(one)))) : keys,
  );
}

/** Two names that differ in case only are two demands: both are kept. */
function byLoweredNames(fields: Readonly<Record<string, unknown>>, each: (value: unknown) => unknown): Readonly<Record<string, unknown>> {
  const named = new Map<string, unknown[]>();
  for (const [name, value] of Object.entries(fields)) {
    const key = name.toLowerCase();
    named.set(key, [...(named.get(key) ?? []), each(value)]);
  }
  return Object.fromEntries([...named].map(([name, values]) => [name, values.length === 1 ? values[0] : listOf(values)]));
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON with the members in the order of their names. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isFields(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
}
