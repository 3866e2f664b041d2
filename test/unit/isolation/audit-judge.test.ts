import { describe, expect, it } from 'vitest';
import type { Difference } from '../../../functions/isolation/audit/compare-facts.ts';
import { forbiddenRequests } from '../../../functions/isolation/audit/cross-tenant-requests.ts';
import type { DeployedRole } from '../../../functions/isolation/audit/deployed.ts';
import type { Value } from '../../../functions/isolation/audit/fact.ts';
import { findCrossings } from '../../../functions/isolation/audit/find-crossings.ts';
import { asEvent, type Finding, mostEvents, ofDifference, toTell } from '../../../functions/isolation/audit/finding.ts';
import { judge } from '../../../functions/isolation/audit/judge.ts';
import type { PolicyChecks, Simulation } from '../../../functions/isolation/audit/policy-checks.ts';
import { asPolicy } from '../../../functions/isolation/audit/policy-document.ts';
import { resolved, Unresolved } from '../../../functions/isolation/audit/resolve-reference.ts';
import { document, listed } from '../../../functions/isolation/audit/thing.ts';

const cell = { partition: 'aws', region: 'us-east-1', accountId: '111122223333' };
const guard = 'arn:aws:iam::111122223333:policy/cordon/TenantIsolation';
const read = { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/x' };
const refuse = { Sid: 'No', Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::b/y' };
const policy = (...Statement: readonly object[]): Value => document(asPolicy({ Version: '2012-10-17', Statement }), 'IDENTITY_POLICY');

/** Answers as it is told, and notes what it was asked. */
function checks(answers: { newAccess?: readonly string[]; isPublic?: boolean; allowed?: readonly string[] } = {}) {
  const asked: string[] = [];
  const simulations: Simulation[] = [];
  const fake: PolicyChecks = {
    async newAccess() {
      asked.push('newAccess');
      return answers.newAccess ?? [];
    },
    async isPublic() {
      asked.push('isPublic');
      return answers.isPublic ?? false;
    },
    async allowed(simulation) {
      simulations.push(simulation);
      return answers.allowed ?? [];
    },
  };
  return { fake, asked, simulations };
}
const difference = (aspect: string, expected: Value | undefined, actual: Value | undefined): Difference => ({
  of: 'role a',
  aspect,
  expected: expected && { of: 'role a', aspect, value: expected },
  actual: actual && { of: 'role a', aspect, value: actual },
});
const severityOf = async (aspect: string, expected: Value | undefined, actual: Value | undefined, with_ = checks()): Promise<string> =>
  (await judge({ checks: with_.fake, refusing: new Set([guard]) }, difference(aspect, expected, actual))).severity;

describe('T2 what a changed policy means', () => {
  it('is only a change when it takes away, and nobody needs to be asked', async () => {
    const asking = checks({ newAccess: ['x'], isPublic: true });
    expect(await severityOf('document', policy(read, refuse), policy(refuse), asking)).toBe('changed');
    expect(await severityOf('document', policy(read), policy(read, refuse), asking)).toBe('changed');
    expect(await severityOf('inline policy x', undefined, policy(refuse), asking)).toBe('changed');
    expect(asking.asked).toEqual([]);
  });

  it('grants when a refusal has gone, whatever Access Analyzer says of the rest', async () => {
    expect(await severityOf('document', policy(read, refuse), policy(read))).toBe('grants');
    expect(await severityOf('document', policy(refuse), policy({ ...refuse, Resource: 'arn:aws:s3:::b/z' }))).toBe('grants');
    expect(await severityOf('document', policy(refuse), undefined)).toBe('grants');
  });

  it('grants when it is in another version of the language', async () => {
    const plain = document(asPolicy({ Statement: [read] }), 'IDENTITY_POLICY');
    expect(await severityOf('document', policy(read), plain)).toBe('grants');
  });

  it('grants with a wildcard that was synthesized nowhere, unasked', async () => {
    for (const wider of [
      { ...read, Action: 's3:*' },
      { ...read, Resource: '*' },
      { ...read, Action: undefined, NotAction: 'iam:*' },
    ]) {
      const asking = checks();
      expect(await severityOf('document', policy(read), policy(wider), asking)).toBe('grants');
      expect(asking.asked).toEqual(['isPublic']);
    }
  });

  it('is for Access Analyzer to say where an Allow was added without a wildcard', async () => {
    const more = policy(read, { ...read, Sid: 'More', Resource: 'arn:aws:s3:::b/z' });
    expect(await severityOf('document', policy(read), more, checks({ newAccess: ['New access'] }))).toBe('grants');
    expect(await severityOf('document', policy(read), more, checks())).toBe('changed');
  });

  it('crosses when it lets in whoever asks', async () => {
    expect(await severityOf('policy', undefined, policy(read), checks({ isPublic: true }))).toBe('crosses');
  });

  it.each<[string, Value | undefined, Value | undefined, string]>([
    ['existence', undefined, listed(['there'], 'added'), 'grants'],
    ['existence', listed(['there'], 'added'), undefined, 'changed'],
    ['attached policies', listed(['p'], 'added'), listed(['p', 'q'], 'added'), 'grants'],
    ['attached policies', listed(['p', 'q'], 'added'), listed(['p'], 'added'), 'changed'],
    ['attached policies', listed(['p', guard], 'added'), listed(['p'], 'added'), 'grants'],
    ['boundary', listed(['b'], 'changed'), listed([], 'changed'), 'grants'],
    ['boundary', listed(['b'], 'changed'), listed(['c'], 'changed'), 'grants'],
    ['public access block', listed(['x', 'y'], 'removed'), listed(['x'], 'removed'), 'grants'],
    ['public access block', listed(['x'], 'removed'), listed(['x', 'y'], 'removed'), 'changed'],
    ['grants', listed([], 'added'), listed(['Decrypt to r'], 'added'), 'grants'],
    ['longest session', { kind: 'number', value: 3600 }, { kind: 'number', value: 7200 }, 'grants'],
    ['longest session', { kind: 'number', value: 7200 }, { kind: 'number', value: 3600 }, 'changed'],
  ])('of %s: %j → %j is %4$s', async (aspect, expected, actual, severity) => {
    expect(await severityOf(aspect, expected, actual)).toBe(severity);
  });
});

describe('T2 findings that are told', () => {
  const finding = (code: Finding['code'], number: number): Finding => ({ code, message: `finding ${number}` });

  it('are told the worst first, and no more than a hundred, the last of which counts the rest', () => {
    const many = [...Array(150).keys()].map((number) => finding(number === 149 ? 'POLICY_GRANTS_ACROSS' : 'POLICY_DRIFT', number));
    const told = toTell(many);
    expect(told).toHaveLength(mostEvents);
    expect(told[0]?.code).toBe('POLICY_GRANTS_ACROSS');
    expect(told.at(-1)?.message).toBe('and 51 more findings, which the audit’s log names');
  });

  it('are all told when there are a hundred', () => {
    const many = [...Array(mostEvents).keys()].map((number) => finding('POLICY_DRIFT', number));
    expect(toTell(many)).toEqual(many);
  });

  it('say what it is, where, and whose, and name the request', () => {
    const what = { severity: 'crosses', what: 'x' } as const;
    const told = ofDifference(difference('boundary', listed([], 'changed'), undefined), what);
    expect(told).toEqual({ code: 'POLICY_GRANTS_ACROSS', message: 'grants: role a, boundary: x' });
    expect(asEvent(told, 'audit', 'event')).toMatchObject({ event: { id: 'event' }, reason: { code: 'POLICY_GRANTS_ACROSS' }, left: [] });
    expect(asEvent(told, 'audit', undefined)).toMatchObject({ event: { id: 'audit' } });
  });
});

describe('T2 what no policy may allow', () => {
  const places = {
    cell,
    registryTableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/registry',
    attributionTableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/attribution',
    tenantKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/pool',
  };
  const allowing = (Action: string): string =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
  const role = (name: string, path: string, Action: string): DeployedRole => ({
    name,
    path,
    arn: `arn:aws:iam::111122223333:role${path}${name}`,
    madeAt: 0,
    trust: '',
    inline: { Own: allowing(Action) },
    attached: [],
    boundary: undefined,
    tags: {},
    longestSession: 3600,
  });
  const identities = { roles: [], policies: [], usersAndGroups: [] };

  it('is asked of a tenant’s role as a session of a tenant, and of a standing one as nobody’s', async () => {
    const { fake, simulations } = checks();
    await findCrossings(fake, {
      identities,
      places,
      roles: [role('TenantReader', '/cordon/', 'dynamodb:*'), role('f', '/', 'dynamodb:*')],
    });
    const tenants = simulations.map(({ context }) => context['aws:PrincipalTag/TenantId']);
    expect(new Set(tenants)).toEqual(new Set(['canary-audit', undefined]));
    expect(simulations.every(({ actions }) => actions.every((action) => action.startsWith('dynamodb:')))).toBe(true);
  });

  it('is not asked where no Allow names it, and is where an Allow names everything but something', async () => {
    const silent = checks();
    await findCrossings(silent.fake, { identities, places, roles: [role('f', '/', 'sqs:SendMessage')] });
    expect(silent.simulations).toEqual([]);
    const open = checks();
    const inline = { Own: JSON.stringify({ Statement: [{ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }] }) };
    await findCrossings(open.fake, { identities, places, roles: [{ ...role('f', '/', ''), inline }] });
    expect(open.simulations).toHaveLength(forbiddenRequests(places, { other: 'b' }).length);
  });

  it('is asked once for the roles of all dedicated tenants that have the same policies', async () => {
    const { fake, simulations } = checks();
    const one = role('TenantAgent-a', '/cordon/', 'dynamodb:GetItem');
    await findCrossings(fake, { identities, places, roles: [one, role('TenantAgent-b', '/cordon/', 'dynamodb:GetItem')] });
    const alone = checks();
    await findCrossings(alone.fake, { identities, places, roles: [one] });
    expect(simulations).toHaveLength(alone.simulations.length);
  });

  it('is told with what is allowed, and as not looked at where the simulator does not answer', async () => {
    const roles = [role('f', '/', 'dynamodb:GetItem')];
    const { crossings } = await findCrossings(checks({ allowed: ['dynamodb:GetItem on t'] }).fake, { identities, places, roles });
    expect(crossings).toEqual([{ of: 'role f', allowed: ['dynamodb:GetItem on t'] }]);
    const broken: PolicyChecks = { ...checks().fake, allowed: () => Promise.reject(new Error('throttled')) };
    expect(await findCrossings(broken, { identities, places, roles })).toEqual({
      crossings: [],
      unread: [{ of: 'role f', aspect: 'simulation', why: 'throttled' }],
    });
  });
});

describe('T2 the reference', () => {
  const resources = new Map([
    ['Role', { type: 'AWS::IAM::Role', physicalId: 'r' }],
    ['Rule', { type: 'AWS::Events::Rule', physicalId: 'bus|rule' }],
    ['Queue', { type: 'AWS::SQS::Queue', physicalId: 'https://sqs.us-east-1.amazonaws.com/111122223333/q' }],
    ['Topic', { type: 'AWS::SNS::Topic', physicalId: 'arn:aws:sns:us-east-1:111122223333:t' }],
  ]);
  const stack = { cell, resources, pathOf: () => '/cordon/' };

  it.each<[object, string]>([
    [{ Ref: 'AWS::AccountId' }, '111122223333'],
    [{ Ref: 'Role' }, 'r'],
    [{ 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::111122223333:role/cordon/r'],
    [{ 'Fn::GetAtt': ['Rule', 'Arn'] }, 'arn:aws:events:us-east-1:111122223333:rule/bus/rule'],
    [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:111122223333:q'],
    [{ 'Fn::Join': ['', ['a', { Ref: 'AWS::Region' }, { Ref: 'Topic' }]] }, 'aus-east-1arn:aws:sns:us-east-1:111122223333:t'],
  ])('gets the names of this deployment: %j', (value, real) => {
    expect(resolved({ in: [value] }, stack)).toEqual({ in: [real] });
  });

  it.each<object>([
    { Ref: 'Gone' },
    { 'Fn::GetAtt': ['Gone', 'Arn'] },
    { 'Fn::GetAtt': ['Role', 'RoleId'] },
    { 'Fn::GetAtt': ['Topic', 'Arn'] },
    { 'Fn::Select': [0, []] },
    { 'Fn::Join': ['-'] },
  ])('is never guessed: %j', (value) => {
    expect(() => resolved(value, stack)).toThrow(Unresolved);
  });
});
