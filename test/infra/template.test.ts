import { describe, expect, it } from 'vitest';
import * as byoc from '../../functions/byoc/events.ts';
import * as revocation from '../../functions/revocation/events.ts';
import * as rotation from '../../functions/rotation/events.ts';
import * as tenants from '../../functions/tenants/events.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();
const all = (type: string) => resourcesOf(template, type);

describe('P2 what is deployed', () => {
  it('runs every function on Node 24, arm64, with tracing, its own log group and a bounded role', () => {
    const functions = all('AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThan(0);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: expect.anything() },
      });
    }
    const functionRoles = all('AWS::IAM::Role').filter(([, { Properties }]) =>
      JSON.stringify(Properties['AssumeRolePolicyDocument']).includes('lambda.amazonaws.com'),
    );
    expect(functionRoles.length).toBe(functions.length);
    for (const [id, { Properties }] of functionRoles) {
      // The audit of policies reads IAM, which the others' boundary denies: it has one of its own.
      const boundary = id.startsWith('PolicyAudit') ? 'AuditBoundary' : 'FunctionBoundary';
      expect(JSON.stringify(Properties['PermissionsBoundary']), id).toContain(boundary);
      expect(Properties['ManagedPolicyArns'], `${id} has no policy that AWS may change`).toBeUndefined();
    }
  });

  it('keeps every log group for a stated time', () => {
    for (const [id, { Properties }] of all('AWS::Logs::LogGroup')) expect(Properties['RetentionInDays'], id).toBeGreaterThanOrEqual(90);
  });

  it('gives every queue that is consumed a dead-letter queue, and every dead-letter queue an alarm that tells someone', () => {
    const queues = all('AWS::SQS::Queue');
    const alarms = all('AWS::CloudWatch::Alarm');
    const deadLetters = queues.flatMap(([, { Properties }]) => {
      const redrive = Properties['RedrivePolicy'] as { deadLetterTargetArn: { 'Fn::GetAtt': [string, string] } } | undefined;
      return redrive ? [redrive.deadLetterTargetArn['Fn::GetAtt'][0]] : [];
    });
    const consumed = all('AWS::Lambda::EventSourceMapping').map(
      ([, { Properties }]) => (Properties['EventSourceArn'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0],
    );
    expect(consumed.length).toBeGreaterThan(0);
    for (const id of consumed) expect(queues.find(([queue]) => queue === id)?.[1].Properties, id).toHaveProperty('RedrivePolicy');
    expect(queues.length).toBe(consumed.length + new Set(deadLetters).size);
    for (const id of deadLetters) {
      const watching = alarms.filter(([, alarm]) => JSON.stringify(alarm.Properties['Dimensions'] ?? []).includes(`"${id}"`));
      expect(watching.length, `alarms on ${id}`).toBeGreaterThan(0);
      for (const [alarm, { Properties }] of watching) expect(Properties['AlarmActions'], alarm).not.toHaveLength(0);
    }
  });

  it('alarms on each of the announcements that a person has to look at, and on types that are announced', () => {
    const filters = all('AWS::Logs::MetricFilter')
      .map(([, { Properties }]) => Properties as { FilterPattern: string; MetricTransformations: { MetricName: string }[] })
      .filter(({ FilterPattern }) => FilterPattern.includes('$.detail-type'));
    const types = filters.map(({ MetricTransformations }) => MetricTransformations[0]?.MetricName ?? '');
    expect(types.sort()).toEqual(['CredentialUnproven', 'IsolationViolationDetected', 'RevocationUnconfirmed', 'RoleConnectionSuspended']);
    const announced = new Set([tenants, byoc, rotation, revocation].flatMap(({ outboundEvents }) => Object.keys(outboundEvents)));
    for (const type of types) {
      expect(announced, type).toContain(type);
      expect(filters.map(({ FilterPattern }) => FilterPattern)).toContain(`{ $.detail-type = "${type}" }`);
      const [alarm] = all('AWS::CloudWatch::Alarm').filter(([, { Properties }]) => Properties['MetricName'] === type);
      expect(alarm?.[1].Properties, type).toMatchObject({ Namespace: 'Cordon', Threshold: 0, AlarmActions: [expect.anything()] });
    }
  });

  it('reports failed messages one by one', () => {
    for (const [id, { Properties }] of all('AWS::Lambda::EventSourceMapping'))
      expect(Properties['FunctionResponseTypes'], id).toEqual(['ReportBatchItemFailures']);
  });

  it('catches every rule target that cannot be reached in a dead-letter queue', () => {
    const toQueues = all('AWS::Events::Rule').flatMap(([, { Properties }]) =>
      (Properties['Targets'] as { Arn: unknown; DeadLetterConfig?: unknown }[]).filter((target) =>
        JSON.stringify(target.Arn).includes('Queue'),
      ),
    );
    expect(toQueues.length).toBeGreaterThan(0);
    for (const target of toQueues) expect(target.DeadLetterConfig).toBeDefined();
  });
});

describe('I1 the data', () => {
  it('has no global index but the one of what is due, which holds keys only', () => {
    const globals = all('AWS::DynamoDB::Table').flatMap(
      ([, { Properties }]) => (Properties['GlobalSecondaryIndexes'] as { IndexName: string; Projection: unknown }[] | undefined) ?? [],
    );
    expect(globals.map(({ IndexName, Projection }) => ({ IndexName, Projection }))).toEqual([
      { IndexName: 'due', Projection: { ProjectionType: 'KEYS_ONLY' } },
    ]);
  });

  it('can be restored to a point in time and is not deleted by mistake', () => {
    const tables = all('AWS::DynamoDB::Table');
    expect(tables).toHaveLength(5);
    for (const [id, { Properties, DeletionPolicy }] of tables) {
      expect(Properties, id).toMatchObject({
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      });
      expect(DeletionPolicy, id).toBe('Retain');
    }
  });

  it('rotates every key and keeps it when the stack goes', () => {
    const keys = all('AWS::KMS::Key');
    expect(keys).toHaveLength(3);
    for (const [id, { Properties, DeletionPolicy }] of keys) {
      // KMS rotates no asymmetric key: a signature stays to be verified with the key that made it.
      if (Properties['KeyUsage'] !== 'SIGN_VERIFY') expect(Properties['EnableKeyRotation'], id).toBe(true);
      expect(DeletionPolicy, id).toBe('Retain');
    }
  });
});

describe('I10 constant roles', () => {
  it('has these roles for tenants and no others', () => {
    const names = all('AWS::IAM::Role').flatMap(([, { Properties }]) =>
      typeof Properties['RoleName'] === 'string' ? [Properties['RoleName']] : [],
    );
    expect(names.sort()).toEqual([
      'ByocConnector',
      'ByocProbe',
      'TenantAuditor',
      'TenantProvisioner',
      'TenantReader',
      'TenantRevoker',
      'TenantRotator',
      'TenantSupplier',
      'TenantWriter',
    ]);
  });

  it('puts each of them under the boundary and the isolation policy, without a tenant of its own', () => {
    for (const [id, { Properties }] of all('AWS::IAM::Role').filter(([, role]) => role.Properties['RoleName'] !== undefined)) {
      expect(JSON.stringify(Properties['PermissionsBoundary']), id).toContain('TenantBoundary');
      expect(JSON.stringify(Properties['ManagedPolicyArns']), id).toContain('TenantIsolation');
      expect(Properties['Tags'], id).toBeUndefined();
      expect(Properties['Policies'], id).toBeUndefined();
    }
  });
});
