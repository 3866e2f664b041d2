import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import { list } from '../proofs/model/lists.ts';
import { readStack } from '../proofs/model/stack.ts';
import { structureProblems } from '../support/policy-structure.ts';
import { templatePath } from '../support/template.ts';

const { policies } = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));

/** One statement of a policy changed. */
function changed(policy: string, sid: string, change: object): Map<string, PolicyDocument> {
  const document = policies.get(policy);
  const Statement = list(document?.Statement).map((statement) => (statement.Sid === sid ? { ...statement, ...change } : statement));
  return new Map([...policies, [policy, { ...document, Statement }]]);
}
const keyNamed = (begin: string): string => [...policies.keys()].find((name) => name.startsWith(begin)) ?? '';

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
  ])('objects to %s', (_, policy, sid, change) => {
    expect(structureProblems(changed(policy, sid, change))).toHaveLength(1);
  });
});
