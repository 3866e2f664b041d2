/** Everything that a principal may do at all, as deployed: each known action for which some request is allowed. */
import { knownActionsOf } from '../../../local/iam/known-actions.ts';
import { allowed } from './decision.ts';
import { and, type Formula, not, Request } from './formula.ts';
import { deployed } from './lenses.ts';
import { own } from './letters.ts';
import { callerOfSession, tenantServices } from './question.ts';
import { scriptFor, withAssertions } from './smt.ts';
import type { Solver } from './solver.ts';
import type { Principal, Stack } from './stack.ts';
import { Translation } from './translate.ts';

const actions = [...tenantServices, 'events', 'lambda', 'logs', 'sqs'].flatMap(knownActionsOf);

const remembered = new WeakMap<Stack, Map<string, Promise<readonly string[]>>>();

/** E.g. `kms:Decrypt`, in order. Key and trust policies are left open: what they add is asked elsewhere. */
export function powersOf(stack: Stack, principal: Principal, solver: Solver): Promise<readonly string[]> {
  const known = remembered.get(stack) ?? new Map<string, Promise<readonly string[]>>();
  remembered.set(stack, known);
  const found = known.get(principal.name) ?? find(stack, principal, solver);
  known.set(principal.name, found);
  return found;
}

async function find(stack: Stack, principal: Principal, solver: Solver): Promise<readonly string[]> {
  const request = new Request();
  const session = { principal, ...(principal.kind === 'tenant' && { tenant: own }) };
  request.declare('action', { several: false, required: true, preferred: actions, closed: true });
  const say = new Translation(request, callerOfSession(session));
  const script = scriptFor(request, allowed(say, deployed(stack, principal).policies));
  // Actions that no statement tells apart are answered together.
  const alike = new Map<string, string[]>();
  for (const action of actions) {
    const key = request.answers('action', action).map(Number).join('');
    alike.set(key, [...(alike.get(key) ?? []), action]);
  }
  const found: string[] = [];
  for (const [key, those] of alike) {
    const tests = [...key].map(
      (answer, test): Formula => (answer === '1' ? { op: 'is', slot: 'action', test } : not({ op: 'is', slot: 'action', test })),
    );
    if ((await solver.solve(withAssertions(script, [script.print(and(...tests))]))).satisfiable) found.push(...those);
  }
  return found.sort();
}
