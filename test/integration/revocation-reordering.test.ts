import { afterEach, describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { everyNth, type FaultPoint, pointName } from '../support/fault-points.ts';
import { letThrough } from '../support/gate-keeping.ts';
import { offboardTenant, reinstateTenant, revokeTenant, type Step, suspendTenant } from '../support/revocation-courses.ts';
import { itemsAt, remainsOf } from '../support/revocation-facts.ts';
import { openRevocationLab, type Playing } from '../support/revocation-flow.ts';
import { type Meeting, oneCredential, type Race, type Raced, races, recordRace, runRace } from '../support/revocation-races.ts';
import { revocationTrade } from '../support/revocation-worker.ts';
import { delaysOf } from '../support/troubled-line.ts';

const lab = await openRevocationLab(await testCloud());
/** In `npm test` one of so many; `npm run faults` meets all. */
const oneOf = 79;

const recorded: { race: Race; name: string; points: readonly FaultPoint[]; troubles: readonly (Meeting & { call: string })[] }[] = [];
for (const race of races) {
  const points = await recordRace(lab, race);
  const troubles = points.flatMap((point) => delaysOf(point).map((effect) => ({ point, effect, call: pointName(point) })));
  recorded.push({ race, name: race.name, points, troubles: everyNth(troubles, oneOf) });
}

const nothing: Omit<Raced, 'statuses'> = { live: 0, secrets: [], underWay: [], open: 0, through: [], missteps: [] };
const ended: Raced = { ...nothing, statuses: ['revoked'] };

describe.each(recorded)('X1 the revocation of $name', ({ race, points, troubles }) => {
  it('comes while there is something to be done', () => expect(points.length).toBeGreaterThan(4));

  it.each(troubles)('leaves nothing, and nothing comes back, when it is done while $call $effect', async (trouble) => {
    const { statuses, ...raced } = await runRace(lab, race, trouble);
    expect(lab.line.waiting, 'it was held up').toEqual([]);
    expect(raced).toEqual(nothing);
    expect(statuses.filter((status) => status !== 'revoked')).toEqual([]);
  });
});

/** In every order. */
function permutations<Value>(values: readonly Value[]): readonly (readonly Value[])[] {
  if (values.length < 2) return [values];
  return values.flatMap((value, index) => permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]));
}

interface Sent {
  readonly step: Step;
  /** Seconds after the first. */
  readonly after: number;
}
const [suspend, reinstate, suspendAgain] = [
  { step: suspendTenant, after: 0 },
  { step: reinstateTenant, after: 10 },
  { step: suspendTenant, after: 20 },
];
const [revoke, offboard] = [
  { step: revokeTenant, after: 0 },
  { step: offboardTenant, after: 20 },
];

describe('X1 requests that arrive in another order than they were sent in', () => {
  const orders = (sent: readonly Sent[]) =>
    permutations(sent).map((order) => ({ order, names: order.map(({ step, after }) => `${step.detailType}@${after}`).join(', ') }));

  async function statusAfter(order: readonly Sent[]): Promise<{ readonly of: Playing; readonly tenant: unknown }> {
    const subject = await oneCredential(lab.test);
    const of = await lab.begin(subject);
    const { clock } = lab.test.cloud;
    const at = clock.now();
    clock.advance(60_000);
    // One that contradicts is put aside, with its reason: what it asked for does not come to be.
    for (const { step, after } of order) await lab.ask(of, step, undefined, at + after * 1000);
    await lab.settle(of);
    const [tenant] = await itemsAt(lab.test, subject.tenantId, ['TENANT']);
    return { of, tenant: tenant?.['status'] };
  }

  it.each(orders([suspend, reinstate, suspendAgain]))('leave a tenant suspended: $names', async ({ order }) => {
    const { of, tenant } = await statusAfter(order);
    expect(tenant).toBe('suspended');
    expect(await letThrough(lab.test, of.subject)).toEqual([]);
    expect(await remainsOf(lab.test, of)).toMatchObject({ live: 1, open: 0, statuses: ['active'] });
  });

  it.each(orders([revoke, reinstate, offboard]))('end a tenant for good: $names', async ({ order }) => {
    const { of, tenant } = await statusAfter(order);
    expect(tenant).toBe('offboarded');
    expect({ ...(await remainsOf(lab.test, of)), through: await letThrough(lab.test, of.subject), missteps: [] }).toEqual(ended);
  });

  it('end what a revocation has ended, also once the tenant is let in again', async () => {
    const { of, tenant } = await statusAfter([revoke, reinstate]);
    expect(tenant).toBe('active');
    expect({ ...(await remainsOf(lab.test, of)), through: await letThrough(lab.test, of.subject), missteps: [] }).toEqual(ended);
  });
});

describe('X1 X3 a worker whose clock is wrong', () => {
  afterEach(() => lab.crew.setClocks(revocationTrade, 0));

  it.each([-10, 10])('by %i minutes ends what was made a moment ago, too', async (minutes) => {
    const subject = await oneCredential(lab.test);
    lab.crew.setClocks(revocationTrade, minutes * 60_000);
    const of = await lab.begin(subject);
    await lab.ask(of, offboardTenant);
    await lab.settle(of);
    expect({ ...(await remainsOf(lab.test, of)), through: await letThrough(lab.test, subject), missteps: await lab.missteps(of) }).toEqual(
      ended,
    );
  });

  it.each([-10, 10])('by %i minutes leaves no key that is being made at this moment', async (minutes) => {
    const [race] = races;
    if (race === undefined) throw new Error('There is none.');
    lab.crew.setClocks(revocationTrade, minutes * 60_000);
    const point = { service: 'openai', action: 'POST /v1/organization/projects/{id}/service_accounts/{id}/api_keys', nth: 1 };
    expect(recorded[0]?.points).toContainEqual(point);
    expect(await runRace(lab, race, { point, effect: 'is held up' })).toEqual(ended);
  });
});
