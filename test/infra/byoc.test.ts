import { describe, expect, it } from 'vitest';
import { compilePolicy, evaluate, requestContext } from '../../local/iam/evaluate.ts';
import { account, registryTable } from '../fixtures/attacks.ts';
import { decideOwn, functionRole, ownStatements, policyNamed } from '../support/policies.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();
const resourceOf = (who: Parameters<typeof ownStatements>[0], sid: string): string => {
  const [resource] = [ownStatements(who).find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
  if (resource === undefined) throw new Error(`${who} has no ${sid}`);
  return resource;
};

describe('B2 evidence is signed by the prover and by nobody else', () => {
  const signs = (roleArn: string, action: string, SigningAlgorithm = 'ECDSA_SHA_256') =>
    evaluate({
      principal: { kind: 'role-session', accountId: account, arn: `arn:aws:sts::${account}:assumed-role/any/session`, roleArn },
      action,
      resource: `arn:aws:kms:us-east-1:${account}:key/evidence`,
      context: requestContext({
        'aws:PrincipalArn': roleArn,
        'aws:PrincipalAccount': account,
        'kms:SigningAlgorithm': SigningAlgorithm,
      }),
      identity: [
        compilePolicy('Administrator', 'identity', { Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: '*', Resource: '*' }] }),
      ],
      resourcePolicy: compilePolicy('EvidenceKey', 'resource', policyNamed('EvidenceKey')),
      resourceAccountId: account,
      resourcePolicyRequired: true,
    }).allowed;
  const administrator = `arn:aws:iam::${account}:role/Administrator`;

  it('lets the worker sign, with the one algorithm that verifiers expect', () => {
    expect([
      signs(functionRole('Worker'), 'kms:Sign'),
      signs(functionRole('Worker'), 'kms:Sign', 'ECDSA_SHA_384'),
      signs(functionRole('Tenants'), 'kms:Sign'),
    ]).toEqual([true, false, false]);
  });

  it('lets an administrator verify and disable, and not sign', () => {
    expect(
      ['kms:Verify', 'kms:GetPublicKey', 'kms:DisableKey', 'kms:Sign', 'kms:Decrypt'].map((action) => signs(administrator, action)),
    ).toEqual([true, true, true, false, false]);
  });
});

describe('B1 the template for customers', () => {
  const bucketPolicy = resourcesOf(template, 'AWS::S3::BucketPolicy').map(([, { Properties }]) => Properties['PolicyDocument']);

  it('is public to read, over TLS, and nothing else of its bucket is public', () => {
    expect(bucketPolicy).toEqual([
      {
        Version: '2012-10-17',
        Statement: [
          expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
          {
            Sid: 'ReadTemplates',
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: 's3:GetObject',
            Resource: { 'Fn::Join': ['', [expect.anything(), '/customer-role/*']] },
          },
        ],
      },
    ]);
  });

  it('is written by the worker, below its own prefix only', () => {
    const objects = resourceOf('Worker', 'PublishTemplate');
    expect(objects.endsWith('/customer-role/*')).toBe(true);
    const puts = (resource: string) => decideOwn('Worker', { action: 's3:PutObject', resource }).allowed;
    expect([puts(objects.replace('*', '0123.yaml')), puts(objects.replace('customer-role/*', 'other.yaml'))]).toEqual([true, false]);
    expect(decideOwn('Worker', { action: 's3:DeleteObject', resource: objects }).allowed).toBe(false);
  });
});

describe('B1 asking for a connection', () => {
  it('is all that the customers’ API may publish', () => {
    const bus = resourceOf('Connections', 'AskForConnections');
    const publish = (type: string, source = 'cordon.platform') =>
      decideOwn('Connections', {
        action: 'events:PutEvents',
        resource: bus,
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    expect(['RoleConnectionRequested', 'RoleDisconnectionRequested'].map((type) => publish(type))).toEqual([true, true]);
    expect(['TenantOnboarded', 'CredentialRequested', 'RoutingRulesChanged'].map((type) => publish(type))).toEqual([false, false, false]);
    expect(publish('RoleConnectionRequested', 'cordon')).toBe(false);
  });
});

describe('B3 the sweep', () => {
  it('reads the keys of what is due and no item', () => {
    const query = (resource: string) => decideOwn('Sweep', { action: 'dynamodb:Query', resource }).allowed;
    const index = resourceOf('Sweep', 'FindDue');
    expect(index.endsWith('/index/due')).toBe(true);
    expect([query(index), query(registryTable), query(index.replace('/index/due', ''))]).toEqual([true, false, false]);
    expect(decideOwn('Sweep', { action: 'dynamodb:Scan', resource: index }).allowed).toBe(false);
  });

  it('hands over to the worker’s queue and cannot take from it', () => {
    const queue = resourceOf('Sweep', 'HandOver');
    expect(
      ['sqs:SendMessage', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'].map(
        (action) => decideOwn('Sweep', { action, resource: queue }).allowed,
      ),
    ).toEqual([true, false, false]);
  });

  it('runs every minute, started by a role that may do nothing else', () => {
    const isSweeps = ([id]: readonly [string, ...unknown[]]): boolean => id.startsWith('Sweep');
    const [schedule] = resourcesOf(template, 'AWS::Scheduler::Schedule').filter(isSweeps);
    expect(schedule?.[1].Properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
    const roles = resourcesOf(template, 'AWS::IAM::Role')
      .filter(isSweeps)
      .filter(([, { Properties }]) => JSON.stringify(Properties['AssumeRolePolicyDocument']).includes('scheduler.amazonaws.com'));
    expect(roles.map(([, { Properties }]) => [Properties['AssumeRolePolicyDocument'], Properties['Policies']])).toEqual([
      [
        {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: 'sts:AssumeRole',
              Principal: { Service: 'scheduler.amazonaws.com' },
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            },
          ],
        },
        [
          {
            PolicyName: 'Schedule',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Sid: 'RunSweep',
                  Effect: 'Allow',
                  Action: 'lambda:InvokeFunction',
                  Resource: { 'Fn::GetAtt': [expect.stringMatching(/^SweepFunction/), 'Arn'] },
                },
              ],
            },
          },
        ],
      ],
    ]);
  });
});
