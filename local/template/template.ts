/** A synthesized template, read and checked; and the values that stand for its parameters and pseudo parameters. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { holds, type Lookup, TemplateError } from './intrinsics.ts';

const resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).default([]),
  Condition: z.string().optional(),
  /** For people and for CDK. */
  Metadata: z.unknown().optional(),
  /** What becomes of a resource when the stack is changed or deleted: the local cloud does neither. */
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
const template = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z.record(z.string(), z.looseObject({ Default: z.union([z.string(), z.number()]).optional() })).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown(), Condition: z.string().optional() })).default({}),
  /** Assertions about parameters at deployment: CDK's says that the account is bootstrapped, which a local cloud is not. */
  Rules: z.unknown().optional(),
});
export type Template = z.output<typeof template>;
export type TemplateResource = z.output<typeof resource>;

/** @throws TemplateError when the text is no template or has a section that is not known here. */
export function parseTemplate(json: unknown): Template {
  const parsed = template.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new TemplateError(`The template cannot be read: ${issue?.path.join('.')}: ${issue?.message}`);
}

export async function readTemplate(path: string): Promise<Template> {
  return parseTemplate(JSON.parse(await readFile(path, 'utf8')));
}

export interface StackIdentity {
  readonly stackName: string;
  readonly accountId: string;
  readonly region: string;
}

/** Parameters by the given values over their defaults. @throws TemplateError for a value without parameter or a parameter without value. */
export function parametersOf(source: Template, given: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(source.Parameters, name));
  if (unknown !== undefined) throw new TemplateError(`The template has no parameter ${unknown}.`);
  return new Map(
    Object.entries(source.Parameters).map(([name, parameter]) => {
      const value = given[name] ?? parameter.Default;
      if (value === undefined) throw new TemplateError(`The parameter ${name} has no value.`);
      return [name, String(value)];
    }),
  );
}

/** The lookup of a template whose resources are found by `refOf` and `attributeOf`. */
export function lookupFor(
  source: Template,
  identity: StackIdentity,
  parameters: ReadonlyMap<string, string>,
  resources: { refOf(id: string): string | undefined; attributeOf(id: string, attribute: string): string | undefined },
): Lookup {
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': identity.accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': identity.region,
    'AWS::StackName': identity.stackName,
    'AWS::StackId': `arn:aws:cloudformation:${identity.region}:${identity.accountId}:stack/${identity.stackName}/local`,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  return {
    ref: (name) => pseudo[name] ?? parameters.get(name) ?? resources.refOf(name),
    attribute: (id, attribute) => resources.attributeOf(id, attribute),
    condition: (name) => source.Conditions[name],
  };
}

/** The resources whose condition holds. */
export function activeResources(source: Template, lookup: Lookup): ReadonlyMap<string, TemplateResource> {
  return new Map(Object.entries(source.Resources).filter(([, { Condition }]) => Condition === undefined || holds({ Condition }, lookup)));
}
