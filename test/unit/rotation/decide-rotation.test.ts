import { describe, expect, it } from 'vitest';
import { decide, type Observations, type Step } from '../../../functions/rotation/decide-rotation.ts';
import type { CredentialItem } from '../../../functions/tenants/registry.ts';
import { credential, day, hour, minute, now, pending, previous, rotatingCredential } from './states.ts';

const seen: Observations = { tenant: 'active', strategy: 'overlap' };
const customer: Observations = { tenant: 'active', strategy: 'customer-next' };
const before = { versionId: previous };

type Row = readonly [state: string, item: CredentialItem, what: Partial<Observations>, step: Step];
const rows: readonly Row[] = [
  ['idle, not due', credential(), {}, { next: 'wait', until: now + day }],
  ['idle, due', credential({ dueAt: now }), {}, { next: 'begin', reason: 'schedule' }],
  ['idle, never scheduled', credential({ dueAt: undefined }), {}, { next: 'rest' }],
  ['idle, another key came in', credential({ previous: before }), customer, { next: 'adopt' }],
  ['awaiting its first key', credential({ status: 'awaiting' }), customer, { next: 'rest' }],
  ['minted', credential({ dueAt: now }), { strategy: 'mint' }, { next: 'rest' }],
  ['idle, its tenant not active yet', credential({ dueAt: now }), { tenant: 'waiting' }, { next: 'wait', until: now + hour }],
  ['idle and revoked', credential({ status: 'revoked' }), {}, { next: 'rest' }],
  ['idle, its tenant gone', credential(), { tenant: 'gone' }, { next: 'rest' }],

  ['creating, begun by an earlier run', rotatingCredential({}), {}, { next: 'begin', reason: 'schedule' }],
  ['creating, an emergency', rotatingCredential({ reason: 'emergency' }), {}, { next: 'begin', reason: 'emergency' }],
  ['creating, begun by this run', rotatingCredential({}), { begunAttempt: 3 }, { next: 'create' }],
  ['creating, another attempt begun', rotatingCredential({}), { begunAttempt: 2 }, { next: 'begin', reason: 'schedule' }],
  ['creating, not wanted', rotatingCredential({ wish: 'cancel' }), { begunAttempt: 3 }, { next: 'giveUp' }],
  ['the customer not asked', rotatingCredential({ strategy: 'customer-next' }), customer, { next: 'ask' }],
  [
    'the customer asked lately',
    rotatingCredential({ strategy: 'customer-next', askedAt: now - day }),
    customer,
    { next: 'wait', until: now + 6 * day },
  ],
  [
    'the customer asked a week ago',
    rotatingCredential({ strategy: 'customer-next', askedAt: now - 7 * day }),
    customer,
    { next: 'remind' },
  ],
  [
    'the customer reminded lately',
    rotatingCredential({ strategy: 'customer-next', askedAt: now - 8 * day, remindedAt: now - day }),
    customer,
    { next: 'wait', until: now + 6 * day },
  ],
  [
    'the customer’s key is in',
    rotatingCredential({ strategy: 'customer-next', askedAt: 1 }, { previous: before }),
    customer,
    { next: 'adopt' },
  ],
  [
    'the customer’s key is in, though it was not wanted any more',
    rotatingCredential({ strategy: 'customer-next', askedAt: 1, wish: 'cancel' }, { previous: before }),
    customer,
    { next: 'adopt' },
  ],
  ['the customer’s key not wanted', rotatingCredential({ strategy: 'customer-next', wish: 'cancel' }), customer, { next: 'giveUp' }],

  ['proving', rotatingCredential({ phase: 'proving' }), {}, { next: 'prove' }],
  [
    'proving, not accepted',
    rotatingCredential({ phase: 'proving', probes: 1 }),
    { nextAccepted: false },
    { next: 'wait', until: now + 5_000 },
  ],
  [
    'proving, not accepted for long',
    rotatingCredential({ phase: 'proving', probes: 4, phaseSince: now - 14 * minute }),
    { nextAccepted: false },
    { next: 'wait', until: now + minute },
  ],
  [
    'proving, not accepted for too long',
    rotatingCredential({ phase: 'proving', phaseSince: now - 15 * minute }),
    { nextAccepted: false },
    { next: 'giveUp' },
  ],
  ['proving, not wanted', rotatingCredential({ phase: 'proving', proven: true, wish: 'cancel' }), {}, { next: 'giveUp' }],
  ['proven', rotatingCredential({ phase: 'proving', proven: true }), {}, { next: 'promote' }],

  ['grace, not told', rotatingCredential({ phase: 'grace', untold: 'rotated' }), {}, { next: 'tell' }],
  [
    'grace, to be taken back before it is told',
    rotatingCredential({ phase: 'grace', untold: 'rotated', wish: 'rollback' }),
    {},
    { next: 'rollback' },
  ],
  ['grace, just begun', rotatingCredential({ phase: 'grace' }), {}, { next: 'wait', until: now + 16 * minute }],
  ['grace, just begun, drained', rotatingCredential({ phase: 'grace' }), { drained: true }, { next: 'wait', until: now + 16 * minute }],
  [
    'grace, just begun, over at once',
    rotatingCredential({ phase: 'grace', graceUntil: now }),
    {},
    { next: 'wait', until: now + 16 * minute },
  ],
  ['grace, for a while', rotatingCredential({ phase: 'grace', phaseSince: now - 16 * minute }), {}, { next: 'observe' }],
  [
    'grace, in use',
    rotatingCredential({ phase: 'grace', phaseSince: now - 16 * minute }),
    { drained: false },
    { next: 'wait', until: now + 16 * minute },
  ],
  [
    'grace, in use, nearly over',
    rotatingCredential({ phase: 'grace', phaseSince: now - day, graceUntil: now + 1 }),
    { drained: false },
    { next: 'wait', until: now + 1 },
  ],
  [
    'grace, drained',
    rotatingCredential({ phase: 'grace', phaseSince: now - 16 * minute }),
    { drained: true },
    { next: 'retire', retiredBy: 'drained' },
  ],
  [
    'grace, over',
    rotatingCredential({ phase: 'grace', phaseSince: now - day, graceUntil: now }),
    {},
    { next: 'retire', retiredBy: 'limit' },
  ],
  ['grace, an emergency', rotatingCredential({ phase: 'grace', reason: 'emergency' }), {}, { next: 'retire', retiredBy: 'emergency' }],
  ['grace, to end now', rotatingCredential({ phase: 'grace', wish: 'retire' }), {}, { next: 'retire', retiredBy: 'limit' }],

  ['retiring', rotatingCredential({ phase: 'retiring' }), {}, { next: 'revoke' }],
  ['retiring, an answer from before it was revoked', rotatingCredential({ phase: 'retiring' }), { oldRefused: true }, { next: 'revoke' }],
  ['revoked', rotatingCredential({ phase: 'retiring', revoked: true }), {}, { next: 'confirm' }],
  ...(
    [
      [1, 5_000],
      [2, 30_000],
      [3, 2 * minute],
      [4, 10 * minute],
      [5, hour],
    ] as const
  ).map(
    ([probes, wait]): Row => [
      `accepted still, asked ${probes} times`,
      rotatingCredential({ phase: 'retiring', revoked: true, probes }),
      { oldRefused: false },
      { next: 'wait', until: now + wait },
    ],
  ),
  [
    'accepted still after a day',
    rotatingCredential({ phase: 'retiring', revoked: true, phaseSince: now - day }),
    { oldRefused: false },
    { next: 'markUnproven' },
  ],
  ['refused', rotatingCredential({ phase: 'retiring', revoked: true }), { oldRefused: true }, { next: 'finish' }],

  ['unproven', rotatingCredential({ phase: 'unproven' }), {}, { next: 'confirm' }],
  ['unproven, accepted still', rotatingCredential({ phase: 'unproven' }), { oldRefused: false }, { next: 'wait', until: now + hour }],
  [
    'unproven, said a week ago',
    rotatingCredential({ phase: 'unproven', remindedAt: now - 7 * day }),
    { oldRefused: false },
    { next: 'markUnproven' },
  ],
  ['unproven, refused at last', rotatingCredential({ phase: 'unproven' }), { oldRefused: true }, { next: 'finish' }],
  [
    'unproven when the next rotation is due',
    rotatingCredential({ phase: 'unproven' }, { rotatedAt: now - 90 * day }),
    {},
    { next: 'begin', reason: 'schedule' },
  ],
];

describe('R2 the next step of a rotation', () => {
  it.each(rows)('%s', (_state, item, what, step) => {
    expect(decide(item, now, { ...seen, ...what })).toEqual(step);
  });

  it.each([
    ['waits for its time', {}, { next: 'wait', until: now + day }],
    ['is promoted when somebody wants it now', { wish: 'promote' }, { next: 'promote' }],
    ['is promoted in an emergency', { reason: 'emergency' }, { next: 'promote' }],
  ] as const)('a key that is to be in force later %s', (_title, rotating, step) => {
    const rotation = { everyDays: 90, graceHours: 24, activateAt: new Date(now + day).toISOString() };
    expect(decide(rotatingCredential({ phase: 'proving', proven: true, ...rotating }, { rotation }), now, seen)).toEqual(step);
  });
});

describe('R2 R7 in every state', () => {
  const flags = [undefined, true, false] as const;
  const states = (['creating', 'proving', 'grace', 'retiring', 'unproven'] as const).flatMap((phase) =>
    ([undefined, 'cancel', 'promote', 'rollback', 'retire'] as const).flatMap((wish) =>
      (['schedule', 'requested', 'emergency'] as const).flatMap((reason) =>
        (['overlap', 'two-slot', 'customer-next'] as const).flatMap((strategy) =>
          flags.flatMap((flag) =>
            [0, minute, hour, 2 * day].map((age) => ({
              item: rotatingCredential({ phase, wish, reason, strategy, proven: flag, revoked: flag, phaseSince: now - age }),
              strategy,
              phase,
            })),
          ),
        ),
      ),
    ),
  );
  const observed = flags.flatMap((drained) =>
    flags.flatMap((oldRefused) => flags.map((nextAccepted) => ({ drained, oldRefused, nextAccepted }))),
  );

  it('nothing is done for a credential that is revoked, or whose tenant is gone: the revocation ends it', () => {
    for (const { item, strategy } of states)
      for (const what of observed) {
        expect(decide({ ...item, status: 'revoked' }, now, { ...seen, strategy, ...what })).toEqual({ next: 'rest' });
        expect(decide(item, now, { ...what, tenant: 'gone', strategy })).toEqual({ next: 'rest' });
      }
  });

  it('nothing is begun for a tenant that is suspended', () => {
    for (const { item, strategy } of states)
      for (const what of observed)
        expect(decide(item, now, { ...what, tenant: 'waiting', strategy })).toEqual({ next: 'wait', until: now + hour });
  });

  it('X1 no version that was revoked is tried, comes into force, or back', () => {
    const steps = states.flatMap(({ item, strategy }) =>
      observed.map((what) => decide({ ...item, revokedVersionIds: [previous, pending] }, now, { ...seen, strategy, ...what }).next),
    );
    expect(steps).toContain('giveUp');
    expect(steps.filter((next) => next === 'prove' || next === 'promote' || next === 'rollback')).toEqual([]);
  });

  it('a step belongs to its phase: nothing is promoted unproven, revoked in grace, or finished that was not refused', () => {
    for (const { item, strategy, phase } of states)
      for (const what of observed) {
        const { next } = decide(item, now, { ...seen, strategy, ...what });
        if (next === 'promote') expect([phase, item.rotating?.proven]).toEqual(['proving', true]);
        if (next === 'rollback' || next === 'retire') expect(phase).toBe('grace');
        if (next === 'revoke') expect([phase, item.rotating?.revoked]).not.toEqual(['retiring', true]);
        if (next === 'finish') expect(what.oldRefused).toBe(true);
        if (next === 'finish' && phase === 'retiring') expect(item.rotating?.revoked).toBe(true);
        if (next === 'create') expect(phase).toBe('creating');
        if (strategy === 'customer-next' && phase === 'creating') expect(['ask', 'remind', 'wait', 'giveUp']).toContain(next);
      }
  });

  it('what waits, waits for a time to come', () => {
    for (const { item, strategy } of states)
      for (const what of observed) {
        const step = decide(item, now, { ...seen, strategy, ...what });
        if (step.next === 'wait') expect(step.until).toBeGreaterThan(now);
      }
  });
});
