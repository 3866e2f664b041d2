import { describe, expect, it } from 'vitest';
import { registryTable } from '../fixtures/attacks.ts';
import { decideOwn, functionRole, ownStatements, statementsOf } from '../support/policies.ts';

const resourceOf = (who: Parameters<typeof ownStatements>[0], sid: string): string => {
  const [resource] = [ownStatements(who).find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
  if (resource === undefined) throw new Error(`${who} has no ${sid}`);
  return resource;
};

describe('X1 asking for a revocation', () => {
  it('is all that the administrators’ API may publish', () => {
    const bus = resourceOf('RevocationsApi', 'AskForRevocations');
    const publish = (type: string, source = 'cordon.platform') =>
      decideOwn('RevocationsApi', {
        action: 'events:PutEvents',
        resource: bus,
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    const own = ['RevocationRequested', 'TenantOffboarded', 'UserOffboarded', 'AccessSuspended', 'AccessReinstated', 'RevocationConfirmed'];
    expect(own.filter((type) => !publish(type))).toEqual([]);
    const others = ['RoleConnectionRequested', 'TenantOnboarded', 'RotationRequested', 'CertificateRequested', 'CredentialRevoked'];
    expect(others.filter((type) => publish(type))).toEqual([]);
    expect(own.filter((type) => publish(type, 'cordon'))).toEqual([]);
  });

  it('comes with no way to any tenant’s data but the session of a token', () => {
    const beyondItsLogs = ownStatements('RevocationsApi').filter(({ Sid }) => Sid !== 'WriteOwnLogs' && Sid !== 'WriteTraces');
    expect(beyondItsLogs.map(({ Sid }) => Sid)).toEqual(['AskForOwnSession', 'AskForRevocations']);
    expect(decideOwn('RevocationsApi', { action: 'dynamodb:GetItem', resource: registryTable }).allowed).toBe(false);
  });
});

describe('X6 who may sign a certificate', () => {
  const signing = statementsOf('EvidenceKey').filter(({ Action }) => [Action].flat().includes('kms:Sign'));

  it('is the worker that revokes, beside the ones that prove customers’ roles and isolation, by one algorithm', () => {
    expect(signing.map(({ Sid }) => Sid)).toEqual(['SignEvidence', 'SignCertificates', 'SignIsolationResults']);
    for (const { Condition } of signing) expect(Condition).toEqual({ StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } });
    const principals = signing.map(({ Principal }) => (typeof Principal === 'object' ? Principal['AWS'] : Principal));
    expect(principals[1]).toBe(functionRole('Revocation'));
    expect(new Set(principals).size).toBe(3);
  });

  it('may read the public half, and change nothing of the key', () => {
    const own = statementsOf('EvidenceKey').filter(
      ({ Principal }) => typeof Principal === 'object' && Principal['AWS'] === functionRole('Revocation'),
    );
    expect(own.map(({ Action }) => Action)).toEqual(['kms:Sign', 'kms:GetPublicKey']);
    for (const action of ['kms:ScheduleKeyDeletion', 'kms:PutKeyPolicy', 'kms:CreateGrant', 'kms:DisableKey'])
      expect(decideOwn('Revocation', { action, resource: '*' }).allowed, action).toBe(false);
  });
});
