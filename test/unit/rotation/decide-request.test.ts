import { describe, expect, it } from 'vitest';
import { decideRequest, type RequestOf } from '../../../functions/rotation/decide-request.ts';
import { rotationRequested } from '../../../functions/rotation/events.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { credential, current, now, pending, previous, rotatingCredential } from './states.ts';

const asked = { version: 1, tenantId: 'acme', credentialId: 'main', requestedBy: 'ann', why: 'it leaked' } as const;
const of = (over: object, rest: Partial<RequestOf> = {}): RequestOf => ({
  request: rotationRequested.parse({ ...asked, ...over }),
  eventId: 'e1',
  rotationId: '01K9Z8V0000000000000000001',
  strategy: 'overlap',
  now,
  ...rest,
});
const unknown = 'x'.repeat(64);

describe('R5 R6 what a request makes of a credential', () => {
  it('begins a rotation, with a new attempt written down', () => {
    const decision = decideRequest(credential(), of({}));
    expect(decision).toMatchObject({
      next: 'change',
      change: {
        attempt: 3,
        rotationRequests: ['e1'],
        rotating: { phase: 'creating', reason: 'requested', requestedBy: 'ann', why: 'it leaked', pending: { attempt: 3 } },
      },
    });
    expect(decision.next === 'change' && decision.change.diverted).toBe(undefined);
  });

  it('leaves the attempts of a customer’s credential to the door', () => {
    const decision = decideRequest(credential({ source: 'customer-supplied' }), of({}, { strategy: 'customer-next' }));
    expect(decision).toMatchObject({ next: 'change', change: { rotating: { phase: 'creating', strategy: 'customer-next' } } });
    expect(decision.next === 'change' && 'attempt' in decision.change).toBe(false);
  });

  it('is applied once', () => {
    expect(decideRequest(credential({ rotationRequests: ['e1'] }), of({ emergency: true }))).toEqual({ next: 'nothing' });
  });

  it.each(['creating', 'proving', 'grace', 'retiring'] as const)('joins a rotation that is %s', (phase) => {
    expect(decideRequest(rotatingCredential({ phase }), of({}))).toEqual({ next: 'nothing' });
  });

  it.each(['creating', 'proving'] as const)('makes a rotation that is %s an emergency', (phase) => {
    const decision = decideRequest(rotatingCredential({ phase, wish: 'cancel' }), of({ emergency: true }));
    expect(decision).toMatchObject({
      next: 'change',
      change: { diverted: true, rotating: { phase, reason: 'emergency', why: 'it leaked' } },
    });
    expect(decision.next === 'change' && decision.change.rotating?.wish).toBe(undefined);
  });

  it.each(['grace', 'retiring', 'unproven'] as const)(
    'in an emergency makes another key while one is %s, and loses sight of none',
    (phase) => {
      const decision = decideRequest(rotatingCredential({ phase, older: [{ versionId: 'o' }] }), of({ emergency: true }));
      expect(decision).toMatchObject({
        change: {
          diverted: true,
          previous: undefined,
          rotating: { phase: 'creating', reason: 'emergency', older: [{ versionId: previous }, { versionId: 'o' }] },
        },
      });
    },
  );

  const wishes: readonly (readonly [string, object, CredentialItem, string])[] = [
    ['rollback while a key is made', { action: 'rollback' }, rotatingCredential({}), 'cancel'],
    ['rollback while a key is proven', { action: 'rollback' }, rotatingCredential({ phase: 'proving' }), 'cancel'],
    ['rollback in grace', { action: 'rollback' }, rotatingCredential({ phase: 'grace' }), 'rollback'],
    ['promote the next', { action: 'promote' }, rotatingCredential({ phase: 'proving' }), 'promote'],
    ['promote the next by name', { action: 'promote', versionId: pending }, rotatingCredential({ phase: 'proving' }), 'promote'],
    ['promote the previous', { action: 'promote', versionId: previous }, rotatingCredential({ phase: 'grace' }), 'rollback'],
    ['demote the next', { action: 'demote', versionId: pending }, rotatingCredential({ phase: 'proving' }), 'cancel'],
    ['demote the one in force', { action: 'demote' }, rotatingCredential({ phase: 'grace' }), 'rollback'],
    ['demote the one in force by name', { action: 'demote', versionId: current }, rotatingCredential({ phase: 'grace' }), 'rollback'],
    ['demote the previous', { action: 'demote', versionId: previous }, rotatingCredential({ phase: 'grace' }), 'retire'],
  ];
  it.each(wishes)('%s', (_what, over, item, wish) => {
    expect(decideRequest(item, of({ ...over, requestedBy: 'duty' }))).toMatchObject({
      next: 'change',
      change: { rotating: { wish, requestedBy: 'duty', why: 'it leaked' }, rotationRequests: ['e1'] },
    });
  });

  const all = { revokedVersionIds: [previous, pending] };
  const refused: readonly (readonly [string, object, CredentialItem])[] = [
    ['promote a version that was revoked', { action: 'promote' }, rotatingCredential({ phase: 'proving' }, all)],
    ['promote one by name', { action: 'promote', versionId: previous }, rotatingCredential({ phase: 'grace' }, all)],
    ['roll back to one', { action: 'rollback' }, rotatingCredential({ phase: 'grace' }, all)],
    ['demote the one in force for one', { action: 'demote' }, rotatingCredential({ phase: 'grace' }, all)],
    ['rollback when nothing is under way', { action: 'rollback' }, credential()],
    ['rollback to a key that is about to die', { action: 'rollback' }, rotatingCredential({ phase: 'retiring' })],
    ['rollback to a key that leaked', { action: 'rollback' }, rotatingCredential({ phase: 'grace', reason: 'emergency' })],
    ['promote what is not known', { action: 'promote', versionId: unknown }, rotatingCredential({ phase: 'proving' })],
    ['promote when there is nothing to', { action: 'promote' }, rotatingCredential({ phase: 'grace' })],
    ['demote without another', { action: 'demote' }, credential()],
    ['demote what is not known', { action: 'demote', versionId: unknown }, rotatingCredential({ phase: 'grace' })],
    ['rotate what is awaited', {}, credential({ status: 'awaiting' })],
    ['rotate what is revoked', {}, credential({ status: 'revoked' })],
  ];
  it.each(refused)('refuses to %s', (_what, over, item) => {
    expect(decideRequest(item, of(over))).toMatchObject({ next: 'refuse', error: { code: 'EVENT_CONTRADICTS', retryable: false } });
  });

  it('X1 throws away, or retires, a version that was revoked', () => {
    expect(decideRequest(rotatingCredential({ phase: 'proving' }, all), of({ action: 'demote', versionId: pending }))).toMatchObject({
      change: { rotating: { wish: 'cancel' } },
    });
    expect(decideRequest(rotatingCredential({ phase: 'grace' }, all), of({ action: 'demote', versionId: previous }))).toMatchObject({
      change: { rotating: { wish: 'retire' } },
    });
  });

  it('waits for a credential that is being provisioned', () => {
    expect(decideRequest(credential({ status: 'provisioning' }), of({}))).toMatchObject({ next: 'refuse', error: { retryable: true } });
  });

  it('finds a version in force already promoted', () => {
    expect(decideRequest(credential(), of({ action: 'promote', versionId: current }))).toEqual({ next: 'nothing' });
  });

  it('raises the epoch of what is minted', () => {
    const item = credential({ source: 'federated', status: 'recorded' });
    expect(decideRequest(item, of({}, { strategy: 'mint' }))).toEqual({ next: 'mint', change: { epoch: 1, rotationRequests: ['e1'] } });
    expect(decideRequest(item, of({ action: 'rollback' }, { strategy: 'mint' }))).toMatchObject({ next: 'refuse' });
  });

  it('remembers the requests of late', () => {
    const rotationRequests = Array.from({ length: 20 }, (_, index) => `old-${index}`);
    const decision = decideRequest(credential({ rotationRequests }), of({}));
    expect(decision.next === 'change' && decision.change.rotationRequests).toEqual([...rotationRequests.slice(1), 'e1']);
  });

  it.each([
    ['emergency', { emergency: true, action: 'rollback' }],
    ['versionId', { versionId: current }],
    ['why', { why: undefined }],
  ])('is not believed with a wrong %s', (_member, over) => {
    expect(rotationRequested.safeParse({ ...asked, ...over }).success).toBe(false);
  });
});
