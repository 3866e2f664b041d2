import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDocument } from '../../../local/iam/compile.ts';
import { evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import type { Decision, PolicyKind, PolicyStatement } from '../../../local/iam/policy.ts';
import { globMatcher, globMatches, globPattern } from '../../../local/iam/wildcards.ts';
import { account, acmeSecret, boltSecret, roleArn, secretsOf, session, sessionArn, user, userArn } from './tables/row.ts';

const tag = 'aws:ResourceTag/TenantId';
const own = '${aws:PrincipalTag/TenantId}';

const body = fc.record({
  Action: fc.constantFrom('*', 'secretsmanager:*', 'secretsmanager:Get*', 'secretsmanager:GetSecretValue', 'kms:Decrypt'),
  Resource: fc.constantFrom('*', acmeSecret, `${secretsOf('acme')}*`, `${secretsOf(own)}*`, boltSecret),
  Condition: fc.constantFrom<NonNullable<PolicyStatement['Condition']>>(
    {},
    { StringEquals: { [tag]: own } },
    { StringNotEquals: { [tag]: own } },
    { StringEqualsIfExists: { [tag]: 'acme' } },
    { Null: { [tag]: 'true' } },
    { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId'] } },
    { 'ForAnyValue:StringNotEquals': { 'aws:TagKeys': ['TenantId'] } },
  ),
});
const effect = fc.constantFrom<'Allow' | 'Deny'>('Allow', 'Deny');
const named = fc.constantFrom<NonNullable<PolicyStatement['Principal']>>(
  '*',
  { AWS: account },
  { AWS: roleArn },
  { AWS: sessionArn },
  { AWS: userArn },
);
const statement = fc.tuple(effect, body).map(([Effect, rest]): PolicyStatement => ({ Effect, ...rest }));
const resourceStatement = fc.tuple(statement, named).map(([rest, Principal]): PolicyStatement => ({ ...rest, Principal }));

const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 4 });
const scenario = fc.record({
  principal: fc.constantFrom(session, user),
  resource: fc.constantFrom(acmeSecret, boltSecret, '*'),
  tenant: fc.constantFrom(undefined, '', 'acme', 'bolt'),
  resourceTenant: fc.constantFrom(undefined, '', 'acme', 'bolt'),
  tagKeys: fc.constantFrom(undefined, ['TenantId'], ['TenantId', 'Team'], ['Team']),
  identity: some(statement),
  boundary: fc.option(some(statement), { nil: undefined }),
  sessionPolicy: fc.option(some(statement), { nil: undefined }),
  resourcePolicy: fc.option(some(resourceStatement), { nil: undefined }),
  resourceAccountId: fc.constantFrom(account, '444455556666'),
  resourcePolicyRequired: fc.boolean(),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function decide(given: Scenario): Decision {
  // A policy must hold a statement; one about an action nobody asks for changes nothing.
  const idle: PolicyStatement = { Effect: 'Allow', Action: 'sqs:PurgeQueue', Resource: '*' };
  const compile = (kind: PolicyKind, statements: readonly PolicyStatement[]) => {
    const filler = kind === 'resource' ? { ...idle, Principal: '*' as const } : idle;
    return compileDocument(kind, kind, { Version: '2012-10-17', Statement: [filler, ...statements] });
  };
  return evaluate({
    principal: given.principal,
    action: 'secretsmanager:GetSecretValue',
    resource: given.resource,
    context: requestContext({ 'aws:PrincipalTag/TenantId': given.tenant, [tag]: given.resourceTenant, 'aws:TagKeys': given.tagKeys }),
    identity: [compile('identity', given.identity)],
    ...(given.boundary === undefined ? {} : { boundary: compile('boundary', given.boundary) }),
    ...(given.sessionPolicy === undefined ? {} : { session: [compile('session', given.sessionPolicy)] }),
    ...(given.resourcePolicy === undefined ? {} : { resourcePolicy: compile('resource', given.resourcePolicy) }),
    resourceAccountId: given.resourceAccountId,
    resourcePolicyRequired: given.resourcePolicyRequired,
  });
}

/** The same scenario with a statement added to one of the policies that are there. */
function withStatement(
  given: Scenario,
  extra: PolicyStatement,
  Principal: NonNullable<PolicyStatement['Principal']>,
  kind: PolicyKind,
): Scenario {
  const grown = (statements: PolicyStatement[] | undefined) => (statements === undefined ? undefined : [...statements, extra]);
  if (kind === 'identity') return { ...given, identity: [...given.identity, extra] };
  if (kind === 'boundary') return { ...given, boundary: grown(given.boundary) };
  if (kind === 'session') return { ...given, sessionPolicy: grown(given.sessionPolicy) };
  return { ...given, resourcePolicy: given.resourcePolicy === undefined ? undefined : [...given.resourcePolicy, { ...extra, Principal }] };
}

const addition = fc.tuple(scenario, body, named, fc.constantFrom<PolicyKind>('identity', 'boundary', 'session', 'resource'));

describe('IAM decisions, for any policies', () => {
  it('an explicit deny stays one when an Allow is added anywhere', () => {
    fc.assert(
      fc.property(addition, ([given, rest, Principal, kind]) => {
        const before = decide(given);
        fc.pre(before.reason === 'explicit-deny');
        const after = decide(withStatement(given, { Effect: 'Allow', ...rest }, Principal, kind));
        expect(after.reason).toBe('explicit-deny');
        expect(after.denies).toEqual(before.denies);
      }),
      { numRuns: 300 },
    );
  });

  it('adding a Deny anywhere never allows what was refused', () => {
    fc.assert(
      fc.property(addition, ([given, rest, Principal, kind]) => {
        const before = decide(given);
        const after = decide(withStatement(given, { Effect: 'Deny', ...rest }, Principal, kind));
        if (!before.allowed) expect(after.allowed).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('adding an Allow anywhere never refuses what was allowed', () => {
    fc.assert(
      fc.property(addition, ([given, rest, Principal, kind]) => {
        fc.pre(decide(given).allowed);
        expect(decide(withStatement(given, { Effect: 'Allow', ...rest }, Principal, kind)).allowed).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('the scenarios reach every outcome', () => {
    const seen = new Set(fc.sample(scenario, 500).map((given) => decide(given).reason));
    expect([...seen].sort()).toEqual(['allow', 'explicit-deny', 'implicit-deny']);
  });
});

describe('wildcards', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':', '.', '\n', '*', '?'), maxLength: 12 });
  const reference = (pattern: string) =>
    new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, (mark) => (mark === '*' ? '.*' : mark === '?' ? '.' : `\\${mark}`))}$`, 's');

  it('agree with a regular expression', () => {
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const expected = reference(pattern).test(text);
        expect(globMatches(globPattern(pattern), text)).toBe(expected);
        expect(globMatcher(globPattern(pattern))(text)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('match what they were made from', () => {
    fc.assert(
      fc.property(letters, letters, letters, (head, middle, tail) => {
        const literal = (text: string) => text.replaceAll(/[*?]/g, '-');
        const pattern = `${literal(head)}*${literal(tail)}`;
        expect(globMatches(globPattern(pattern), `${literal(head)}${middle}${literal(tail)}`)).toBe(true);
      }),
    );
  });

  it('take no exponential time on many stars', () => {
    const glob = globPattern(`${'a*'.repeat(50)}b`);
    expect(globMatches(glob, 'a'.repeat(5000))).toBe(false);
  });
});
