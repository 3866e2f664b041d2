import { describe, expect, it } from 'vitest';
import { nothingDenied } from '../../functions/revocation/cut-off/revoked-statements.ts';
import { attributionTable, registryTable, role } from '../fixtures/attacks.ts';
import { decideOwn, functionNames, ownStatements, policyNamed } from '../support/policies.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();
const all = (type: string) => resourcesOf(template, type);
const [revoked = ''] = [ownStatements('CutOff').find(({ Sid }) => Sid === 'WriteRevoked')?.Resource ?? []].flat();
const [table = ''] = [ownStatements('CutOff').find(({ Sid }) => Sid === 'ReadCutOffs')?.Resource ?? []].flat();
const [queue = ''] = [ownStatements('CutOff').find(({ Sid }) => Sid === 'ConsumeQueue')?.Resource ?? []].flat();
const others = functionNames.filter((who) => who !== 'CutOff');
const versions = ['CreatePolicyVersion', 'DeletePolicyVersion', 'GetPolicyVersion', 'ListPolicyVersions'].map((name) => `iam:${name}`);

describe('X5 the policy that cuts sessions off', () => {
  it('is made by the stack as its writer writes it when nothing is cut off', () => {
    expect(policyNamed('Revoked')).toEqual(nothingDenied);
  });

  it('is attached to every role in which a tenant’s session works, and to neither the auditor’s nor the one that cleans up', () => {
    const roles = all('AWS::IAM::Role').flatMap(([, { Properties }]) =>
      typeof Properties['RoleName'] === 'string'
        ? [[Properties['RoleName'], JSON.stringify(Properties['ManagedPolicyArns'])] as const]
        : [],
    );
    const without = roles.filter(([, policies]) => !policies.includes('TenantRolesRevoked')).map(([name]) => name);
    expect(without.sort()).toEqual(['TenantAuditor', 'TenantRevoker']);
    expect(roles.length).toBeGreaterThan(without.length + 5);
  });

  it('is written by one function, of which there is one run at a time', () => {
    const [, writer] = all('AWS::Lambda::Function').find(([id]) => id.startsWith('CutOffFunction')) ?? [];
    expect(writer?.Properties['ReservedConcurrentExecutions']).toBe(1);
    for (const action of versions) expect(decideOwn('CutOff', { action, resource: revoked }).allowed, action).toBe(true);
  });

  it.each(others)('is written neither by %s, nor are its entries read or changed', (who) => {
    for (const action of versions) expect(decideOwn(who, { action, resource: revoked }).allowed, action).toBe(false);
    for (const action of ['Query', 'Scan', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'].map((name) => `dynamodb:${name}`))
      expect(decideOwn(who, { action, resource: table }).allowed, action).toBe(false);
    expect(decideOwn(who, { action: 'sqs:ReceiveMessage', resource: queue }).allowed).toBe(false);
  });

  it.each(others.filter((who) => who !== 'Revocation'))('takes no entry from %s', (who) => {
    expect(decideOwn(who, { action: 'dynamodb:PutItem', resource: table }).allowed).toBe(false);
  });

  it('takes entries from the function that revokes, which may see what became of them', () => {
    for (const action of ['dynamodb:PutItem', 'dynamodb:GetItem'])
      expect(decideOwn('Revocation', { action, resource: table }).allowed, action).toBe(true);
    expect(decideOwn('Revocation', { action: 'sqs:SendMessage', resource: queue }).allowed).toBe(true);
  });

  it.each([
    ['iam:AttachRolePolicy', role('TenantAuditor')],
    ['iam:DetachRolePolicy', role('TenantReader')],
    ['iam:PutRolePolicy', role('TenantReader')],
    ['iam:UpdateAssumeRolePolicy', role('TenantReader')],
    ['iam:CreatePolicyVersion', revoked.replace(/Revoked$/, 'TenantIsolation')],
    ['iam:CreatePolicyVersion', revoked.replace(/Revoked$/, 'FunctionBoundary')],
    ['iam:DeletePolicy', revoked],
    ['iam:TagPolicy', revoked],
    ['sts:AssumeRole', role('TenantReader')],
    ['sts:AssumeRole', role('TenantRevoker')],
    ['dynamodb:PutItem', table],
    ['dynamodb:DeleteItem', table],
    ['dynamodb:Query', registryTable],
    ['dynamodb:Query', attributionTable],
    ['secretsmanager:ListSecrets', '*'],
    ['events:PutEvents', 'arn:aws:events:us-east-1:111122223333:event-bus/any'],
    ['lambda:InvokeFunction', 'arn:aws:lambda:us-east-1:111122223333:function:any'],
  ])('gives its writer no way to %s on %s', (action, resource) => {
    expect(decideOwn('CutOff', { action, resource }).allowed).toBe(false);
  });

  it('has an alarm for what is late, for what has no room, and for a writer that fails or is silent', () => {
    const patterns = all('AWS::Logs::MetricFilter').flatMap(([, { Properties }]) =>
      JSON.stringify(Properties['MetricTransformations']).includes('CutOffs-') ? [Properties['FilterPattern']] : [],
    );
    expect(patterns.sort()).toEqual(['{ $.late > 0 }', '{ $.waiting > 0 }']);
    const alarms = all('AWS::CloudWatch::Alarm').filter(([id]) => id.startsWith('CutOff'));
    expect(alarms.map(([id]) => id.replace(/^CutOff|Alarm.*$/g, '')).sort()).toEqual([
      'DeadLetter',
      'Failure',
      'Late',
      'Silence',
      'Waiting',
    ]);
    for (const [id, { Properties }] of alarms) expect(Properties['AlarmActions'], id).toHaveLength(1);
    for (const name of ['CutOffs-late', 'CutOffs-waiting'])
      expect(alarms.filter(([, { Properties }]) => Properties['MetricName'] === name)).toHaveLength(1);
  });

  it('is looked after every minute, whatever becomes of a message', () => {
    const schedules = all('AWS::Scheduler::Schedule').map(([, { Properties }]) => Properties);
    const [own] = schedules.filter(({ Target }) => JSON.stringify(Target).includes('CutOffFunction'));
    expect(own).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
  });
});
