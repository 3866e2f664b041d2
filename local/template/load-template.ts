/** Loads a synthesized template into the local cloud: every resource by the API call CloudFormation would make, in the order of its dependencies. */
import type { Kernel } from '../core/service.ts';
import { isFields, referencesOf, resolve, TemplateError } from './intrinsics.ts';
import { type CreatedResource, physicalName, type ResourceContext } from './resource-handler.ts';
import { handlers } from './resources/index.ts';
import { activeResources, lookupFor, parametersOf, readTemplate, type TemplateResource } from './template.ts';

export interface StackResource extends CreatedResource {
  readonly type: string;
}

export interface LoadedStack {
  readonly outputs: Readonly<Record<string, string>>;
  /** By logical ID. */
  readonly resources: Readonly<Record<string, StackResource>>;
}

/**
 * @param options.parameters values over the template's defaults
 * @param options.stackName begins the generated names; default `Cordon`
 * @throws TemplateError naming the logical ID and what is unknown: a type, a property, a function; or the cycle
 */
export async function loadTemplate(
  kernel: Kernel,
  options: { templatePath: string; parameters?: Readonly<Record<string, string>>; stackName?: string },
): Promise<LoadedStack> {
  const { stackName = 'Cordon' } = options;
  const source = await readTemplate(options.templatePath);
  const { accountId, region } = kernel;
  const created = new Map<string, StackResource>();
  const lookup = lookupFor(source, { stackName, accountId, region }, parametersOf(source, options.parameters ?? {}), {
    refOf: (id) => created.get(id)?.physicalId,
    attributeOf: (id, attribute) => created.get(id)?.attributes[attribute],
  });
  const active = activeResources(source, lookup);
  for (const [id, { Type }] of active)
    if (!Object.hasOwn(handlers, Type)) throw new TemplateError(`${id}: the resource type ${Type} is not known here.`);
  const dependencies = dependenciesOf(active);
  refuseCycles(dependencies);

  const root = kernel.rootCaller(accountId);
  const create = async (id: string, { Type, Properties }: TemplateResource): Promise<void> => {
    const context: ResourceContext = {
      logicalId: id,
      accountId,
      region,
      call: (service, operation, input) => kernel.call(root, service, operation, withoutUndefined(input)),
      physicalName: (maxLength) => physicalName(stackName, id, maxLength),
    };
    try {
      const properties = resolve(Properties, lookup);
      const handler = handlers[Type];
      if (handler === undefined || !isFields(properties)) throw new TemplateError('its properties are not an object');
      created.set(id, { type: Type, ...(await handler.create(properties, context)) });
    } catch (cause) {
      throw new TemplateError(`${id} (${Type}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  };
  const made = new Map<string, Promise<void>>();
  const make = (id: string, resource: TemplateResource): Promise<void> => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const needed = (dependencies.get(id) ?? []).map((dependency) => {
      const other = active.get(dependency);
      return other === undefined ? undefined : make(dependency, other);
    });
    const making = Promise.all(needed).then(() => create(id, resource));
    made.set(id, making);
    return making;
  };
  // All are waited for, also after a failure: nothing may still be under way when the caller hears of it.
  const results = await Promise.allSettled([...active].map(([id, resource]) => make(id, resource)));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;

  const outputs = Object.entries(source.Outputs).map(([key, { Value }]) => [key, String(resolve(Value, lookup))]);
  return { outputs: Object.fromEntries(outputs), resources: Object.fromEntries(created) };
}

function dependenciesOf(active: ReadonlyMap<string, TemplateResource>): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...active].map(([id, { Properties, DependsOn }]) => [
      id,
      [...new Set([...referencesOf(Properties), ...[DependsOn].flat()])].filter((name) => active.has(name)),
    ]),
  );
}

/** @throws TemplateError naming the way round. */
function refuseCycles(dependencies: ReadonlyMap<string, readonly string[]>): void {
  const finished = new Set<string>();
  const visit = (id: string, way: readonly string[]): void => {
    if (finished.has(id)) return;
    if (way.includes(id))
      throw new TemplateError(`The resources depend on each other in a circle: ${[...way.slice(way.indexOf(id)), id].join(' → ')}.`);
    for (const next of dependencies.get(id) ?? []) visit(next, [...way, id]);
    finished.add(id);
  };
  for (const id of dependencies.keys()) visit(id, []);
}

/** A property that was not given is not sent: services tell an absent member from an undefined one. */
function withoutUndefined(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
