import { afterEach, describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { everyNth, type FaultPoint, inFull, pointName } from '../support/fault-points.ts';
import { flows, type Kind, kinds } from '../support/revocation-courses.ts';
import { openRevocationLab, type Played, type Playing } from '../support/revocation-flow.ts';
import { revocationTrade } from '../support/revocation-worker.ts';
import { delaysOf, type Effect, effectsOn, type Trouble } from '../support/troubled-line.ts';

const lab = await openRevocationLab(await testCloud());

/**
 * In `npm test` one trouble of so many is met: the first flow's calls are most of every other's. `npm run faults` meets all.
 */
const oneOf: Readonly<Record<Kind, number>> = {
  'a credential': 29,
  'a credential of two slots in the grace of a rotation': 260,
  'a user with a credential of their own': 79,
  'a pool tenant': 260,
  'a dedicated tenant': 260,
  'the version in force': 79,
  'a suspension and its end': 41,
  'what a person confirms': 67,
};

interface Recorded {
  readonly kind: Kind;
  readonly clean: Played;
  readonly points: readonly FaultPoint[];
  readonly troubles: readonly Trouble[];
}

/** Plays it once. Each of its calls, and each thing that can happen to it, is a trouble. */
async function record(kind: Kind): Promise<Recorded> {
  const clean = await lab.play(flows[kind], await lab.take(flows[kind]));
  const points = [...lab.line.calls];
  const all = points.flatMap((point) => {
    const effects: readonly Effect[] = effectsOn(point);
    return (effects.includes('kills') ? [...effects, 'is never made' as const] : effects).map((effect) => ({ point, effect }));
  });
  const troubles = everyNth(all, oneOf[kind]);
  await lab.stock(flows[kind], troubles.length);
  return { kind, clean, points, troubles };
}

const recorded: Recorded[] = [];
for (const kind of kinds) recorded.push(await record(kind));
const held = recorded.find(({ kind }) => kind === 'a credential')?.points ?? [];

const isOver = { status: 'done', isFree: true, isDue: false };
const isEnded = { status: 'revoked', secret: false, live: 0, isIdle: true, isDue: false, ending: { phase: 'ended', announced: true } };

describe.each(recorded)('X1 X2 X3 X6 the revocation of $kind with something going wrong at one call', ({ kind, clean, troubles }) => {
  it('ends well when nothing goes wrong', () => {
    expect(clean).toMatchObject({ left: { queued: 0, putAside: 0 }, missteps: [] });
    for (const order of clean.orders) expect(order).toMatchObject(isOver);
    for (const certificate of clean.certificates) expect(certificate).toMatchObject({ ok: true, complete: true });
    const goesOn = kind === 'the version in force' || kind === 'a suspension and its end';
    expect(clean.certificates).toHaveLength(goesOn ? 0 : 1);
    for (const credential of clean.credentials)
      expect(credential).toMatchObject(goesOn ? { status: 'active', secret: true, live: 1, versionRevoked: false } : isEnded);
  });

  it.each(troubles.map((trouble) => ({ ...trouble, name: pointName(trouble.point) })))(
    'ends the same, with nobody let through meanwhile, when $name $effect',
    async ({ point, effect }) => {
      const played = await lab.play(flows[kind], await lab.take(flows[kind]), [{ point, effect }]);
      expect(lab.line.waiting, 'the trouble came').toEqual([]);
      expect(played).toEqual(clean);
    },
  );
});

/** `npm run faults` goes through the others too. */
const shown = recorded.filter(
  ({ kind }) => inFull || kind === 'a credential' || kind === 'a pool tenant' || kind === 'a suspension and its end',
);
const minuteMs = 60_000;

describe.each(shown)('X1 X3 the revocation of $kind', ({ kind, clean }) => {
  afterEach(() => {
    lab.crew.deliverEach('once');
    lab.crew.setClocks(revocationTrade, 0);
  });

  it.each(['twice', 'to two workers at once'] as const)('ends the same when every message is delivered %s', async (how) => {
    const subject = await lab.take(flows[kind]);
    lab.crew.deliverEach(how);
    expect(await lab.play(flows[kind], subject)).toEqual(clean);
  });

  it.each([-4, 4])('ends the same when the clock of the worker is %i minutes off', async (minutes) => {
    const subject = await lab.take(flows[kind]);
    lab.crew.setClocks(revocationTrade, minutes * minuteMs);
    expect(await lab.play(flows[kind], subject)).toEqual(clean);
  });
});

describe('X3 a worker that is held up past its hold, while another takes over', () => {
  const kind: Kind = 'a credential';
  const late = held.flatMap((point) => delaysOf(point).map((effect) => ({ point, effect, call: pointName(point) })));

  it.each(everyNth(late, 41))('changes nothing when $call $effect', async (trouble) => {
    const subject = await lab.take(flows[kind]);
    let of: Playing | undefined;
    const meanwhile = async (): Promise<void> => {
      if (of) await lab.othersGoOn(of, 40 * minuteMs);
    };
    of = await lab.begin(subject, [{ ...trouble, meanwhile }]);
    for (const step of flows[kind].steps) await lab.ask(of, step);
    await lab.settle(of);
    expect(lab.line.waiting, 'it was held up').toEqual([]);
    expect(await lab.playedOut(of)).toEqual(recorded.find((one) => one.kind === kind)?.clean);
  });
});
