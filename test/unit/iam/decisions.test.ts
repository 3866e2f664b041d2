import { describe, expect, it } from 'vitest';
import { compilePolicy, evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import type { Decision, PolicyKind, PolicyStatement, StatementRef } from '../../../local/iam/policy.ts';
import { absentKeys, type ConditionRow, combinations, operators } from './tables/conditions.ts';
import { actions, resources, variables } from './tables/patterns.ts';
import { acrossAccounts, limits, oneAccount, policyRequired, rootAndServices } from './tables/policy-types.ts';
import { notPrincipals, principals } from './tables/principals.ts';
import { account, acmeSecret, allow, getSecret, type Row, session } from './tables/row.ts';
import { traps } from './tables/traps.ts';

const called = ({ kind, sid }: StatementRef) => `${kind}/${sid}`;

function decide(row: Row): Decision {
  const compile = (kind: PolicyKind, statements: readonly PolicyStatement[]) =>
    compilePolicy(`${kind}Policy`, kind, { Version: row.version ?? '2012-10-17', Statement: statements });
  return evaluate({
    principal: row.principal ?? session,
    action: row.action ?? getSecret,
    resource: row.resource ?? acmeSecret,
    context: requestContext(row.context ?? {}),
    identity: row.identity === undefined ? [] : [compile('identity', row.identity)],
    ...(row.boundary === undefined ? {} : { boundary: compile('boundary', row.boundary) }),
    ...(row.session === undefined ? {} : { session: row.session.map((statements) => compile('session', statements)) }),
    ...(row.resourcePolicy === undefined ? {} : { resourcePolicy: compile('resource', row.resourcePolicy) }),
    resourceAccountId: row.resourceAccountId ?? account,
    ...(row.resourcePolicyRequired === undefined ? {} : { resourcePolicyRequired: row.resourcePolicyRequired }),
  });
}

function expectRow(row: Row): void {
  const decision = decide(row);
  const deciding = decision.deciding === undefined ? undefined : called(decision.deciding);
  expect({ reason: decision.reason, deciding, message: decision.message }).toMatchObject({ reason: row.reason, deciding: row.deciding });
  expect(decision.allowed).toBe(row.reason === 'allow');
  if (row.denies !== undefined) expect(decision.denies.map(called)).toEqual(row.denies);
  if (row.reason !== 'explicit-deny') expect(decision.denies).toEqual([]);
  if (row.says !== undefined) expect(decision.message).toContain(row.says);
}

describe.each([
  ['policies of one account', oneAccount],
  ['permissions boundaries and session policies', limits],
  ['two accounts', acrossAccounts],
  ['keys and role trust, whose policy must allow', policyRequired],
  ['root users and services', rootAndServices],
  ['Principal', principals],
  ['NotPrincipal', notPrincipals],
  ['Action and NotAction', actions],
  ['Resource and NotResource', resources],
  ['policy variables', variables],
  ['known traps of tag-based policies', traps],
])('IAM decisions: %s', (_subject, rows) => {
  it.each(rows)('$name', expectRow);
});

describe.each([
  ['operators', operators],
  ['operators on an absent key', absentKeys],
  ['sets, keys and combinations', combinations],
])('IAM conditions: %s', (_subject, rows: readonly ConditionRow[]) => {
  it.each(rows)('%s', (name, Condition, context, holds) => {
    const reason = holds ? 'allow' : 'implicit-deny';
    expectRow({ name, identity: [allow('Only', { Condition })], context, reason, ...(holds ? { deciding: 'identity/Only' } : {}) });
  });
});
