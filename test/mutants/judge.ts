/** What becomes of one mutant: killed by a proof or by something that has to stay possible, the same policy in other words, or alive. */

import { compilePolicy } from '../../local/iam/evaluate.ts';
import { MalformedPolicy } from '../../local/iam/malformed-policy.ts';
import type { PolicyDocument, PolicyStatement } from '../../local/iam/policy.ts';
import { operatorOf } from '../proofs/model/chains.ts';
import { allowed } from '../proofs/model/decision.ts';
import { and, type Formula, not, or, Request } from '../proofs/model/formula.ts';
import { tenantRoles } from '../proofs/model/isolation.ts';
import { deployed, keyPolicyOf, policyOf, trustOf } from '../proofs/model/lenses.ts';
import { own, self } from '../proofs/model/letters.ts';
import { powersOf } from '../proofs/model/powers.ts';
import { callerOfSession, concerns } from '../proofs/model/question.ts';
import { everyQuestion } from '../proofs/model/questions.ts';
import { scriptFor } from '../proofs/model/smt.ts';
import type { Solver } from '../proofs/model/solver.ts';
import { ownerOf, type Principal, type Stack } from '../proofs/model/stack.ts';
import { Translation } from '../proofs/model/translate.ts';
import type { Mutant } from './mutate.ts';

export type Verdict = { readonly kind: 'killed' | 'equivalent' | 'redundant' | 'alive' | 'malformed'; readonly by: string };

/** Enough to speak for the others, which carry the same policy: of the tenants' roles by what they may do, of the functions one. */
const speakers =
  /^(TenantReader|TenantWriter|TenantSupplier|TenantProvisioner|TenantAgent-.*|ByocConnector|SessionsFunction.*|Operations)$/;
const isShared = (policy: string): boolean => /^managed (TenantIsolation|TenantBoundary|FunctionBoundary|Revoked)$/.test(policy);

export async function judge(stack: Stack, policy: string, mutant: Mutant, solver: Solver): Promise<Verdict> {
  const malformed = malformedBecause(policy, mutant.document);
  if (malformed !== undefined) return { kind: 'malformed', by: malformed };
  if (await isEquivalent(stack, policy, mutant, solver)) return { kind: 'equivalent', by: 'the solver' };
  const mutated: Stack = { ...stack, policies: new Map([...stack.policies, [policy, mutant.document]]) };
  const carriers = carriersOf(stack, policy).filter(({ name }) => !isShared(policy) || speakers.test(name));
  for (const principal of carriers) {
    const before = await powersOf(stack, principal, solver);
    const after = await powersOf(mutated, principal, solver);
    if (before.join() !== after.join()) return { kind: 'killed', by: `what ${principal.name} may do` };
  }
  for (const question of everyQuestion(mutated)) {
    if (!question.ask.uses.includes(policy) || !concerns(question, mutant.before, mutant.after)) continue;
    if (isShared(policy) && !speakers.test(question.ask.session.principal.name)) continue;
    if ((await solver.solve(question.script())).satisfiable) return { kind: 'killed', by: question.ask.property };
  }
  return (await isRedundant(stack, mutated, policy, solver))
    ? { kind: 'redundant', by: 'no request is decided otherwise as deployed' }
    : { kind: 'alive', by: '' };
}

function malformedBecause(policy: string, document: PolicyDocument): string | undefined {
  try {
    compilePolicy(policy, /^(key|trust|resource) /.test(policy) ? 'resource' : 'identity', document);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedPolicy) return error.message;
    throw error;
  }
}

function carriersOf(stack: Stack, policy: string): Principal[] {
  return [...stack.principals, operatorOf()].filter(
    ({ identity, boundary, ...principal }) => (ownerOf(principal) ?? own) === own && (identity.includes(policy) || boundary === policy),
  );
}

/** Callers who differ in what policies say of them. */
function callersOf(stack: Stack, policy: string) {
  const carriers = carriersOf(stack, policy);
  const principals =
    carriers.length > 0 ? carriers : [...tenantRoles(stack), ...stack.principals.filter(({ kind }) => kind === 'function')];
  return principals.flatMap((principal) =>
    principal.kind === 'tenant'
      ? [{ principal, tenant: own }, { principal, tenant: own, user: self }, { principal }, { principal, tenant: '' }]
      : [{ principal }],
  );
}

/** The same statements in other words: each effect is had by the same requests, whoever asks. */
async function isEquivalent(stack: Stack, policy: string, { before, after }: Mutant, solver: Solver): Promise<boolean> {
  const inResource = /^(key|trust|resource) /.test(policy);
  const version = '2012-10-17';
  for (const session of callersOf(stack, policy)) {
    const request = new Request();
    const say = new Translation(request, callerOfSession(session));
    const applies = (statement: PolicyStatement | undefined, effect: 'Allow' | 'Deny'): Formula =>
      statement === undefined
        ? false
        : or(...say.statements({ Version: version, Statement: [statement] }, effect, inResource).map((one) => one.applies));
    const differs = or(...(['Allow', 'Deny'] as const).map((effect) => xor(applies(before, effect), applies(after, effect))));
    if (differs === false) continue;
    request.declare('action', { several: false, required: true, preferred: [] });
    if ((await solver.solve(scriptFor(request, differs))).satisfiable) return false;
  }
  return true;
}

const xor = (one: Formula, another: Formula): Formula => or(and(one, not(another)), and(not(one), another));

/** Another wall says the same as deployed: no request of those who carry the policy is decided otherwise. */
async function isRedundant(stack: Stack, mutated: Stack, policy: string, solver: Solver): Promise<boolean> {
  const resources = (of: Stack) => [
    undefined,
    ...of.keys.map((key) => keyPolicyOf(of, key)),
    ...of.principals.filter(({ trust }) => trust !== undefined).map((principal) => trustOf(of, principal)),
    ...[...of.guarded.keys()].map((id) => ({ id, ...policyOf(of, id) })),
  ];
  const [before, after] = [resources(stack), resources(mutated)];
  for (const session of callersOf(stack, policy)) {
    for (const [index, resource] of before.entries()) {
      // What is attached to a resource speaks with that resource alone.
      if (/^(key|trust|resource) /.test(policy) ? resource?.id !== policy : resource !== undefined) continue;
      const request = new Request();
      const say = new Translation(request, callerOfSession(session));
      const decided = (of: Stack, at: (typeof before)[number]): Formula => allowed(say, deployed(of, session.principal, at).policies);
      request.declare('action', { several: false, required: true, preferred: [] });
      const differs = xor(decided(stack, resource), decided(mutated, after[index]));
      if (differs !== false && (await solver.solve(scriptFor(request, differs))).satisfiable) return false;
    }
  }
  return true;
}
