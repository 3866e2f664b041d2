/** In which sessions a changed statement makes a difference, by the solver; and whether it makes any to a decision. */
import type { PolicyDocument, PolicyStatement } from '../../local/iam/policy.ts';
import { operatorOf } from '../proofs/model/chains.ts';
import { allowed, type NamedPolicy } from '../proofs/model/decision.ts';
import { forTenant } from '../proofs/model/dedicated.ts';
import { and, type Formula, not, or, Request } from '../proofs/model/formula.ts';
import { deployed, policyOf, trustOf } from '../proofs/model/lenses.ts';
import { other, own, self, spelled } from '../proofs/model/letters.ts';
import type { Caller } from '../proofs/model/patterns.ts';
import { callerOfSession, type Session } from '../proofs/model/question.ts';
import { scriptFor } from '../proofs/model/smt.ts';
import type { Solver } from '../proofs/model/solver.ts';
import { account, ownerOf, type Stack } from '../proofs/model/stack.ts';
import { Translation } from '../proofs/model/translate.ts';
import { visitorsOf } from '../proofs/model/views.ts';
import type { Mutant } from './mutate.ts';
import { possible } from './possible.ts';

/** Whoever asks: a session of a role, or a service. */
export interface Asking {
  readonly name: string;
  readonly caller: Caller;
  readonly session?: Session;
}

export interface Difference extends Asking {
  /** Something may be allowed that was not: an Allow covers more, or a Deny less. */
  readonly grows: boolean;
}

export const isOfResource = (policy: string): boolean => /^(key|trust|resource) /.test(policy);

/** Those who carry the policy, or whoever may stand before a resource. */
function askingOf(stack: Stack, policy: string): Asking[] {
  const carriers = [...stack.principals, operatorOf()].filter(
    (principal) => (ownerOf(principal) ?? own) === own && (principal.identity.includes(policy) || principal.boundary === policy),
  );
  const visitors = isOfResource(policy) ? visitorsOf(stack, [...stack.principals, operatorOf()]) : [];
  const sessions = [...carriers, ...visitors.flatMap(({ principal }) => (principal === undefined ? [] : [principal]))].flatMap(
    (principal): Session[] =>
      principal.kind === 'tenant'
        ? [{ principal, tenant: own }, { principal, tenant: own, user: self }, { principal }, { principal, tenant: '' }]
        : [{ principal }],
  );
  return [
    ...sessions.map((session) => ({
      name: `${session.principal.name}${session.user === undefined ? '' : ' for a user'}`,
      caller: callerOfSession(session),
      session,
    })),
    ...visitors.filter(({ principal }) => principal === undefined),
  ];
}

/** The sessions in which a request has an effect of the statement that it had not, or has not one that it had; none: the same statement in other words. */
export function differences(stack: Stack, policy: string, { before, after }: Mutant, solver: Solver): Difference[] {
  const inResource = isOfResource(policy);
  const here = attachedTo(stack, policy);
  const found: Difference[] = [];
  for (const asking of askingOf(stack, policy)) {
    const request = new Request();
    const say = new Translation(request, asking.caller);
    // What is written for a dedicated tenant is written for its neighbour too.
    const applies = (statement: PolicyStatement | undefined, effect: 'Allow' | 'Deny', tenant: string): Formula =>
      statement === undefined
        ? false
        : or(
            ...say
              .statements(forTenant({ Version: version, Statement: [statement] }, tenant), effect, inResource)
              .map((one) => one.applies),
          );
    const changes = [own, other].map((tenant) => {
      const [allows, nowAllows] = [applies(before, 'Allow', tenant), applies(after, 'Allow', tenant)];
      const [denies, nowDenies] = [applies(before, 'Deny', tenant), applies(after, 'Deny', tenant)];
      return {
        more: or(and(nowAllows, not(allows)), and(denies, not(nowDenies))),
        less: or(and(allows, not(nowAllows)), and(nowDenies, not(denies))),
      };
    });
    const more = or(...changes.map((change) => change.more));
    const less = or(...changes.map((change) => change.less));
    request.declare('action', { several: false, required: true, preferred: [] });
    const some = (what: Formula): boolean =>
      what !== false && solver.solve(scriptFor(request, and(what, possible(say, request), here(say)))).satisfiable;
    const grows = some(more);
    if (grows || some(less)) found.push({ ...asking, grows });
  }
  return found;
}
const version = '2012-10-17';

/** The policy of a queue, bucket, topic or function is asked about that one alone. */
function attachedTo({ guarded }: Stack, policy: string): (say: Translation) => Formula {
  const resources = guarded.get(policy);
  return (say) => (resources === undefined ? true : say.is('resource', 'like', ...resources));
}

const letIn = (name: string, Principal: '*' | { readonly AWS: string }): NamedPolicy => ({
  name,
  document: { Version: version, Statement: [{ Sid: name, Effect: 'Allow', Principal, Action: '*', Resource: '*' }] },
});

interface Door {
  readonly resource?: NamedPolicy;
  /** The one resource that has this policy. */
  readonly at?: string;
  readonly isRequired: boolean;
}
const noDoor: Door = { isRequired: false };

/** What a resource may say: nothing; that everybody comes in, or this role; and for a role, its trust policy. */
function doorsFor(stack: Stack, caller: Caller, session: Session | undefined): Door[] {
  const targets = stack.principals.filter(
    (target) =>
      target.trust !== undefined &&
      new Translation(new Request(), caller).statements(trustOf(stack, target).document, 'Allow', true).length > 0,
  );
  return [
    noDoor,
    { resource: letIn('EveryoneIn', '*'), isRequired: false },
    { resource: letIn('RoleIn', { AWS: session?.principal.arn ?? '' }), isRequired: false },
    ...targets.map((target) => ({ resource: trustOf(stack, target), at: target.arn, isRequired: true })),
  ];
}

/**
 * A request that is decided otherwise in one of these sessions, whatever the resource says of it; undefined when another rule of the principal's says the same.
 * For the policy of a resource: by that policy, whatever IAM says.
 */
export function decidedOtherwise(
  stack: Stack,
  mutated: Stack,
  policy: string,
  askings: readonly Asking[],
  solver: Solver,
): string | undefined {
  for (const { name, caller, session } of askings) {
    for (const { resource, at, isRequired } of isOfResource(policy) ? [noDoor] : doorsFor(stack, caller, session)) {
      const request = new Request();
      const say = new Translation(request, at === undefined ? caller : { ...caller, known: new Map([...caller.known, ['resource', at]]) });
      const decided = (of: Stack): Formula => {
        if (!isOfResource(policy) && session !== undefined)
          return allowed(say, { ...deployed(of, session.principal).policies, ...(resource && { resource }), resourceRequired: isRequired });
        const acrossAccounts = caller.principal.accountId !== account;
        const identity = session === undefined ? [] : [everything];
        return allowed(say, {
          identity,
          resource: policyOf(of, policy, own),
          resourceRequired: !policy.startsWith('resource '),
          acrossAccounts,
        });
      };
      const [was, is] = [decided(stack), decided(mutated)];
      request.declare('action', { several: false, required: true, preferred: [] });
      const differs = or(and(was, not(is)), and(not(was), is));
      if (differs === false) continue;
      // Roles are assumed by what their own trust policies say, which are known.
      const isOpen = resource === undefined || at !== undefined ? true : not(say.asks('sts:*'));
      const answer = solver.solve(scriptFor(request, and(differs, isOpen, possible(say, request), attachedTo(stack, policy)(say))));
      if (!answer.satisfiable) continue;
      const values = [...answer.values].filter(([, value]) => value.length > 0).map(([key, value]) => `${key} = ${value.join(', ')}`);
      return spelled(`${name}: ${values.join(', ')}`);
    }
  }
  return undefined;
}
const everything: NamedPolicy = {
  name: 'Everything',
  document: { Version: version, Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }] } satisfies PolicyDocument,
};
