/** What to ask about when everything is asked about: every action and every resource, and of each service one that nobody has heard of. */
import { knownActionsOf } from '../../../local/iam/known-actions.ts';
import type { PolicyStatement } from '../../../local/iam/policy.ts';
import { forTenant } from './dedicated.ts';
import { other, own, self } from './letters.ts';
import { list } from './lists.ts';
import { account, region, type Stack } from './stack.ts';

export interface Things {
  readonly actions: readonly string[];
  /** What an action may be asked for on. */
  readonly resourcesOf: (action: string) => readonly string[];
  readonly resources: readonly string[];
  /** What the policies compare a condition key with, given in lower case, and something else. */
  readonly valuesOf: (key: string) => readonly string[];
}

const services = ['dynamodb', 'events', 'iam', 'kms', 'lambda', 'logs', 'secretsmanager', 'sqs', 'sts', 'tag'];
/** Of which service the resources are, where it is not the action's own. */
const elsewhere: Readonly<Record<string, string>> = { sts: 'iam' };
export const unheardOf = 'Another';

export function thingsOf({ policies, resources }: Stack): Things {
  const statements = [...policies.values()].flatMap((document) =>
    [own, other].flatMap((tenant) => list(forTenant(document, tenant).Statement)),
  );
  const named = statements.flatMap(({ Action, NotAction }) => list(Action ?? NotAction)).filter((action) => !/[*?]/.test(action));
  const known = services.flatMap(knownActionsOf);
  const lower = new Set(known.map((action) => action.toLowerCase()));
  const actions = [...known, ...named.filter((action) => !lower.has(action.toLowerCase()))];
  const all = [...new Set([...actions, ...serviceNames(actions).map((service) => `${service}:${unheardOf}`)])].sort();

  const patterns = statements
    .flatMap(({ Resource, NotResource }) => list(Resource ?? NotResource))
    .filter((text) => text.startsWith('arn:'));
  const arns = new Map<string, Set<string>>();
  const add = (arn: string): void => {
    const service = arn.split(':')[2] ?? '';
    arns.set(service, (arns.get(service) ?? new Set()).add(arn));
  };
  for (const arn of resources) add(arn);
  for (const text of patterns) for (const tenant of [own, other]) add(filled(text, tenant));
  for (const service of serviceNames(all)) add(`arn:aws:${service}:${service === 'iam' ? '' : region}:${account}:${unheardOf}`);
  const ofService = new Map([...arns].map(([service, those]) => [service, [...those, '*'].sort()]));
  const resourcesOf: Things['resourcesOf'] = (action) => {
    const [service = ''] = action.split(':');
    return ofService.get(elsewhere[service] ?? service) ?? ['*'];
  };
  const values = valuesIn(statements);
  return {
    actions: all,
    resourcesOf,
    resources: [...new Set([...ofService.values()].flat())],
    valuesOf: (key) => values.get(key) ?? [unheardOf],
  };
}

/** By condition key in lower case. */
function valuesIn(statements: readonly PolicyStatement[]): Map<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { Condition = {} } of statements) {
    for (const [key, value] of Object.values(Condition).flatMap((keys) => Object.entries(keys))) {
      const those = found.get(key.toLowerCase()) ?? new Set<string>();
      found.set(key.toLowerCase(), those);
      for (const text of [value].flat()) for (const tenant of [own, other]) those.add(filled(String(text), tenant));
    }
  }
  return new Map([...found].map(([key, those]) => [key, [...those, unheardOf].sort()]));
}

const serviceNames = (actions: readonly string[]): string[] => [...new Set(actions.map((action) => action.split(':')[0] ?? ''))];

/** A text that the pattern matches for this tenant. */
function filled(text: string, tenant: string): string {
  return text
    .replaceAll(/\$\{aws:PrincipalTag\/UserId[^}]*\}/gi, self)
    .replaceAll(/\$\{aws:PrincipalTag\/TenantId[^}]*\}/gi, tenant)
    .replaceAll(/\$\{[?*$]\}/g, 'x')
    .replaceAll(/[*?]/g, 'x');
}
