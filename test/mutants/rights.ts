/** What somebody may do at all, before and after a policy was changed: `test/proofs/powers.txt`, of which each line is a test. */

import type { PolicyStatement } from '../../local/iam/policy.ts';
import { globMatches, globPattern } from '../../local/iam/wildcards.ts';
import { list } from '../proofs/model/lists.ts';
import { type Power, powersOf } from '../proofs/model/powers.ts';
import type { Solver } from '../proofs/model/solver.ts';
import type { Stack } from '../proofs/model/stack.ts';
import { type Things, thingsOf } from '../proofs/model/things.ts';
import { type View, viewsOf } from '../proofs/model/views.ts';
import type { Mutant } from './mutate.ts';

export interface Rights {
  /** Who may do more or less than is written down; undefined when nobody does. */
  changedBy(policy: string, mutant: Mutant, mutated: Stack): string | undefined;
}

export function createRights(stack: Stack, solver: Solver): Rights {
  const things = thingsOf(stack);
  const views = viewsOf(stack);
  const before = new Map<number, readonly Power[]>();
  /** Who noticed the last time that this statement was changed will likely notice again. */
  const noticed = new Map<string, number>();
  return {
    changedBy(policy, mutant, mutated) {
      const matters = mattersTo(things, mutant.before, mutant.after);
      const statement = `${policy} ${mutant.statement}`;
      const first = noticed.get(statement);
      const concerned = views.flatMap(({ uses }, index) => (uses.includes(policy) ? [index] : []));
      const after = viewsOf(mutated);
      for (const index of first === undefined ? concerned : [first, ...concerned.filter((one) => one !== first)]) {
        const [view, changed] = [views[index], after[index]];
        if (view === undefined || changed === undefined) throw new Error('a changed policy has made other views');
        const was = before.get(index) ?? powersOf(view, things, solver);
        before.set(index, was);
        const is = powersOf(changed, things, solver, (action) => matters.has(action));
        if (textOf(was.filter(({ action }) => matters.has(action))) === textOf(is)) continue;
        noticed.set(statement, index);
        return nameOf(view);
      }
      return undefined;
    },
  };
}

const nameOf = ({ subject, who }: View): string => (who === undefined ? subject : `${subject}, asked by ${who}`);

const textOf = (powers: readonly Power[]): string =>
  powers
    .map(({ action, resource, needs }) => `${action} ${resource} ${needs}`)
    .sort()
    .join('\n');

/** The actions that one of the statements is about. */
function mattersTo({ actions }: Things, ...statements: readonly (PolicyStatement | undefined)[]): ReadonlySet<string> {
  return new Set(
    actions.filter((action) =>
      statements.some((statement) => {
        if (statement === undefined) return false;
        const { Action, NotAction } = statement;
        const matched = list(Action ?? NotAction).some((text) => globMatches(globPattern(text.toLowerCase()), action.toLowerCase()));
        return matched === (Action !== undefined);
      }),
    ),
  );
}
