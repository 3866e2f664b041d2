/** Which actions there are to be asked for, and the plain word for what one of them does. */
import { knownActionsOf } from '../../local/iam/known-actions.ts';
import type { PolicyStatement } from '../../local/iam/policy.ts';
import type { Stack } from './stack-model.ts';

/**
 * Every action of a service: those the catalog knows, those that a policy of the stack names, and for each pattern with a wildcard one that fits it, so that a
 * grant in a service without a catalog is found too.
 */
export function createActions(stack: Pick<Stack, 'documents'>): (service: string) => readonly string[] {
  const named = stack.documents.flatMap(({ Statement }) => statements(Statement).flatMap(patternsIn));
  const known = new Map<string, readonly string[]>();
  return (service) => {
    const before = known.get(service);
    if (before !== undefined) return before;
    const fitting = named
      .filter((pattern) => pattern === '*' || pattern.startsWith(`${service}:`))
      .map((pattern) => (pattern === '*' ? `${service}:Anything` : pattern.replaceAll('*', 'Anything').replaceAll('?', 'x')));
    const catalog = knownActionsOf(service);
    // The catalog is the whole of a service that it has: an action made up is refused there.
    const actions = [...new Set(catalog.length === 0 ? fitting : catalog)];
    known.set(service, actions);
    return actions;
  };
}

/** `NotAction` names what is left out: everything else is meant. */
function patternsIn({ Action, NotAction }: PolicyStatement): readonly string[] {
  return NotAction === undefined ? [Action ?? []].flat() : ['*'];
}

function statements(statement: PolicyStatement | readonly PolicyStatement[]): readonly PolicyStatement[] {
  return [statement].flat();
}

const verbs: readonly (readonly [RegExp, string])[] = [
  [/^secretsmanager:(Describe|List)/, 'list'],
  [/^secretsmanager:TagResource$/, 'create'],
  [/^dynamodb:PartiQLInsert$/, 'add'],
  [/^kms:(Decrypt|ReEncrypt)/, 'decrypt'],
  [/^kms:(Encrypt|GenerateDataKey)/, 'encrypt'],
  [/^kms:Sign$/, 'sign'],
  [/^kms:(Cancel|Disable|Enable|Put|Schedule|Tag|Untag|Update)/, 'administer'],
  [/^sts:(AssumeRole|TagSession)$/, 'become'],
  [/^sqs:Receive/, 'receive'],
  [/:(SendMessage|PutEvents|StartMessageMoveTask)$/, 'send'],
  [/:InvokeFunction$/, 'call'],
  [/:(BatchGet|Get|Describe|Head|List|Query|Scan|Filter|Lookup|ConditionCheck|PartiQLSelect|View|Verify)/, 'read'],
  [/:(Create|Run|Import)/, 'create'],
  [/:(Delete|Remove|Purge)/, 'delete'],
];

/** The plain word for an action; `change` for whatever has none of its own. */
export function verbOf(action: string): string {
  return verbs.find(([pattern]) => pattern.test(action))?.[1] ?? 'change';
}
