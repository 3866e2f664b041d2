/** What becomes of one mutant: killed, by whatever notices first; the same policy in other words; redundant; or alive. */
import { compilePolicy } from '../../local/iam/evaluate.ts';
import { MalformedPolicy } from '../../local/iam/malformed-policy.ts';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import { concerns, type Question, type Session } from '../proofs/model/question.ts';
import { everyQuestion } from '../proofs/model/questions.ts';
import type { Solver } from '../proofs/model/solver.ts';
import type { Stack } from '../proofs/model/stack.ts';
import { structureProblems } from '../support/policy-structure.ts';
import { decidedOtherwise, differences, isOfResource } from './difference.ts';
import type { Mutant } from './mutate.ts';
import { knownRequests } from './requests.ts';
import { createRights } from './rights.ts';

export type Verdict =
  /** `by`: the kind of what noticed. */
  | { readonly kind: 'killed'; readonly by: 'request' | 'powers' | 'proof' | 'text'; readonly what: string }
  /** IAM would not take it. */
  | { readonly kind: 'malformed'; readonly what: string }
  /** The solver finds no request on which the two statements differ. */
  | { readonly kind: 'equivalent' }
  /** The statements differ, and no request is decided otherwise: another rule says the same. */
  | { readonly kind: 'redundant' }
  /** `what`: a request that is decided otherwise. */
  | { readonly kind: 'alive'; readonly what: string };

export interface Judge {
  judge(policy: string, mutant: Mutant): Verdict;
}

/** What notices a wrong policy soonest comes first: the evaluator on requests that are known, then what everybody may do at all, then the proofs. */
export function createJudge(stack: Stack, solver: Solver): Judge {
  const requests = knownRequests(stack);
  const rights = createRights(stack, solver);
  /** The property that the last mutant of a statement broke is likely broken again. */
  const broken = new Map<string, string>();

  const proofBreaks = (policy: string, mutant: Mutant, mutated: Stack, sessions: readonly Session[]): string | undefined => {
    const statement = `${policy} ${mutant.statement}`;
    const first = broken.get(statement);
    const questions = everyQuestion(mutated).filter(
      (question) => question.ask.uses.includes(policy) && concerns(question, mutant.before, mutant.after) && isIn(sessions, question),
    );
    const isFirst = ({ ask }: Question): number => (ask.property === first ? 0 : 1);
    for (const question of questions.sort((one, another) => isFirst(one) - isFirst(another))) {
      if (!solver.solve(question.script()).satisfiable) continue;
      broken.set(statement, question.ask.property);
      return question.name;
    }
    return undefined;
  };

  return {
    judge(policy, mutant) {
      const malformed = malformedBecause(policy, mutant.document);
      if (malformed !== undefined) return { kind: 'malformed', what: malformed };
      const mutated: Stack = { ...stack, policies: new Map([...stack.policies, [policy, mutant.document]]) };
      const request = requests.find(({ uses, isAsKnown }) => uses.includes(policy) && !isAsKnown(mutated));
      if (request !== undefined) return { kind: 'killed', by: 'request', what: request.name };
      const changed = rights.changedBy(policy, mutant, mutated);
      if (changed !== undefined) return { kind: 'killed', by: 'powers', what: changed };
      const different = differences(stack, policy, mutant, solver);
      if (different.length === 0) return { kind: 'equivalent' };
      const growing = different.flatMap(({ session, grows }) => (grows && session !== undefined ? [session] : []));
      const proof = growing.length === 0 ? undefined : proofBreaks(policy, mutant, mutated, growing);
      if (proof !== undefined) return { kind: 'killed', by: 'proof', what: proof };
      // Last, for a comparison of texts says little: what it alone notices is counted by itself.
      const [problem] = structureProblems(mutated.policies);
      if (problem !== undefined) return { kind: 'killed', by: 'text', what: problem };
      const otherwise = decidedOtherwise(stack, mutated, policy, different, solver);
      return otherwise === undefined ? { kind: 'redundant' } : { kind: 'alive', what: otherwise };
    },
  };
}

/** Proofs about those who differ; the few about anybody else, such as services, are asked too. */
function isIn(sessions: readonly Session[], { ask: { session, policies } }: Question): boolean {
  if (policies.acrossAccounts === true) return true;
  return sessions.some(
    ({ principal, tenant, user }) => principal.name === session.principal.name && tenant === session.tenant && user === session.user,
  );
}

function malformedBecause(policy: string, document: PolicyDocument): string | undefined {
  try {
    compilePolicy(policy, isOfResource(policy) ? 'resource' : 'identity', document);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedPolicy) return error.message;
    throw error;
  }
}
