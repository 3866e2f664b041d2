/** The order in which a template's resources are made: each after those it refers to or names in `DependsOn`, the others beside it. */
import { referencesOf, TemplateError } from './intrinsics.ts';
import type { TemplateResource } from './template.ts';

/**
 * Resolves when all are made. After a failure nothing that depends on it is begun, the rest is waited for, and then the first failure is
 * thrown: nothing may still be under way when the caller hears of it.
 * @throws TemplateError naming a circle, before anything is made
 */
export async function makeInOrder(
  active: ReadonlyMap<string, TemplateResource>,
  make: (id: string, resource: TemplateResource) => Promise<void>,
): Promise<void> {
  const dependencies = dependenciesOf(active);
  refuseCycles(dependencies);
  const made = new Map<string, Promise<void>>();
  const begin = (id: string, resource: TemplateResource): Promise<void> => {
    const known = made.get(id);
    if (known !== undefined) return known;
    const needed = (dependencies.get(id) ?? []).map((dependency) => {
      const other = active.get(dependency);
      return other === undefined ? undefined : begin(dependency, other);
    });
    const making = Promise.all(needed).then(() => make(id, resource));
    made.set(id, making);
    return making;
  };
  const results = await Promise.allSettled([...active].map(([id, resource]) => begin(id, resource)));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
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
