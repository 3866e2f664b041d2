/** Loads a synthesized template into the local cloud: every resource by the API call CloudFormation would make, in the order of its dependencies. */
import type { Kernel } from '../core/service.ts';
import { makeInOrder } from './dependencies.ts';
import { isFields, resolve, TemplateError } from './intrinsics.ts';
import { type ParameterValue, parametersOf } from './parameters.ts';
import { type CreatedResource, physicalName, type ResourceContext } from './resource-handler.ts';
import { handlers } from './resources/index.ts';
import { activeResources, lookupFor, outputsOf, readTemplate, type Template, type TemplateResource } from './template.ts';

export interface StackResource extends CreatedResource {
  readonly type: string;
}

export interface LoadedStack {
  readonly outputs: Readonly<Record<string, string>>;
  readonly source: Template;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
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
  const parameters = parametersOf(source, options.parameters ?? {});
  const lookup = lookupFor(source, { stackName, accountId, region }, parameters, {
    refOf: (id) => created.get(id)?.physicalId,
    attributeOf: (id, attribute) => created.get(id)?.attributes[attribute],
  });
  const active = activeResources(source, lookup);
  for (const [id, { Type }] of active)
    if (!Object.hasOwn(handlers, Type)) throw new TemplateError(`${id}: the resource type ${Type} is not known here.`);

  const root = kernel.rootCaller(accountId);
  await makeInOrder(active, async (id: string, { Type, Properties }: TemplateResource): Promise<void> => {
    const context: ResourceContext = {
      logicalId: id,
      accountId,
      region,
      call: (service, operation, input) => kernel.call(root, service, operation, withoutUndefined(input)),
      physicalName: (maxLength) => physicalName(stackName, id, maxLength),
      // A load that fails is not taken back: the cloud goes as a whole.
      made: () => undefined,
    };
    try {
      const properties = resolve(Properties, lookup);
      const handler = handlers[Type];
      if (handler === undefined || !isFields(properties)) throw new TemplateError('its properties are not an object');
      created.set(id, { type: Type, ...(await handler.create(properties, context)) });
    } catch (cause) {
      throw new TemplateError(`${id} (${Type}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  });
  const outputs = outputsOf(source, lookup).map(({ key, value }) => [key, value]);
  return { source, parameters, outputs: Object.fromEntries(outputs), resources: Object.fromEntries(created) };
}

/** A property that was not given is not sent: services tell an absent member from an undefined one. */
export function withoutUndefined(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
