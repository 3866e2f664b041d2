/** How one resource type is made from its properties, by the same API calls an administrator would use. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import { type Fields, TemplateError } from './intrinsics.ts';

export interface ResourceContext {
  readonly logicalId: string;
  readonly accountId: string;
  readonly region: string;
  /** Calls a service as whoever deploys. */
  call(service: string, operation: string, input: object): Promise<Record<string, unknown>>;
  /** A name like CloudFormation's: `{stack}-{logicalId}-{8 characters}`, the same at each load, at most `maxLength` long. */
  physicalName(maxLength: number): string;
  /** Tells, within `create`, that the resource exists from here on: when a later call fails, a rollback has to remove it. */
  made(resource: CreatedResource): void;
}

export interface CreatedResource {
  /** What `Ref` gives. */
  readonly physicalId: string;
  /** What `Fn::GetAtt` gives. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ResourceHandler {
  create(properties: Fields, context: ResourceContext): Promise<CreatedResource>;
  /** Brings what was created from `before` in line with `properties`. A type without it cannot be changed in a stack here. */
  update?(properties: Fields, before: Fields, resource: CreatedResource, context: ResourceContext): Promise<void>;
  /** Succeeds when the resource is gone already. A type without it cannot be part of a stack that the CloudFormation service makes. */
  remove?(properties: Fields, resource: CreatedResource, context: ResourceContext): Promise<void>;
}
export type ResourceHandlers = Readonly<Record<string, ResourceHandler>>;

/**
 * A handler whose properties are described by a strict schema: what neither the schema nor `ignored` names refuses the load. `ignored`
 * says of each property why it makes no difference to the local cloud.
 */
export function resource<S extends z.ZodType>(
  schema: S,
  ignored: Readonly<Record<string, string>>,
  create: (properties: z.output<S>, context: ResourceContext) => Promise<CreatedResource>,
  later: {
    readonly update?: (properties: z.output<S>, before: z.output<S>, resource: CreatedResource, context: ResourceContext) => Promise<void>;
    readonly remove?: (properties: z.output<S>, resource: CreatedResource, context: ResourceContext) => Promise<void>;
  } = {},
): ResourceHandler {
  const parse = (properties: Fields): z.output<S> => {
    const used = Object.fromEntries(Object.entries(properties).filter(([name]) => !Object.hasOwn(ignored, name)));
    const parsed = schema.safeParse(used);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const at = (issue?.path ?? []).join('.');
    if (issue?.code === 'unrecognized_keys')
      throw new TemplateError(`the property ${[at, issue.keys[0]].filter(Boolean).join('.')} is not known here`);
    throw new TemplateError(`the property ${at || '(all)'} is not usable: ${issue?.message}`);
  };
  const { update, remove } = later;
  return {
    create: async (properties, context) => await create(parse(properties), context),
    ...(update && {
      update: async (properties, before, resource, context) => await update(parse(properties), parse(before), resource, context),
    }),
    ...(remove && { remove: async (properties, resource, context) => await remove(parse(properties), resource, context) }),
  };
}

/** What is gone already need not be removed: `codes` are the service's for that. */
export async function unlessGone(removing: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  await removing.catch((error: unknown) => {
    if (!(error instanceof AwsError && codes.includes(error.code))) throw error;
  });
}

export const tagList = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional();
export const tagMap = (tags: z.output<typeof tagList>): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value]));
export const policyDocument = z.looseObject({ Statement: z.unknown() });

/** A member of an API answer that must be text. */
export function textOf(answer: unknown, ...path: readonly string[]): string {
  let value = answer;
  for (const name of path)
    value = typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
  if (typeof value !== 'string') throw new TemplateError(`the answer has no ${path.join('.')}`);
  return value;
}

export function physicalName(stackName: string, logicalId: string, maxLength: number): string {
  const suffix = createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 8).toUpperCase();
  return `${`${stackName}-${logicalId}`.slice(0, maxLength - suffix.length - 1)}-${suffix}`;
}
