import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import { policiesOf } from '../../local/template/policies.ts';
import { list } from '../proofs/model/lists.ts';
import { readStack } from '../proofs/model/stack.ts';
import { structureProblems } from '../support/policy-structure.ts';
import { readTemplate, resourcesOf, templatePath } from '../support/template.ts';

const { policies } = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
const template = readTemplate();

/** One statement of a policy changed. */
function changed(policy: string, sid: string, change: object): Map<string, PolicyDocument> {
  const document = policies.get(policy);
  const Statement = list(document?.Statement).map((statement) => (statement.Sid === sid ? { ...statement, ...change } : statement));
  return new Map([...policies, [policy, { ...document, Statement }]]);
}
const keyNamed = (begin: string): string => [...policies.keys()].find((name) => name.startsWith(begin)) ?? '';

describe('I8 the policies that are looked at', () => {
  const read = policiesOf(template);

  it('are those of every resource of the template that says who may do what', () => {
    const known = new Set(read.map(({ logicalId }) => logicalId));
    // A log's policy is text.
    const saying = Object.entries(template.Resources).filter(([, { Properties }]) => /"Effect\\*":/.test(JSON.stringify(Properties)));
    expect(saying.length).toBeGreaterThan(50);
    expect(saying.filter(([id]) => !known.has(id)).map(([id, { Type }]) => `${id}, ${Type}`)).toEqual([]);
  });

  it('and each permission of a function', () => {
    const sids = new Set(read.flatMap(({ document }) => list(document.Statement).map(({ Sid }) => Sid)));
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission');
    expect(permissions.length).toBeGreaterThan(0);
    for (const [id] of permissions) expect(sids, id).toContain(id);
  });
});

describe('I8 the policies are written as they have to be', () => {
  it('has nothing to object to in those that were synthesized', () => {
    expect(structureProblems(policies)).toEqual([]);
  });

  it.each([
    ['an action with a wildcard', 'managed TenantReaderAccess', 'ReadOwnSecrets', { Action: 'secretsmanager:Get*' }],
    [
      'all actions but some',
      'managed TenantReaderAccess',
      'ReadOwnSecrets',
      { Action: undefined, NotAction: 'secretsmanager:DeleteSecret' },
    ],
    ['an isolation rule that its twin does not repeat', 'managed TenantBoundary', 'DenyWithoutTenant', { Resource: 'arn:aws:sqs:*:*:*' }],
    ['a rule of the pool’s key that is another', keyNamed('key TenantKey'), 'DenyKeyUseForOtherPaths', { Action: 'kms:*' }],
    [
      'a rule of the pool’s key that is not for everybody',
      keyNamed('key TenantKey'),
      'DenyKeyUseForOtherPaths',
      { Principal: { AWS: '111122223333' } },
    ],
    [
      'dedicated roles of any name',
      [...policies.keys()].find((name) => name.startsWith('trust ') && name.includes('ByocConnector')) ?? '',
      'ConnectOwnCustomer',
      { Condition: { ArnEquals: { 'aws:PrincipalArn': ['arn:aws:iam::111122223333:role/cordon/TenantAgent-*'] } } },
    ],
    [
      'a door that services may use',
      'key dedicated',
      'OpenOwnDoor',
      { Condition: { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['TenantId'] } } },
    ],
    ['a Deny of all but more than it names', 'managed AuditBoundary', 'DenyEverythingElse', { NotAction: ['sqs:*'] }],
    [
      'a trust policy that takes an empty user',
      'trust TenantReader',
      'MintFromVerifiedToken',
      { Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['TenantId', 'UserId'] } } },
    ],
    [
      'one leading key in place of all',
      [...policies.keys()].find((name) => name.startsWith('inline IsolationApiFunctionRole')) ?? '',
      'ReadDailyRuns',
      { Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': ['TENANT#x#'] } } },
    ],
    [
      'a function that a service may call for anybody',
      [...policies.keys()].find((name) => name.startsWith('resource BrokerDoorFunction')) ?? '',
      [...policies].flatMap(([name, { Statement }]) =>
        name.startsWith('resource BrokerDoorFunction') ? list(Statement).map(({ Sid }) => Sid ?? '') : [],
      )[0] ?? '',
      { Condition: {} },
    ],
    [
      'a topic that a service may write to for anybody',
      [...policies.keys()].find((name) => name.startsWith('resource AlarmsPolicy')) ?? '',
      'TellOfAlarms',
      { Condition: { ArnNotLike: { 'aws:SourceArn': 'arn:aws:cloudwatch:*:*:alarm:x' } } },
    ],
  ])('objects to %s', (_, policy, sid, change) => {
    expect(structureProblems(changed(policy, sid, change))).toHaveLength(1);
  });
});
