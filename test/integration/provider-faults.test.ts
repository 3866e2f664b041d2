import { describe, expect, it } from 'vitest';
import { testCloud } from '../support/cloud.ts';
import { everyNth, type FaultPoint, pointName, providerTroubles, strike } from '../support/fault-points.ts';
import { onboardToTheEnd } from '../support/provider-run.ts';
import { suspendSchedules } from '../support/schedules.ts';
import { queued } from '../support/settle.ts';
import { tenantState } from '../support/tenant-state.ts';

const test = await testCloud();
const { cloud } = test;
await suspendSchedules(cloud);

/** The requests of an onboarding in which the answer to `point` is lost, from then on. */
async function askedAfterLosing(point: FaultPoint): Promise<FaultPoint[]> {
  strike(cloud.faults, point, { mode: 'after' });
  const { asked } = await onboardToTheEnd(test);
  return asked.slice(asked.findIndex((one) => pointName(one) === pointName(point)) + 1);
}

const clean = await onboardToTheEnd(test);
const { projects: oneProject, ...cleanState } = await tenantState(test, clean.tenantId);
const cases: { readonly lost?: FaultPoint; readonly point: FaultPoint }[] = clean.asked.map((point) => ({ point }));
const pairs: typeof cases = [];
for (const lost of clean.asked) for (const point of await askedAfterLosing(lost)) pairs.push({ lost, point });
cases.push(...everyNth(pairs, 2));

describe('one key per credential, whatever a request to the provider meets', () => {
  it('records the requests of an onboarding and of its repair', () => {
    expect(clean.asked.length).toBeGreaterThanOrEqual(3);
    expect(cases.map(({ point }) => point.action)).toContain('DELETE /organization/projects/{id}/api_keys/{id}');
    expect(oneProject).toBe(1);
    expect(cleanState).toMatchObject({
      registry: { TENANT: { status: 'active', announced: true } },
      credentials: { 'CREDENTIAL#openai-main': { vaultedKeyIsLive: true, registryNamesIt: true } },
      liveKeys: ['{tenant}.openai-main'],
      published: ['TenantProvisioned'],
    });
  });

  for (const { lost, point } of cases) {
    for (const { how, ...trouble } of providerTroubles) {
      it(`ends the same when ${lost === undefined ? '' : `the answer to ${pointName(lost)} is lost and `}${pointName(point)} ${how}`, async () => {
        if (lost !== undefined) strike(cloud.faults, lost, { mode: 'after' });
        strike(cloud.faults, point, trouble);
        const { tenantId } = await onboardToTheEnd(test);
        expect(cloud.faults.list(), 'every fault struck').toEqual([]);
        const { projects, ...state } = await tenantState(test, tenantId);
        expect(state).toEqual(cleanState);
        // Where the provider itself makes a project twice there are two; the other one holds no key.
        expect(projects).toBe(trouble.mode === 'duplicate' && point.action === 'POST /organization/projects' ? 2 : 1);
        expect(await queued(cloud, 'dlqUrl')).toBe(0);
      });
    }
  }
});
