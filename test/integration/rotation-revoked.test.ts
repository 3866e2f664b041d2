import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import { everyNth } from '../support/fault-points.ts';
import { credentialOf, put, revocationOf, secretNames } from '../support/revocations.ts';
import {
  fingerprintIn,
  isLive,
  issuedAt,
  type Kept,
  liveKeysFor,
  minuteMs,
  putRotation,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  scheduleNothing,
  simulatorOf,
  stateOf,
} from '../support/rotations.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
beforeEach(async () => {
  await scheduleNothing(test);
  test.cloud.faults.clear();
  simulatorOf(test, 'openai').misbehave({});
});

const createKey = 'POST /organization/projects/{id}/service_accounts/{id}/api_keys';

/** Brings rotations into a phase, and leaves them there. */
const into: Readonly<Record<string, (all: readonly Kept[]) => Promise<void>>> = {
  async creating(all) {
    for (const kept of all) {
      // The provider has made a key that nobody was told of.
      test.cloud.faults.add({ service: 'openai', action: createKey, nth: 1, mode: 'after' });
      await requestRotation(test, kept);
    }
  },
  async proving(all) {
    for (const kept of all) await requestRotation(test, kept);
  },
  grace: (all) => into['proving']?.(all) ?? Promise.reject(new Error('It is missing.')),
  async retiring(all) {
    await into['proving']?.(all);
    simulatorOf(test, 'openai').misbehave({ deletionDelayMs: 60 * 60 * minuteMs });
    await sweep(test, 17);
  },
  async unproven(all) {
    await into['retiring']?.(all);
    await sweep(test, 1440);
  },
};

interface InPhase {
  readonly kept: Kept;
  /** Every key that a version of it holds. */
  readonly keys: readonly string[];
}

/** Two tenants whose credential is in the phase, and out of it again not before an hour has passed, but for being looked at. */
async function inPhase(phase: string, provider: string): Promise<readonly [InPhase, InPhase]> {
  const activateAt = new Date(test.cloud.clock.now() + 60 * minuteMs).toISOString();
  const rotation = { everyDays: 90, graceHours: 24, ...(phase === 'proving' && { activateAt }) };
  const make = async (): Promise<Kept> => {
    const tenantId = await rotatingTenant(test, [issuedAt(provider, { rotation })]);
    return { tenantId, credentialId: `${provider}-main`, provider };
  };
  const [one, other] = [await make(), await make()];
  const before = new Map([
    [one, await fingerprintIn(test, one)],
    [other, await fingerprintIn(test, other)],
  ]);
  await into[phase]?.([one, other]);
  const found = async (kept: Kept): Promise<InPhase> => {
    const state = await stateOf(test, kept);
    expect(state).toMatchObject({ rotating: { phase } });
    const next = phase === 'proving' ? [await fingerprintIn(test, kept, state.rotating?.pending?.versionId)] : [];
    return { kept, keys: [before.get(kept) ?? '', await fingerprintIn(test, kept), ...next] };
  };
  return [await found(one), await found(other)];
}

/** Lets time pass until every credential that the revocation is about is shown to be dead. */
async function done(tenantId: string, revocationId: string): Promise<void> {
  for (let hours = 0; hours < 4; hours += 1) {
    await pause(test.cloud);
    if ((await revocationOf(test, tenantId, revocationId)).status === 'done') return;
    await sweep(test, 61);
  }
  throw new Error(
    `It is not done: ${JSON.stringify(await stateOf(test, { tenantId, credentialId: 'openai-main' }).catch(() => undefined))}`,
  );
}

/** Nothing made for it is accepted, nothing of it is stored, and nothing is scheduled any more. */
async function expectDead({ kept, keys }: InPhase, epoch: number): Promise<void> {
  for (const fingerprint of keys) expect(isLive(test, kept.provider, fingerprint)).toBe(false);
  if (kept.provider !== 'azure-openai') expect(liveKeysFor(test, kept)).toEqual([]);
  const { status, rotating, previous, dueAt, diverted, leaseUntil, ending, ...rest } = await credentialOf(
    test,
    kept.tenantId,
    kept.credentialId,
  );
  expect({ status, epoch: rest.epoch, rotating, previous, dueAt, diverted, leaseUntil }).toEqual({
    status: 'revoked',
    epoch: epoch + 1,
    leaseUntil: 0,
  });
  expect(ending).toMatchObject({ phase: 'ended', announced: true, deletedAt: expect.any(Number) });
  expect(ending?.versions.every(({ confirmedAt }) => confirmedAt !== undefined)).toBe(true);
  expect(await secretNames(test, kept.tenantId)).toEqual([]);
  expect(await rotationLetters(test, kept.tenantId)).toEqual([]);
}

const cases = [
  ...Object.keys(into).map((phase) => [phase, 'openai'] as const),
  ['proving', 'azure-openai'] as const,
  ['grace', 'azure-openai'] as const,
];

describe.each(everyNth(cases, 4))('X3 R7 V2 a rotation that is %s at %s', (phase, provider) => {
  it('ends with every key dead when the credential is revoked, or its tenant is offboarded', async () => {
    const [revoked, left] = await inPhase(phase, provider);
    const [one, other] = [(await stateOf(test, revoked.kept)).epoch, (await stateOf(test, left.kept)).epoch];
    const ids = [
      await put(test, 'RevocationRequested', {
        tenantId: revoked.kept.tenantId,
        scope: 'credential',
        credentialId: revoked.kept.credentialId,
      }),
      await put(test, 'TenantOffboarded', { tenantId: left.kept.tenantId }),
    ];
    await sweep(test);
    for (const { kept } of [revoked, left]) {
      const { status, rotating } = await credentialOf(test, kept.tenantId, kept.credentialId);
      expect({ status, rotating }).toEqual({ status: 'revoked' });
    }
    // By then every phase would be looked at again by itself.
    await sweep(test, 75);
    simulatorOf(test, provider).misbehave({});
    for (const [index, { kept }] of [revoked, left].entries()) await done(kept.tenantId, ids[index] ?? '');
    await expectDead(revoked, one);
    await expectDead(left, other);
  });
});

describe('X3 R7 V2 a credential that is revoked while a worker is at it', () => {
  it.each([
    ['makes the next key', 'openai', createKey],
    ['tries the next key', 'openai', 'GET /models'],
    ['stages the next key', 'secretsmanager', 'PutSecretValue'],
    ['puts the next key in force', 'secretsmanager', 'UpdateSecretVersionStage'],
  ])('and %s: ends with every key dead, and is revoked still', async (_, service, action) => {
    const tenantId = await rotatingTenant(test, [issuedAt('openai')]);
    const kept = { tenantId, credentialId: 'openai-main', provider: 'openai' };
    const [before, { epoch }] = [await fingerprintIn(test, kept), await stateOf(test, kept)];
    test.cloud.faults.add({ service, action, nth: 1, mode: 'delay', delayMs: 800 });
    await putRotation(test, kept);
    while (test.cloud.faults.list().length > 0) await sleep(5);
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: kept.credentialId });
    await done(tenantId, id);
    await expectDead({ kept, keys: [before] }, epoch);
  });
});
