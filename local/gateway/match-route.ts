/** Which resource of an API a path belongs to. Source: API Gateway Developer Guide, "Set up a proxy integration with a proxy resource". */
import type { Method, Resource } from '../services/apigateway-model.ts';

export interface Route {
  readonly resource: Resource;
  readonly method: Method | undefined;
  /** Decoded, by the names in the resource's path. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The resource whose parts match from the left: a literal before `{name}`, that before `{name+}`, which takes the rest. Only resources with
 * a method count. A slash at the end makes no difference. Undefined when nothing matches or the path is not properly encoded.
 */
export function matchRoute(resources: readonly Resource[], path: string, httpMethod: string): Route | undefined {
  const parts = path === '/' ? [] : path.replace(/\/$/, '').slice(1).split('/');
  const root = resources.find(({ parentId }) => parentId === undefined);
  const found = root === undefined ? undefined : descend(resources, root, parts, {});
  if (found === undefined) return undefined;
  const { methods } = found.resource;
  return { ...found, method: methods.get(httpMethod) ?? methods.get('ANY') };
}

type Found = Omit<Route, 'method'>;

function descend(
  resources: readonly Resource[],
  resource: Resource,
  parts: readonly string[],
  parameters: Readonly<Record<string, string>>,
): Found | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return resource.methods.size > 0 ? { resource, parameters } : undefined;
  const children = resources.filter(({ parentId }) => parentId === resource.id);
  const decoded = decode(part);
  if (decoded === undefined) return undefined;

  const literal = children.find(({ pathPart }) => pathPart === decoded);
  const below = literal === undefined ? undefined : descend(resources, literal, rest, parameters);
  if (below !== undefined) return below;

  const variable = children.find(({ pathPart }) => pathPart.startsWith('{') && !pathPart.endsWith('+}'));
  if (variable !== undefined && decoded !== '') {
    const name = variable.pathPart.slice(1, -1);
    const inside = descend(resources, variable, rest, { ...parameters, [name]: decoded });
    if (inside !== undefined) return inside;
  }

  const greedy = children.find(({ pathPart }) => pathPart.endsWith('+}'));
  const all = decode(parts.join('/'));
  if (greedy === undefined || greedy.methods.size === 0 || all === undefined || all === '') return undefined;
  return { resource: greedy, parameters: { ...parameters, [greedy.pathPart.slice(1, -2)]: all } };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone percent sign: no path of any resource.
    return undefined;
  }
}
