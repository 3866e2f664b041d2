import { beforeAll, describe, expect, it } from 'vitest';
import type { Revocation } from '../../functions/revocation/revocation.ts';
import type { Fault } from '../../local/core/faults.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { certificateIn } from '../support/issued-certificates.ts';
import { seedStackTenant } from '../support/large-stack-tenant.ts';
import { large } from '../support/large-tenant.ts';
import { put, revocationOf, secretNames } from '../support/revocations.ts';

/** The worker dies at each of these in turn, over and over, as long as there is work: in marking, in ending, and while the certificate is written. */
const deaths: readonly Pick<Fault, 'service' | 'action' | 'nth'>[] = [
  { service: 'dynamodb', action: 'UpdateItem', nth: 1500 },
  { service: 'secretsmanager', action: 'GetSecretValue', nth: 800 },
  { service: 'secretsmanager', action: 'UpdateSecretVersionStage', nth: 900 },
  { service: 'dynamodb', action: 'ExecuteStatement', nth: 4000 },
  { service: 'secretsmanager', action: 'DeleteSecret', nth: 700 },
  { service: 'events', action: 'PutEvents', nth: 300 },
];
/** These come late, so that they are set from the beginning. */
const lateDeaths: readonly Pick<Fault, 'service' | 'action' | 'nth'>[] = [
  { service: 'kms', action: 'Sign', nth: 1 },
  { service: 'dynamodb', action: 'PutItem', nth: 5 },
];

const size = large;
let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

describe('X1 X3 X6 offboarding a tenant of 1,000 users and 3,000 credentials in the stack as it is deployed', () => {
  it('comes to its end whatever the worker dies of on the way, with a certificate that counts everything', async () => {
    const { cloud } = test;
    const tenantId = await seedStackTenant(test, size);
    const begun = performance.now();
    for (const fault of lateDeaths) cloud.faults.add({ ...fault, mode: 'crash' });
    const id = await put(test, 'TenantOffboarded', { tenantId });
    let deathsSet = 0;
    let item: Revocation | undefined;
    for (let minutes = 0; item?.status !== 'done'; minutes += 1) {
      if (minutes === 24 * 60) throw new Error(`not done after a day: ${JSON.stringify(item)}`);
      const [next] = deaths.slice(deathsSet % deaths.length);
      if (next && cloud.faults.list().length <= lateDeaths.length) {
        cloud.faults.add({ ...next, mode: 'crash' });
        deathsSet += 1;
      }
      if (!(await cloud.idle(600_000, { exceptWaiting: true }))) throw new Error('the worker works for longer than it may');
      item = await revocationOf(test, tenantId, id);
      cloud.clock.advance(60_000);
    }
    const left = cloud.faults.list().map(({ action }) => action);
    cloud.faults.clear();
    // Messages that a dead worker had in its hands come back after half an hour, and find nothing left to do.
    cloud.clock.advance(31 * 60_000);
    await test.settled(600_000);
    expect(left.filter((action) => lateDeaths.some((late) => late.action === action))).toEqual([]);
    expect(deathsSet).toBeGreaterThan(3);

    const counts = { credentials: size.credentials, versions: size.credentials, confirmed: size.credentials, unconfirmed: 0 };
    expect(item.counts).toEqual(counts);
    const { ok, problems, header, records } = await certificateIn(test, tenantId, item.certificateId ?? '');
    expect({ ok, problems }).toEqual({ ok: true, problems: [] });
    expect(header).toMatchObject({ complete: true, counts });
    expect(new Set(records.flatMap((record) => (record.kind === 'credential' ? record.credentialId : []))).size).toBe(size.credentials);
    expect(cloud.openai.liveKeys(`${tenantId}.`)).toEqual([]);
    expect(await secretNames(test, tenantId)).toEqual([]);
    process.stdout.write(
      `offboarded ${size.credentials} credentials in ${Math.round((performance.now() - begun) / 1000)} s, ${deathsSet} deaths\n`,
    );
  }, 3_600_000);
});
