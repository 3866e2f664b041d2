import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { policyReference } from '../../infra/policy-reference.ts';
import { compilePolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import { statementsOf } from '../../local/services/iam-policy-document.ts';
import { policiesOf } from '../../local/template/policies.ts';
import { physicalName } from '../../local/template/resource-handler.ts';
import { account, registryTable, role, secret, tagged, tenantKey, throughSecretsManager } from '../fixtures/attacks.ts';
import { everyoneIn } from '../support/policies.ts';
import { readTemplate, resourcesOf, templatePath } from '../support/template.ts';

const template = readTemplate();
const asWritten: unknown = JSON.parse(readFileSync(templatePath, 'utf8'));
const withResources = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) })),
});
const reference = policyReference(withResources.parse(asWritten));
const policies = policiesOf(asWritten, { accountId: account });
const isAudits = (logicalId: string): boolean => logicalId.startsWith('PolicyAudit');

describe('T2 what the audit compares with', () => {
  it('is carried by the function, and is what this very template says: all of its roles, policies and keys', () => {
    const [found] = resourcesOf(template, 'AWS::Lambda::Function').filter(([logicalId]) => isAudits(logicalId));
    const code = z.object({ S3Key: z.string() }).parse(found?.[1].Properties['Code']);
    const bundle = readFileSync(join(dirname(templatePath), `asset.${code.S3Key.replace('.zip', '')}`, 'index.mjs'), 'utf8');
    // The bundler writes names without quotes: what stands between them is the same.
    const spelled = (text: string): string => text.replace(/["'`\s]|\\n/g, '');
    const carried = spelled(bundle);
    const sids = new Set(JSON.stringify(reference.resources).match(/"Sid":"[^"]+"/g));
    expect([...sids].filter((sid) => !carried.includes(spelled(sid)))).toEqual([]);
    expect(Object.keys(reference.resources).filter((logicalId) => !carried.includes(logicalId))).toEqual([]);
    const types = [
      'AWS::IAM::Role',
      'AWS::IAM::ManagedPolicy',
      'AWS::KMS::Key',
      'AWS::SQS::QueuePolicy',
      'AWS::SNS::Topic',
      'AWS::SNS::TopicPolicy',
    ];
    for (const type of types) {
      expect(resourcesOf(template, type), type).not.toEqual([]);
      for (const [logicalId] of resourcesOf(template, type)) expect(reference.resources).toHaveProperty(logicalId);
    }
  });

  it('refuses to be made of a template with a policy that it would not compare', () => {
    const with_ = (extra: object) => () => policyReference(withResources.parse({ Resources: { ...template.Resources, Extra: extra } }));
    expect(with_({ Type: 'AWS::SNS::TopicInlinePolicy' })).toThrow(/Extra: the audit of policies does not know/);
    expect(with_({ Type: 'AWS::SNS::Topic', Properties: { DataProtectionPolicy: {} } })).toThrow(
      /Extra: the audit of policies does not compare DataProtectionPolicy/,
    );
    expect(with_({ Type: 'AWS::EFS::FileSystemPolicy' })).toThrow(/Extra: the audit of policies does not know/);
    expect(with_({ Type: 'AWS::ECR::Repository', Properties: { Policy: {} } })).not.toThrow(/compare/);
    expect(with_({ Type: 'AWS::ApiGateway::RestApi', Properties: { Policy: {} } })).toThrow(/Extra: the audit of policies does not know/);
    expect(with_({ Type: 'AWS::IAM::User' })).toThrow(/Extra: the audit of policies does not know/);
    expect(with_({ Type: 'AWS::IAM::ManagedPolicy', Properties: { Roles: ['r'] } })).toThrow(
      /Extra: the audit of policies does not compare Roles/,
    );
    expect(with_({ Type: 'AWS::SQS::QueuePolicy', Properties: { Queues: [{ 'Fn::ImportValue': 'x' }] } })).toThrow(
      /cannot resolve Fn::ImportValue/,
    );
  });
});

/** What the audit's own role may do, whatever else is attached to it; with `letIn` every resource lets everybody in. */
function decide(
  action: string,
  resource: string,
  context: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  letIn = false,
) {
  const inline = policies.filter(({ kind, logicalId }) => kind === 'inline' && /^PolicyAuditFunctionRole/.test(logicalId));
  const [boundary] = policies.filter(({ kind, name }) => kind === 'managed' && name === 'AuditBoundary');
  if (inline.length === 0 || boundary === undefined) throw new Error('the template has no audit');
  const roleArn = `arn:aws:iam::${account}:role/audit`;
  return evaluate({
    principal: { kind: 'role-session', accountId: account, arn: `arn:aws:sts::${account}:assumed-role/audit/session`, roleArn },
    action,
    resource,
    context: requestContext({ 'aws:PrincipalArn': roleArn, 'aws:PrincipalAccount': account, ...context }),
    identity: [
      ...inline.map(({ name, document }) => compilePolicy(name, 'identity', document)),
      // Whatever else somebody may attach to it.
      compilePolicy('Anything', 'identity', { Statement: { Sid: 'Anything', Effect: 'Allow', Action: '*', Resource: '*' } }),
    ],
    boundary: compilePolicy('AuditBoundary', 'boundary', boundary.document),
    ...(letIn && { resourcePolicy: compilePolicy('PlantedPolicy', 'resource', everyoneIn) }),
    resourceAccountId: account,
    simulated: true,
  });
}

describe('T2 the audit’s own role', () => {
  const [topicId = ''] = resourcesOf(template, 'AWS::SNS::Topic').map(([logicalId]) => logicalId);
  const topic = `arn:aws:sns:us-east-1:${account}:${physicalName('Cordon', topicId, 64)}`;
  const platformSecret = `arn:aws:secretsmanager:us-east-1:${account}:secret:platform-AbCdEf`;
  it.each<[string, string, string, Readonly<Record<string, string | readonly string[] | undefined>>?]>([
    ['DenyTenantSecrets', 'secretsmanager:GetSecretValue', secret('acme'), tagged('acme')],
    ['DenyTenantSecrets', 'secretsmanager:GetResourcePolicy', secret('acme'), tagged('acme')],
    ['DenyEverythingElse', 'secretsmanager:GetSecretValue', platformSecret],
    ['DenyEverythingElse', 'secretsmanager:PutResourcePolicy', platformSecret],
    ['DenyEverythingElse', 'dynamodb:GetItem', registryTable, { 'dynamodb:LeadingKeys': ['TENANT#acme#'] }],
    ['DenyEverythingElse', 'dynamodb:Scan', registryTable],
    ['DenyEverythingElse', 'dynamodb:PutResourcePolicy', registryTable],
    ['DenyEverythingElse', 'kms:Decrypt', tenantKey, throughSecretsManager('acme')],
    ['DenyEverythingElse', 'kms:CreateGrant', tenantKey],
    ['DenyEverythingElse', 'kms:PutKeyPolicy', tenantKey],
    ['DenyEverythingElse', 'iam:CreatePolicyVersion', `arn:aws:iam::${account}:policy/cordon/TenantIsolation`],
    ['DenyEverythingElse', 'iam:SetDefaultPolicyVersion', `arn:aws:iam::${account}:policy/cordon/Revoked`],
    ['DenyEverythingElse', 'iam:UpdateAssumeRolePolicy', role('TenantReader')],
    ['DenyEverythingElse', 'iam:DeleteRolePermissionsBoundary', role('TenantReader')],
    ['DenyEverythingElse', 'iam:PassRole', role('TenantReader')],
    ['DenyEverythingElse', 'sts:AssumeRole', role('TenantReader')],
    ['DenyEverythingElse', 'sns:SetTopicAttributes', topic],
    ['DenyEverythingElse', 'sns:AddPermission', topic],
    ['DenyEverythingElse', 'sns:RemovePermission', topic],
    ['DenyEverythingElse', 'sns:DeleteTopic', topic],
    ['DenyEverythingElse', 'sns:Publish', topic],
    ['DenyEverythingElse', 'sns:Subscribe', topic],
    ['DenyOtherBuses', 'events:PutEvents', `arn:aws:events:us-east-1:${account}:event-bus/any`],
  ])('is refused by %s, whatever else is attached to it: %s on %s', (sid, action, resource, context) => {
    const { allowed, denies } = decide(action, resource, context, true);
    expect(allowed).toBe(false);
    expect(denies.map((one) => `${one.policy}/${one.sid}`)).toContain(`AuditBoundary/${sid}`);
  });

  it.each([
    ['sqs:SetQueueAttributes', `arn:aws:sqs:us-east-1:${account}:any`],
    ['s3:PutBucketPolicy', 'arn:aws:s3:::any'],
    ['lambda:AddPermission', `arn:aws:lambda:us-east-1:${account}:function:any`],
    ['logs:PutResourcePolicy', '*'],
    ['s3:GetObject', 'arn:aws:s3:::any/x'],
    ['sns:SetTopicAttributes', topic],
    ['sns:Publish', topic],
  ])('has no room in its boundary for %s on %s', (action, resource) => {
    expect(decide(action, resource).allowed).toBe(false);
  });

  it.each([
    ['iam:GetAccountAuthorizationDetails', '*'],
    ['iam:SimulateCustomPolicy', '*'],
    ['access-analyzer:CheckNoNewAccess', '*'],
    ['kms:GetKeyPolicy', tenantKey],
    ['dynamodb:GetResourcePolicy', registryTable],
    ['secretsmanager:GetResourcePolicy', platformSecret],
    ['sns:GetTopicAttributes', topic],
  ])('may %s on %s, which is what it is for', (action, resource) => {
    expect(decide(action, resource).allowed).toBe(true);
  });

  it('reads the attributes of the alarms’ topic and of no other, and is granted nothing else of SNS', () => {
    const granted = policies
      .filter(({ kind, logicalId }) => kind === 'inline' && isAudits(logicalId))
      .flatMap(({ document }) => statementsOf(document))
      .filter(({ Action, NotAction }) => NotAction !== undefined || [Action ?? []].flat().some((action) => /^(\*|sns:)/i.test(action)));
    expect(granted).toEqual([{ Sid: 'ReadTopicPolicy', Effect: 'Allow', Action: 'sns:GetTopicAttributes', Resource: topic }]);
  });
});
