import { describe, expect, it } from 'vitest';
import { decideRevocation, type Tally } from '../../../functions/revocation/decide-revocation.ts';
import { scopes } from '../../../functions/revocation/events.ts';
import type { Revocation } from '../../../functions/revocation/revocation.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';

const now = 1_000_000;
const item = (over: Partial<Revocation> = {}): Revocation => ({
  ...{
    tenantId: tenantId.parse('acme'),
    epoch: 0,
    version: 1,
    writeId: 'w',
    createdAt: '',
    updatedAt: '',
    requestedBy: 'op',
    announced: false,
  },
  ...{ attempt: 1, leaseUntil: 0, kind: 'REVOCATION', revocationId: 'e-1', action: 'revoke', scope: 'tenant', reason: 'a leak' },
  ...{
    requestedAt: '2026-11-22T00:00:00Z',
    inForceAt: now - 5,
    status: 'open',
    told: true,
    marked: true,
    connectionsEnded: true,
    setbacks: 0,
  },
  cutOff: { id: 'e-1', before: now - 5, appliedAt: now - 1 },
  counts: { credentials: 0, versions: 0, confirmed: 0, unconfirmed: 0 },
  ...over,
});
const tally = (over: Partial<Tally> = {}): Tally => ({
  ...{ credentials: 3, versions: 3, confirmed: 3, unconfirmed: 0, open: 0, nextAt: undefined },
  ...over,
});
const nextOf = (over: Partial<Revocation>, seen?: Tally): string => decideRevocation(item(over), now, seen).next;

describe('X1 X5 X6 the next step of a revocation', () => {
  it('tells first, then cuts sessions off, then writes of each credential that it is ended, then ends connections, then works on them', () => {
    expect(nextOf({ told: false, cutOff: undefined, marked: false, connectionsEnded: undefined })).toBe('tell');
    expect(nextOf({ cutOff: undefined, marked: false, connectionsEnded: undefined })).toBe('cutOff');
    expect(nextOf({ marked: false, connectionsEnded: undefined })).toBe('mark');
    expect(nextOf({ connectionsEnded: undefined })).toBe('endConnections');
    expect(nextOf({})).toBe('advance');
  });

  it.each(scopes)('cuts sessions off of a tenant and a user only: %s', (scope) => {
    const cuts = scope === 'tenant' || scope === 'user';
    expect(nextOf({ scope, cutOff: undefined, replacementAsked: true }) === 'cutOff').toBe(cuts);
    expect(nextOf({ scope, cutOff: undefined, replacementAsked: true, action: 'suspend' }) === 'cutOff').toBe(cuts);
    expect(nextOf({ scope, cutOff: undefined, replacementAsked: true, action: 'reinstate' })).not.toBe('cutOff');
  });

  it('ends nothing when somebody is only suspended or reinstated', () => {
    for (const action of ['suspend', 'reinstate'] as const) {
      expect(nextOf({ action, marked: false, connectionsEnded: undefined })).toBe('advance');
      expect(nextOf({ action, marked: false, connectionsEnded: undefined }, tally())).toBe('finish');
    }
  });

  it('has a revoked version replaced, once', () => {
    expect(nextOf({ scope: 'version', cutOff: undefined })).toBe('replace');
    expect(nextOf({ scope: 'version', cutOff: undefined, replacementAsked: true })).toBe('advance');
  });

  it('finishes when every credential is ended and IAM has the cut-off, or no session is left to cut off', () => {
    expect(nextOf({}, tally())).toBe('finish');
    const cutOff = { id: 'e-1', before: now - 5 };
    expect(decideRevocation(item({ cutOff }), now, tally())).toEqual({ next: 'wait', until: now + 1000 });
    expect(nextOf({ cutOff: { ...cutOff, endedAt: now } }, tally())).toBe('finish');
  });

  it('waits for what is under way, and says so once of what is not confirmed', () => {
    expect(decideRevocation(item(), now, tally({ open: 2, unconfirmed: 1, nextAt: now + 7 }))).toEqual({ next: 'wait', until: now + 7 });
    const only = tally({ open: 1, unconfirmed: 1, nextAt: now + 7 });
    expect(nextOf({}, only)).toBe('leaveOpen');
    expect(decideRevocation(item({ status: 'unconfirmed' }), now, only)).toEqual({ next: 'wait', until: now + 7 });
    expect(nextOf({ status: 'unconfirmed' }, tally())).toBe('finish');
    // As long as IAM has not the cut-off, something else is open too.
    expect(nextOf({ cutOff: { id: 'e-1', before: now - 5 } }, only)).toBe('wait');
  });

  it('rests when it is done', () => {
    expect(nextOf({ status: 'done' })).toBe('rest');
  });
});
