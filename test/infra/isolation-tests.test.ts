import { describe, expect, it } from 'vitest';
import { canaryIds } from '../../functions/isolation/canaries.ts';
import { attributionTable, type Context, registryTable, role, secret, tagged } from '../fixtures/attacks.ts';
import { decideOwn, ownStatements, statementsOf } from '../support/policies.ts';

const statement = (who: Parameters<typeof ownStatements>[0], sid: string) => {
  const found = ownStatements(who).find(({ Sid }) => Sid === sid);
  if (found === undefined) throw new Error(`${who} has no ${sid}`);
  return found;
};
const resourcesOf = (...of: Parameters<typeof statement>): readonly string[] => [statement(...of).Resource ?? []].flat();
const [table = ''] = resourcesOf('IsolationTests', 'KeepRuns');
const leading = (tenantId: string) => ({ 'dynamodb:LeadingKeys': [`TENANT#${tenantId}#`] });

describe('T1 I9 whoever runs the isolation tests is an ordinary client', () => {
  it('has, beside its queue and its logs, sessions to ask, one secret, one table and the bus', () => {
    const own = ownStatements('IsolationTests').flatMap(({ Sid = '' }) => (['WriteOwnLogs', 'WriteTraces'].includes(Sid) ? [] : [Sid]));
    expect(own).toEqual([
      ...['ConsumeQueue', 'PutAside', 'AskForCanariesSessions', 'ReadCanariesIdentity', 'DecryptCanariesIdentity', 'KeepRuns'],
      ...['TellResults', 'AskForRotationsAndRuns'],
    ]);
    expect(resourcesOf('IsolationTests', 'ReadCanariesIdentity')).toHaveLength(1);
    for (const action of ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'])
      for (const resource of [registryTable, attributionTable])
        expect(decideOwn('IsolationTests', { action, resource, context: leading(canaryIds.a) }).allowed, action).toBe(false);
    expect(decideOwn('IsolationTests', { action: 'sts:AssumeRole', resource: role('TenantReader') }).allowed).toBe(false);
    const read = { action: 'secretsmanager:GetSecretValue', resource: secret(canaryIds.a), context: tagged(canaryIds.a) };
    expect(decideOwn('IsolationTests', read, true).allowed).toBe(false);
  });

  it('asks for rotations and runs, tells results, and publishes nothing else', () => {
    const [resource = ''] = resourcesOf('IsolationTests', 'TellResults');
    const may = (source: string, type: string) =>
      decideOwn('IsolationTests', {
        ...{ action: 'events:PutEvents', resource, context: { 'events:source': source, 'events:detail-type': type } },
      }).allowed;
    for (const type of ['IsolationVerificationRequested', 'RotationRequested']) expect(may('cordon.platform', type), type).toBe(true);
    for (const type of ['IsolationVerified', 'IsolationViolationDetected']) expect(may('cordon', type), type).toBe(true);
    for (const type of ['TenantOnboarded', 'RevocationRequested', 'TenantOffboarded', 'IsolationVerified'])
      expect(may('cordon.platform', type), type).toBe(false);
    for (const type of ['CertificateIssued', 'RevocationCompleted', 'RotationRequested']) expect(may('cordon', type), type).toBe(false);
  });

  it('may sign, read the public half, and change nothing of the key', () => {
    const own = statementsOf('EvidenceKey').filter(({ Principal }) => JSON.stringify(Principal ?? '').includes('IsolationTests'));
    expect(own.map(({ Action }) => Action)).toEqual(['kms:Sign', 'kms:GetPublicKey']);
  });
});

describe('T1 I1 results are read in the tenant’s own session', () => {
  it('and by the API’s own role only the daily ones, which are everybody’s', () => {
    const may = (context: Context, action = 'dynamodb:Query') => decideOwn('IsolationApi', { action, resource: table, context }).allowed;
    expect(may(leading(canaryIds.a))).toBe(true);
    expect(may(leading('acme'))).toBe(false);
    expect(may(leading(canaryIds.b))).toBe(false);
    expect(may({ 'dynamodb:LeadingKeys': [`TENANT#${canaryIds.a}#`, 'TENANT#acme#'] })).toBe(false);
    expect(may({})).toBe(false);
    expect(may(leading(canaryIds.a), 'dynamodb:PutItem')).toBe(false);
  });

  it('and a session may read its tenant’s runs, and write none', () => {
    const [own] = statementsOf('TenantReaderAccess').filter(({ Sid }) => Sid === 'ReadOwnIsolationRuns');
    expect(own).toMatchObject({
      ...{ Effect: 'Allow', Action: ['dynamodb:GetItem', 'dynamodb:Query'] },
      Condition: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': 'TENANT#${aws:PrincipalTag/TenantId}#*' },
        Null: { 'dynamodb:LeadingKeys': 'false' },
      },
    });
    for (const policy of [
      'TenantWriterAccess',
      'TenantSupplierAccess',
      'TenantRotatorAccess',
      'TenantRevokerAccess',
      'TenantAuditorAccess',
    ])
      expect(JSON.stringify(statementsOf(policy))).not.toContain(table);
  });
});
