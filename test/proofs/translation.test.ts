import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compilePolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import { allowed, type Policies } from './model/decision.ts';
import { and, Request } from './model/formula.ts';
import type { Caller } from './model/patterns.ts';
import { scriptFor, withAssertions } from './model/smt.ts';
import { openSolver } from './model/solver.ts';
import { Translation } from './model/translate.ts';
import { accountId, policies, principal, request, roleArn, tags } from './random.ts';

const solver = await openSolver();
afterAll(() => solver.close());

type RandomPolicies = typeof policies extends fc.Arbitrary<infer T> ? T : never;
type RandomTags = typeof tags extends fc.Arbitrary<infer T> ? T : never;
type RandomRequest = typeof request extends fc.Arbitrary<infer T> ? T : never;

const named = ({ identity, boundary, resource, resourceRequired, acrossAccounts }: RandomPolicies): Policies => ({
  identity: identity.map((document, index) => ({ name: `Identity${index}`, document })),
  ...(boundary && { boundary: { name: 'Boundary', document: boundary } }),
  ...(resource && { resource: { name: 'Resource', document: resource } }),
  resourceRequired,
  acrossAccounts,
});

function evaluators({ action, resource, keys, lists }: RandomRequest, { tenant, user }: RandomTags, of: Policies): boolean {
  return evaluate({
    principal,
    action,
    resource,
    context: requestContext({
      'aws:PrincipalArn': roleArn,
      'aws:PrincipalTag/TenantId': tenant,
      'aws:PrincipalTag/UserId': user,
      ...keys,
      ...lists,
    }),
    identity: of.identity.map(({ name, document }) => compilePolicy(name, 'identity', document)),
    ...(of.boundary && { boundary: compilePolicy(of.boundary.name, 'boundary', of.boundary.document) }),
    ...(of.resource && { resourcePolicy: compilePolicy(of.resource.name, 'resource', of.resource.document) }),
    resourceAccountId: of.acrossAccounts === true ? '444455556666' : accountId,
    ...(of.resourceRequired !== undefined && { resourcePolicyRequired: of.resourceRequired }),
  }).allowed;
}

/** For each request, whether the solver finds one with just these values that is allowed. */
function solvers(requests: readonly RandomRequest[], { tenant, user }: RandomTags, of: Policies): boolean[] {
  const known = new Map([
    ['aws:principalarn', roleArn],
    ['aws:principaltag/tenantid', tenant],
    ['aws:principaltag/userid', user],
  ]);
  const caller: Caller = { principal, known, bounded: of.boundary !== undefined };
  const asked = new Request();
  const say = new Translation(asked, caller);
  const decision = allowed(say, of);
  const pinned = requests.map(({ action, resource, keys, lists }) =>
    and(
      say.asks(action),
      say.is('resource', 'exact', resource),
      ...Object.entries(keys).map(([key, value]) => say.holds(key, value === undefined ? [] : [value])),
      ...Object.entries(lists).map(([key, values]) => say.holds(key, values)),
    ),
  );
  const script = scriptFor(asked, decision);
  const answers: boolean[] = [];
  for (const one of pinned) answers.push(solver.solve(withAssertions(script, [script.print(one)])).satisfiable);
  return answers;
}

describe('I8 the translation says what the evaluator says', () => {
  it('for thousands of random requests and policies', () => {
    let allowedOnes = 0;
    fc.assert(
      fc.property(policies, tags, fc.array(request, { minLength: 10, maxLength: 10 }), (those, session, requests) => {
        const of = named(those);
        const expected = requests.map((one) => evaluators(one, session, of));
        allowedOnes += expected.filter(Boolean).length;
        expect(solvers(requests, session, of)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
    // Agreement on refusals alone would show little.
    expect(allowedOnes).toBeGreaterThan(50);
  }, 180_000);
});
