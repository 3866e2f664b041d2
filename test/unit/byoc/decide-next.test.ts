import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../functions/byoc/connection.ts';
import { decideAfterProbe, decideNext, dueAfterNews } from '../../../functions/byoc/decide-next.ts';
import type { ProbeResult } from '../../../functions/byoc/probe/probe.ts';
import { acme, customer, found, minute, roleArn } from '../../contracts/fakes/byoc-world.ts';

const asked = Date.parse('2026-11-21T12:00:00Z');
const day = 24 * 60 * minute;
const item = (over: Partial<Connection> = {}): Connection => ({
  ...{
    kind: 'CONNECTION',
    tenantId: acme,
    customerAccountId: customer,
    services: ['bedrock'],
    regions: ['us-east-1'],
    environment: 'production',
  },
  ...{
    roleName: 'cordon.acme.x',
    externalId: 'cordon-x',
    policyVersion: 'v1',
    findings: [],
    setbacks: 0,
    requestedBy: 'ann',
    eventTime: '2026-11-21T12:00:00Z',
  },
  ...{ epoch: 3, version: 7, writeId: 'w', createdAt: '', updatedAt: '', announced: true, attempt: 1, leaseUntil: 0, eventIds: ['e'] },
  ...{ status: 'pending', requestedUntil: asked + day, dueShard: '1', dueAt: asked },
  ...over,
});
const active = item({ status: 'active', roleArn, roleId: 'AROA1', verifiedAt: asked });

describe('the next step of a connection', () => {
  it.each<[what: string, over: Partial<Connection>, now: number, step: object]>([
    ['waited for is to probe', {}, asked, { next: 'probe' }],
    ['in use is to probe', { status: 'active' }, asked, { next: 'probe' }],
    ['not due is nothing', {}, asked - 1, { next: 'nothing' }],
    ['not scheduled is nothing', { dueAt: undefined, dueShard: undefined }, asked, { next: 'nothing' }],
    ['held by a worker is nothing', { leaseUntil: asked + 1 }, asked, { next: 'nothing' }],
    ['held until now is to probe', { leaseUntil: asked }, asked, { next: 'probe' }],
    ['whose status is not told is to tell it', { announced: false }, asked, { next: 'settle' }],
    ['ended and not told is to tell it', { status: 'disconnected', announced: false }, asked, { next: 'settle' }],
    ['in its last millisecond is to probe', {}, asked + day - 1, { next: 'probe' }],
    ['whose day is over is to expire', {}, asked + day, { next: 'change', change: { status: 'expired', announced: false } }],
    ...(['rejected', 'expired', 'suspended', 'disconnected'] as const).map((status): [string, Partial<Connection>, number, object] => [
      `${status} is to be taken off the schedule`,
      { status },
      asked,
      { next: 'change', change: { dueAt: undefined, dueShard: undefined } },
    ]),
  ])('that is %s', (_what, over, now, step) => {
    expect(decideNext(item(over), now)).toMatchObject(step);
  });

  it('keeps what was last found wrong as the reason of an expiry, and has one where nothing was found', () => {
    const statusReason = { code: 'PERMISSION_MISSING', message: 'm', nextStep: 'n' };
    expect(decideNext(item({ statusReason }), asked + day)).toMatchObject({ change: { statusReason } });
    expect(decideNext(item(), asked + day)).toMatchObject({ change: { statusReason: { code: 'ROLE_NOT_REACHABLE' } } });
  });
});

describe('a probe of a connection that is waited for', () => {
  const judged = (result: ProbeResult, now = asked, over: Partial<Connection> = {}) => decideAfterProbe(item(over), now, result);

  it('makes it active when the role is sound, with who the role is', () => {
    expect(judged(found.sound)).toMatchObject({
      ...{ status: 'active', announced: false, roleArn, roleId: 'AROA1', verifiedAt: asked, probedAt: asked, statusReason: undefined },
      findings: [{ code: 'TRUST_NOT_SHOWN' }],
    });
  });

  it.each([
    ['at each sweep for a quarter of an hour', asked + 14 * minute, 55 / 60],
    ['then every five minutes', asked + 15 * minute, 5],
    ['and at the end of its time at the latest', asked + day - 2 * minute, 2],
  ])('is repeated %s while there is no role', (_when, now, minutes) => {
    const change = judged(found.nothing, now);
    expect(change).toMatchObject({ dueAt: now + minutes * minute, statusReason: { code: 'ROLE_NOT_REACHABLE' } });
    expect(change).not.toHaveProperty('status');
  });

  it.each([
    ['EXTERNAL_ID_NOT_REQUIRED' as const],
    ['EXTERNAL_ID_NOT_CHECKED' as const],
    ['ANY_TENANT_ACCEPTED' as const],
    ['ANY_PRINCIPAL_ACCEPTED' as const],
    ['WRONG_ACCOUNT' as const],
  ])('rejects it at once for %s, and keeps nothing of the role', (code) => {
    const change = judged(found.unsound(code));
    expect(change).toMatchObject({ status: 'rejected', announced: false, statusReason: { code, nextStep: 'Mend it.' } });
    expect(change).not.toHaveProperty('roleArn');
    expect(change).not.toHaveProperty('roleId');
  });

  it('gives a new role five minutes for its permissions, which come after it', () => {
    const missing = found.unsound('PERMISSION_MISSING');
    const first = judged(missing, asked + minute);
    expect(first).toMatchObject({ statusReason: { code: 'PERMISSION_MISSING' }, reasonSince: asked + minute });
    expect(first).not.toHaveProperty('status');
    expect(judged(missing, asked + 6 * minute - 1, first)).not.toHaveProperty('status');
    expect(judged(missing, asked + 6 * minute, first)).toMatchObject({ status: 'rejected', reasonSince: asked + minute });
  });

  it('gives a role that was in use the whole time for more permissions', () => {
    const over = { verifiedAt: asked - day, reasonSince: asked, statusReason: { code: 'PERMISSION_MISSING', message: '', nextStep: '' } };
    expect(judged(found.unsound('PERMISSION_MISSING'), asked + 60 * minute, over)).not.toHaveProperty('status');
  });

  it.each([
    [0, 1],
    [1, 2],
    [2, 5],
    [3, 15],
    [9, 15],
  ])('without an answer changes no status, and comes again later after %i such runs: in %i min', (setbacks, minutes) => {
    const change = judged(found.noAnswer, asked, { setbacks });
    expect(change).toMatchObject({ setbacks: setbacks + 1, dueAt: asked + minutes * minute, statusReason: { code: 'NO_ANSWER' } });
    expect(change).not.toHaveProperty('status');
  });

  it('without an answer does not outlast its time', () => {
    expect(judged(found.noAnswer, asked + day - minute, { setbacks: 3 })).toMatchObject({ dueAt: asked + day });
  });

  it('with any answer ends a row of setbacks', () => {
    expect(judged(found.nothing, asked, { setbacks: 4 })).toMatchObject({ setbacks: 0 });
  });
});

describe('a probe of a connection in use', () => {
  const judged = (result: ProbeResult, over: Partial<Connection> = {}) => decideAfterProbe({ ...active, ...over }, asked, result);

  it('that finds it sound is repeated a day later, give or take an hour', () => {
    const change = judged(found.sound);
    expect(change).not.toHaveProperty('status');
    expect(change).toMatchObject({ verifiedAt: asked, probedAt: asked });
    expect(Math.abs((change.dueAt ?? 0) - asked - day)).toBeLessThanOrEqual(60 * minute);
    const dues = Array.from({ length: 40 }, (_, n) => judged(found.sound, { customerAccountId: String(100000000000 + n) }).dueAt ?? 0);
    expect(Math.max(...dues) - Math.min(...dues)).toBeGreaterThan(60 * minute);
    expect(dues.every((due) => Math.abs(due - asked - day) <= 60 * minute)).toBe(true);
  });

  it.each([
    ['is gone', found.nothing, 'ROLE_GONE'],
    ['is gone, as the probe says', found.unsound('ROLE_GONE'), 'ROLE_GONE'],
    ['was made anew', found.unsound('ROLE_RECREATED'), 'ROLE_RECREATED'],
    ['is sound and another one', found.another, 'ROLE_RECREATED'],
    ['was weakened', found.unsound('EXTERNAL_ID_NOT_REQUIRED'), 'EXTERNAL_ID_NOT_REQUIRED'],
    ['may do too little', found.unsound('PERMISSION_MISSING'), 'PERMISSION_MISSING'],
  ])('suspends it when the role %s, and spoils the sessions that were opened', (_what, result, code) => {
    expect(judged(result)).toMatchObject({ status: 'suspended', announced: false, epoch: 4, statusReason: { code } });
  });

  it('without an answer leaves it in use and says so', () => {
    const change = judged(found.noAnswer, { setbacks: 1 });
    expect(change).toMatchObject({ statusReason: { code: 'NO_ANSWER' }, dueAt: asked + 2 * minute, setbacks: 2 });
    expect(change).not.toHaveProperty('status');
    expect(change).not.toHaveProperty('epoch');
  });
});

describe('after its status was told, a connection is due', () => {
  it.each<[Connection['status'], number | undefined]>([
    ['pending', asked],
    ['active', asked + 5 * minute],
    ['rejected', undefined],
    ['expired', undefined],
    ['suspended', undefined],
    ['disconnected', undefined],
  ])('%s: %s', (status, dueAt) => {
    const change = dueAfterNews(item({ status }), asked);
    expect(change.dueAt).toBe(dueAt);
    expect(change.dueShard === undefined).toBe(dueAt === undefined);
  });
});
