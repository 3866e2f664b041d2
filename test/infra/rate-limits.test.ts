import { describe, expect, it } from 'vitest';
import { attributionTable, registryTable } from '../fixtures/attacks.ts';
import { decideOwn, functionNames, ownStatements } from '../support/policies.ts';

const resourceOf = (sid: string): string => {
  const [resource] = [ownStatements('RateLimits').find(({ Sid }) => Sid === sid)?.Resource ?? []].flat();
  if (resource === undefined) throw new Error(`there is no ${sid}`);
  return resource;
};
const table = resourceOf('KeepThrottlings');
const others = functionNames.filter((name) => name !== 'RateLimits');

describe('T4 the function that finds shared limits', () => {
  it('takes its queue, keeps its table and tells what it found, and has no other right', () => {
    const sids = ownStatements('RateLimits').map(({ Sid }) => Sid);
    expect(sids.filter((sid) => sid !== 'WriteOwnLogs' && sid !== 'WriteTraces')).toEqual([
      'ConsumeQueue',
      'PutAside',
      'KeepThrottlings',
      'TellFindings',
    ]);
    for (const action of ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem'])
      expect(decideOwn('RateLimits', { action, resource: table }).allowed, action).toBe(true);
    for (const action of ['dynamodb:DeleteItem', 'dynamodb:Scan', 'dynamodb:DeleteTable', 'dynamodb:PutResourcePolicy'])
      expect(decideOwn('RateLimits', { action, resource: table }).allowed, action).toBe(false);
  });

  it('reads no table of tenants and mints nobody’s session', () => {
    for (const resource of [registryTable, attributionTable])
      expect(decideOwn('RateLimits', { action: 'dynamodb:Query', resource }).allowed, resource).toBe(false);
    for (const action of ['sts:AssumeRole', 'lambda:InvokeFunction', 'secretsmanager:GetSecretValue', 'kms:Decrypt'])
      expect(decideOwn('RateLimits', { action, resource: '*' }).allowed, action).toBe(false);
  });

  it('announces findings, and nothing that would be acted upon', () => {
    const announce = (type: string, source = 'cordon') =>
      decideOwn('RateLimits', {
        action: 'events:PutEvents',
        resource: resourceOf('TellFindings'),
        context: { 'events:source': source, 'events:detail-type': type },
      }).allowed;
    expect(['IsolationViolationDetected', 'EventHandlingFailed'].map((type) => announce(type))).toEqual([true, true]);
    expect(['ProviderThrottled', 'TenantProvisioned'].map((type) => announce(type))).toEqual([false, false]);
    expect(announce('IsolationViolationDetected', 'cordon.platform')).toBe(false);
  });

  it.each(others)('has its table to itself: %s can neither read nor write it', (who) => {
    for (const action of ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem'])
      expect(decideOwn(who, { action, resource: table }).allowed, action).toBe(false);
  });
});
