/** A synthesized template, read and checked; and the values that stand for its parameters and pseudo parameters. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { holds, type Lookup, resolve, TemplateError } from './intrinsics.ts';
import { type ParameterValue, parameter } from './parameters.ts';

const resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).default([]),
  Condition: z.string().optional(),
  /** For people and for CDK. */
  Metadata: z.unknown().optional(),
  /** `Retain` keeps the resource when its stack is deleted. */
  DeletionPolicy: z.string().optional(),
  /** Nothing is replaced here. */
  UpdateReplacePolicy: z.string().optional(),
});
const template = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: z.unknown().optional(),
  Parameters: z.record(z.string(), parameter).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), resource),
  Outputs: z
    .record(
      z.string(),
      z.looseObject({
        Value: z.unknown(),
        Condition: z.string().optional(),
        Description: z.string().optional(),
        Export: z.unknown().optional(),
      }),
    )
    .default({}),
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
  /** Of a stack made by the CloudFormation service. */
  readonly stackId?: string;
}

/** The ID of the stack that the local cloud is loaded with. */
export function ownStackId({ region, accountId, stackName }: StackIdentity): string {
  return `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/local`;
}

/** The lookup of a template whose resources are found by `refOf` and `attributeOf`. */
export function lookupFor(
  source: Template,
  identity: StackIdentity,
  parameters: ReadonlyMap<string, ParameterValue>,
  resources: { refOf(id: string): string | undefined; attributeOf(id: string, attribute: string): string | undefined },
): Lookup {
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': identity.accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': identity.region,
    'AWS::StackName': identity.stackName,
    'AWS::StackId': identity.stackId ?? ownStackId(identity),
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

/** The outputs whose condition holds, in the template's order. */
export function outputsOf(source: Template, lookup: Lookup): readonly { key: string; value: string; description: string | undefined }[] {
  return Object.entries(source.Outputs)
    .filter(([, { Condition }]) => Condition === undefined || holds({ Condition }, lookup))
    .map(([key, { Value, Description }]) => ({ key, value: String(resolve(Value, lookup)), description: Description }));
}
