/**
 * What a stack does to its account: makes, changes and removes resources by the calls of the one who asked for it, so that IAM decides on each,
 * and takes everything back when one fails. Source: CloudFormation User Guide, "Stack failure options", "Update behaviors of stack resources".
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { makeInOrder } from '../template/dependencies.ts';
import { type Fields, isFields, resolve, TemplateError } from '../template/intrinsics.ts';
import { withoutUndefined } from '../template/load-template.ts';
import type { ParameterValue } from '../template/parameters.ts';
import type { CreatedResource, ResourceContext, ResourceHandler } from '../template/resource-handler.ts';
import { handlers } from '../template/resources/index.ts';
import { activeResources, lookupFor, outputsOf, type Template, type TemplateResource } from '../template/template.ts';

interface StackResource {
  readonly type: string;
  readonly properties: Fields;
  readonly created: CreatedResource;
  readonly isRetained: boolean;
}

export interface Stack {
  readonly id: string;
  readonly name: string;
  readonly accountId: string;
  readonly region: string;
  readonly createdAt: Date;
  updatedAt?: Date;
  deletedAt?: Date;
  status: string;
  reason: string | undefined;
  source: Template;
  parameters: ReadonlyMap<string, ParameterValue>;
  capabilities: readonly string[];
  tags: readonly { readonly Key: string; readonly Value: string }[];
  outputs: ReturnType<typeof outputsOf>;
  /** By logical ID, in the order of their making. */
  readonly resources: Map<string, StackResource>;
}

export type StackCall = (service: string, operation: string, input: object) => Promise<Record<string, unknown>>;
type Undo = () => Promise<void>;

/** Makes what the template says. Ends in CREATE_COMPLETE, ROLLBACK_COMPLETE or ROLLBACK_FAILED; never rejects. */
export async function createStack(stack: Stack, call: StackCall): Promise<void> {
  const undo: Undo[] = [];
  const failure = await reach(stack, stack.source, stack.parameters, call, undo);
  if (failure === undefined) return end(stack, 'CREATE_COMPLETE');
  await rollBack(stack, undo, failure, 'ROLLBACK');
}

/** Ends in UPDATE_COMPLETE, UPDATE_ROLLBACK_COMPLETE (everything is as before) or UPDATE_ROLLBACK_FAILED; never rejects. */
export async function updateStack(
  stack: Stack,
  to: Pick<Stack, 'source' | 'parameters' | 'capabilities' | 'tags'>,
  call: StackCall,
): Promise<void> {
  const undo: Undo[] = [];
  const before = stack.outputs;
  const failure = await reach(stack, to.source, to.parameters, call, undo);
  if (failure !== undefined) {
    stack.outputs = before;
    return await rollBack(stack, undo, failure, 'UPDATE_ROLLBACK');
  }
  Object.assign(stack, to);
  const wanted = new Set(activeResources(to.source, lookupOf(stack, to.source, to.parameters)).keys());
  // What is left over is removed when everything else is in place; a failure there leaves the update complete, as in AWS.
  const left = await removeAll(stack, call, (id) => !wanted.has(id));
  end(stack, 'UPDATE_COMPLETE', left);
}

/** Ends in DELETE_COMPLETE or, with what stays named, in DELETE_FAILED; never rejects. */
export async function deleteStack(stack: Stack, call: StackCall, now: Date): Promise<void> {
  const left = await removeAll(stack, call, () => true);
  if (left !== undefined) return end(stack, 'DELETE_FAILED', left);
  stack.deletedAt = now;
  stack.outputs = [];
  end(stack, 'DELETE_COMPLETE');
}

function end(stack: Stack, status: string, reason?: string): void {
  stack.status = status;
  stack.reason = reason;
}

/** Whether the template with these parameters would change anything. */
export function isChange(stack: Stack, source: Template, parameters: ReadonlyMap<string, ParameterValue>): boolean {
  return !isDeepStrictEqual(source, stack.source) || !isDeepStrictEqual(parameters, stack.parameters);
}

/** Brings the resources to what the template says; answers why it could not. What is to be done to take it back is added to `undo`. */
async function reach(
  stack: Stack,
  source: Template,
  parameters: ReadonlyMap<string, ParameterValue>,
  call: StackCall,
  undo: Undo[],
): Promise<string | undefined> {
  const failed = new Map<string, string>();
  const make = async (id: string, { Type, Properties, DeletionPolicy }: TemplateResource): Promise<void> => {
    try {
      const properties = resolve(Properties, lookup);
      if (!isFields(properties)) throw new TemplateError('its properties are not an object');
      const existing = stack.resources.get(id);
      const isRetained = DeletionPolicy === 'Retain';
      if (existing === undefined) await create(stack, id, { type: Type, properties, isRetained }, call, undo);
      else await change(stack, id, existing, { type: Type, properties, isRetained }, call, undo);
    } catch (cause) {
      failed.set(id, cause instanceof Error ? cause.message : String(cause));
      throw cause;
    }
  };
  const lookup = lookupOf(stack, source, parameters);
  try {
    await makeInOrder(activeResources(source, lookup), make);
    stack.outputs = outputsOf(source, lookup);
    return undefined;
  } catch (error) {
    if (failed.size === 0) return error instanceof Error ? error.message : String(error);
    const reasons = [...failed].map(([id, reason]) => `${id}: ${reason}`);
    return `The following resource(s) failed: [${[...failed.keys()].join(', ')}]. ${reasons.join(' ')}`;
  }
}

async function create(stack: Stack, id: string, wanted: Omit<StackResource, 'created'>, call: StackCall, undo: Undo[]): Promise<void> {
  const { type, properties } = wanted;
  const made = (created: CreatedResource): void => {
    if (!stack.resources.has(id)) undo.push(() => remove(stack, id, call));
    stack.resources.set(id, { ...wanted, created });
  };
  made(await handlerOf(type).create(properties, contextOf(stack, id, call, made)));
}

async function change(
  stack: Stack,
  id: string,
  existing: StackResource,
  wanted: Omit<StackResource, 'created'>,
  call: StackCall,
  undo: Undo[],
): Promise<void> {
  const { created } = existing;
  stack.resources.set(id, { ...wanted, created });
  undo.push(async () => void stack.resources.set(id, existing));
  if (existing.type === wanted.type && isDeepStrictEqual(existing.properties, wanted.properties)) return;
  const handler = handlerOf(wanted.type);
  if (existing.type !== wanted.type || handler.update === undefined)
    throw new TemplateError(`a change of this ${existing.type} replaces it, which the local cloud does not do`);
  const context = contextOf(stack, id, call);
  // Before the attempt: what it has done when it fails half way is taken back too.
  undo.push(async () => await handler.update?.(existing.properties, wanted.properties, created, context));
  await handler.update(wanted.properties, existing.properties, created, context);
}

async function rollBack(stack: Stack, undo: readonly Undo[], failure: string, status: 'ROLLBACK' | 'UPDATE_ROLLBACK'): Promise<void> {
  end(stack, `${status}_IN_PROGRESS`, failure);
  const stuck: string[] = [];
  for (const step of [...undo].reverse())
    await step().catch((error: unknown) => stuck.push(error instanceof Error ? error.message : String(error)));
  if (stuck.length === 0) end(stack, `${status}_COMPLETE`, failure);
  else end(stack, `${status}_FAILED`, `${failure} The rollback failed: ${stuck.join(' ')}`);
}

/** In reverse order of making, on after a failure; answers what stays and why. */
async function removeAll(stack: Stack, call: StackCall, isMeant: (id: string) => boolean): Promise<string | undefined> {
  const left: string[] = [];
  for (const id of [...stack.resources.keys()].reverse()) {
    if (isMeant(id))
      await remove(stack, id, call).catch((error: unknown) =>
        left.push(`${id}: ${error instanceof Error ? error.message : String(error)}`),
      );
  }
  return left.length === 0 ? undefined : `The following resource(s) failed to delete: ${left.join(' ')}`;
}

async function remove(stack: Stack, id: string, call: StackCall): Promise<void> {
  const resource = stack.resources.get(id);
  if (resource === undefined) return;
  const { type, properties, created, isRetained } = resource;
  if (!isRetained) await handlerOf(type).remove?.(properties, created, contextOf(stack, id, call));
  stack.resources.delete(id);
}

function handlerOf(type: string): ResourceHandler {
  const handler = handlers[type];
  if (handler === undefined) throw new TemplateError(`the resource type ${type} is not known here`);
  return handler;
}

/** Names are drawn from the stack's ID: two stacks of one name, in two accounts or one after the other, share none. */
function contextOf(stack: Stack, id: string, call: StackCall, made: ResourceContext['made'] = () => undefined): ResourceContext {
  const suffix = `-${createHash('sha256').update(`${stack.id}/${id}`).digest('hex').slice(0, 12).toUpperCase()}`;
  return {
    logicalId: id,
    accountId: stack.accountId,
    region: stack.region,
    call: (service, operation, input) => call(service, operation, withoutUndefined(input)),
    physicalName: (maxLength) => `${stack.name}-${id}`.slice(0, maxLength - suffix.length) + suffix,
    made,
  };
}

function lookupOf(stack: Stack, source: Template, parameters: ReadonlyMap<string, ParameterValue>) {
  const identity = { stackName: stack.name, stackId: stack.id, accountId: stack.accountId, region: stack.region };
  return lookupFor(source, identity, parameters, {
    refOf: (id) => stack.resources.get(id)?.created.physicalId,
    attributeOf: (id, attribute) => stack.resources.get(id)?.created.attributes[attribute],
  });
}
