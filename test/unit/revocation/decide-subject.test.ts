import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Asked } from '../../../functions/revocation/asked.ts';
import { decideSubject, type Known, type SubjectInput } from '../../../functions/revocation/decide-subject.ts';
import type { Action } from '../../../functions/revocation/events.ts';
import type { SubjectChange, Tombstone } from '../../../functions/revocation/revocation-store.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { CredentialItem, TenantItem, UserItem } from '../../../functions/tenants/registry.ts';

const acme = tenantId.parse('acme');
const ann = userIdOf('https://idp.example.com', 'ann');
const written = { version: 3, writeId: 'w', createdAt: '2026-11-01T00:00:00Z', updatedAt: '2026-11-01T00:00:00Z' };
const common = { ...written, tenantId: acme, epoch: 4, requestedBy: 'op', announced: true };
const tenant: TenantItem = {
  ...common,
  ...{ kind: 'TENANT', status: 'active', displayName: 'Acme', tier: 'pool', accounts: {}, plan: [], rules: [], rulesVersion: 0 },
  ...{ rulesEventIds: [], rulesAnnounced: true, attempt: 1, leaseUntil: 0 },
};
const user: UserItem = { ...common, kind: 'USER', userId: ann, status: 'active', issuer: 'https://i', subject: 'ann' };
const credential: CredentialItem = {
  ...common,
  ...{ kind: 'CREDENTIAL', tier: 'pool', credentialId: credentialId.parse('main'), provider: 'openai', source: 'platform-issued' },
  ...{
    environment: 'production',
    status: 'active',
    secretMayExist: true,
    attempt: 1,
    leaseUntil: 0,
    secretVersionId: 'v'.repeat(32),
    keyId: 'key_1',
  },
};

const at = (second: number): string => new Date(Date.parse('2026-11-22T00:00:00Z') + second * 1000).toISOString();
const asks = (action: Action, scope: Asked['scope'] = 'tenant', over: Partial<Asked> = {}): Asked => ({
  ...{ tenantId: acme, action, scope, requestedBy: 'op', reason: 'a leak' },
  ...(scope === 'user' && { userId: ann }),
  ...(scope === 'agent' && { agentId: 'bot' }),
  ...(scope === 'session' && { sessionId: 's-1' }),
  ...((scope === 'credential' || scope === 'version') && { credentialId: credential.credentialId }),
  ...over,
});
const input = (asked: Asked, second = 10): SubjectInput => ({ asked, revocationId: 'e-1', time: at(second), now: Date.parse(at(second)) });
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof CordonError) return error.code;
    throw error;
  }
  return 'nothing was refused';
};
const ofTenant = (item: TenantItem | undefined, tombstone?: Tombstone): Known => ({ of: 'TENANT', item, tombstone });

/** What the change makes of what is known, as the store would write it. */
function after(known: Known, change: SubjectChange): Known {
  if (change.of === 'TENANT' && known.of === 'TENANT') return { ...known, item: { ...change.item, ...change.change } };
  if (change.of === 'TOMBSTONE' && known.of === 'TENANT') return { ...known, tombstone: { ...written, ...change.tombstone } };
  return known;
}

describe('X1 U5 what a request makes of a tenant', () => {
  it.each(['revoke', 'suspend'] as const)('suspends it to %s it, and raises its epoch', (action) => {
    expect(decideSubject(ofTenant(tenant), input(asks(action)))).toEqual({
      of: 'TENANT',
      item: tenant,
      change: { status: 'suspended', suspendedAt: at(10), statusBefore: 'active', epoch: 5 },
    });
  });

  it('offboards it for good, also one that is suspended', () => {
    for (const status of ['active', 'suspended', 'provisioning', 'failed'] as const) {
      const item = { ...tenant, status };
      expect(decideSubject(ofTenant(item), input(asks('offboard')))).toMatchObject({ change: { status: 'offboarded', epoch: 5 } });
    }
    const gone = ofTenant({ ...tenant, status: 'offboarded' });
    for (const action of ['revoke', 'suspend', 'offboard'] as const)
      expect(decideSubject(gone, input(asks(action)))).toEqual({ of: 'NOTHING' });
    expect(codeOf(() => decideSubject(gone, input(asks('reinstate'))))).toBe('TENANT_OFFBOARDED');
  });

  it('gives it back the status it had', () => {
    const suspended = ofTenant({ ...tenant, status: 'suspended', suspendedAt: at(5), statusBefore: 'provisioning' });
    expect(decideSubject(suspended, input(asks('reinstate')))).toMatchObject({
      change: { status: 'provisioning', suspendedAt: undefined, statusBefore: undefined },
    });
    expect(decideSubject(ofTenant(tenant), input(asks('reinstate')))).toEqual({ of: 'NOTHING' });
  });

  it('reinstates nobody who was suspended in the same second or later', () => {
    const suspended = ofTenant({ ...tenant, status: 'suspended', suspendedAt: at(10) });
    expect(codeOf(() => decideSubject(suspended, input(asks('reinstate'), 10)))).toBe('EVENT_CONTRADICTS');
    expect(codeOf(() => decideSubject(suspended, input(asks('reinstate'), 9)))).toBe('EVENT_CONTRADICTS');
    expect(decideSubject(suspended, input(asks('reinstate'), 11))).toMatchObject({ of: 'TENANT' });
  });

  it('keeps the later of two suspensions, whichever comes first', () => {
    const suspended = ofTenant({ ...tenant, status: 'suspended', suspendedAt: at(20), statusBefore: 'active' });
    expect(decideSubject(suspended, input(asks('suspend'), 10))).toMatchObject({ change: { suspendedAt: at(20) } });
    expect(decideSubject(suspended, input(asks('suspend'), 30))).toMatchObject({ change: { suspendedAt: at(30) } });
  });

  it('refuses what is not there yet by a tombstone, which is only ever made stronger', () => {
    const first = decideSubject(ofTenant(undefined), input(asks('suspend')));
    expect(first).toMatchObject({ of: 'TOMBSTONE', known: undefined, tombstone: { of: 'TENANT', action: 'suspend', lifted: undefined } });
    const stone: Tombstone = { ...written, tenantId: acme, kind: 'REVOKED', of: 'TENANT', action: 'offboard', suspendedAt: at(1) };
    expect(decideSubject(ofTenant(undefined, stone), input(asks('suspend')))).toMatchObject({ tombstone: { action: 'offboard' } });
    expect(codeOf(() => decideSubject(ofTenant(undefined, stone), input(asks('reinstate'))))).toBe('TENANT_OFFBOARDED');
    const lifted = decideSubject(ofTenant(undefined, { ...stone, action: 'suspend' }), input(asks('reinstate')));
    expect(lifted).toMatchObject({ of: 'TOMBSTONE', tombstone: { lifted: true } });
    expect(codeOf(() => decideSubject(ofTenant(undefined), input(asks('reinstate'))))).toBe('EVENT_CONTRADICTS');
  });

  const event = fc.record({
    action: fc.constantFrom<Action>('revoke', 'suspend', 'offboard', 'reinstate'),
    second: fc.integer({ min: 0, max: 5 }),
  });
  it('ends up on the safer side in whatever order requests arrive, and however often', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 8 }), fc.boolean(), (events, exists) => {
        let known = ofTenant(exists ? tenant : undefined);
        for (const { action, second } of events) {
          try {
            known = after(known, decideSubject(known, input(asks(action), second)));
          } catch (error) {
            if (!(error instanceof CordonError)) throw error;
          }
        }
        if (known.of !== 'TENANT') throw new Error('it is a tenant');
        const open = known.item ? known.item.status === 'active' : known.tombstone === undefined || known.tombstone.lifted === true;
        if (!open) return;
        const closings = events.filter(({ action }) => action !== 'reinstate');
        const latest = Math.max(-1, ...events.filter(({ action }) => action === 'reinstate').map(({ second }) => second));
        expect(closings.filter(({ action, second }) => action === 'offboard' || second >= latest)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('X1 what a request makes of a user, an agent, a session, a credential or a version', () => {
  it('suspends or offboards a user, and buries one who is not there yet', () => {
    const known: Known = { of: 'USER', item: user, tombstone: undefined };
    expect(decideSubject(known, input(asks('revoke', 'user')))).toMatchObject({ of: 'USER', change: { status: 'suspended', epoch: 5 } });
    expect(decideSubject(known, input(asks('offboard', 'user')))).toMatchObject({ of: 'USER', change: { status: 'offboarded', epoch: 5 } });
    expect(decideSubject({ ...known, item: undefined }, input(asks('offboard', 'user')))).toMatchObject({
      of: 'TOMBSTONE',
      tombstone: { of: 'USER', id: ann, action: 'offboard' },
    });
    const suspended: Known = { of: 'USER', item: { ...user, status: 'suspended', suspendedAt: at(1) }, tombstone: undefined };
    expect(decideSubject(suspended, input(asks('reinstate', 'user')))).toMatchObject({
      change: { status: 'active', suspendedAt: undefined },
    });
  });

  it.each(['agent', 'session'] as const)('buries an %s once', (scope) => {
    const of = scope === 'agent' ? 'AGENT' : 'SESSION';
    const first = decideSubject({ of, tombstone: undefined }, input(asks('revoke', scope)));
    expect(first).toMatchObject({ of: 'TOMBSTONE', tombstone: { of, id: scope === 'agent' ? 'bot' : 's-1' } });
    if (first.of !== 'TOMBSTONE') throw new Error('it is a tombstone');
    expect(decideSubject({ of, tombstone: { ...written, ...first.tombstone } }, input(asks('revoke', scope)))).toEqual({ of: 'NOTHING' });
  });

  it('ends a credential once, and buries one that is not there yet', () => {
    const known: Known = { of: 'CREDENTIAL', item: credential, tombstone: undefined };
    expect(decideSubject(known, input(asks('revoke', 'credential')))).toMatchObject({
      of: 'CREDENTIAL',
      change: { status: 'revoked', epoch: 5, ending: { revocationId: 'e-1', versions: [{ versionId: 'v'.repeat(32), keyId: 'key_1' }] } },
    });
    expect(decideSubject({ ...known, item: { ...credential, status: 'revoked' } }, input(asks('revoke', 'credential')))).toEqual({
      of: 'NOTHING',
    });
    expect(decideSubject({ ...known, item: undefined }, input(asks('revoke', 'credential')))).toMatchObject({
      of: 'TOMBSTONE',
      tombstone: { of: 'CREDENTIAL', id: 'main' },
    });
  });

  it('remembers a revoked version, once, and leaves the credential as it is', () => {
    const known: Known = { of: 'CREDENTIAL', item: credential, tombstone: undefined };
    const asked = asks('revoke', 'version', { versionId: 'v'.repeat(32) });
    const change = { revokedVersionIds: ['v'.repeat(32)], epoch: 5 };
    expect(decideSubject(known, input(asked))).toEqual({ of: 'CREDENTIAL', item: credential, change });
    expect(decideSubject({ ...known, item: { ...credential, ...change } }, input(asked))).toEqual({ of: 'NOTHING' });
    expect(codeOf(() => decideSubject({ ...known, item: undefined }, input(asked)))).toBe('CREDENTIAL_UNKNOWN');
  });
});
