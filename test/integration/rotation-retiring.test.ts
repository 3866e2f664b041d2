import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createIds } from '../../functions/shared/clock.ts';
import { credentialIdOf, storeFor, tenantIdOf } from '../support/attribution-log.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import {
  endsOf,
  fingerprintIn,
  isLive,
  issuedAt,
  type Kept,
  liveKeysFor,
  newsOf,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  scheduleNothing,
  simulatorOf,
  stateOf,
  stepsOf,
  wellRotated,
} from '../support/rotations.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

beforeEach(async () => {
  await scheduleNothing(test);
  for (const provider of ['openai', 'mistral']) simulatorOf(test, provider).misbehave({});
});

const rotation = { everyDays: 90, graceHours: 1 };

/** A credential that has got its next key a moment ago, and what it was before. */
async function inGrace(over: Readonly<Record<string, unknown>> = {}, provider = 'openai') {
  const tenantId = await rotatingTenant(test, [issuedAt(provider, { rotation, ...over })]);
  const kept: Kept = { tenantId, credentialId: `${provider}-main`, provider };
  const { secretVersionId: old } = await stateOf(test, kept);
  const oldKey = await fingerprintIn(test, kept);
  await requestRotation(test, kept);
  expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'grace' }, previous: { versionId: old } });
  return { kept, old, oldKey };
}

/** What a broker puts on record when it uses a version: with an outcome unless the use is under way. */
async function useOfVersion({ tenantId, credentialId, provider }: Kept, credentialVersion: string, isOver: boolean): Promise<void> {
  const { clock } = test.cloud;
  const log = storeFor(test, await test.tenantSession(tenantId));
  const entry = {
    ...{ id: createIds(() => clock.now())(), tenantId: tenantIdOf(tenantId), credentialId: credentialIdOf(credentialId) },
    ...{ actor: { function: 'broker' }, provider, operation: 'provider.call', context: {}, credentialVersion },
    at: new Date(clock.now()).toISOString(),
  };
  await log.record({ ...entry, kind: 'INTENT' });
  if (isOver) await log.record({ ...entry, kind: 'OUTCOME', outcome: { result: 'succeeded', statusCode: 200 } });
}

describe('R1 R2 an old key that is in use still', () => {
  it.each([
    ['begun and not ended', false],
    ['ended', true],
  ])('is not retired until the last use, %s, is over for sure', async (_, isOver) => {
    const { kept, old, oldKey } = await inGrace();
    await sweep(test, 10);
    await useOfVersion(kept, old, isOver);
    await sweep(test, 7);
    expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'grace' } });
    expect(isLive(test, 'openai', oldKey)).toBe(true);
    await sweep(test, 17);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'drained' }]);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
  });

  it('is retired all the same when its grace is over, and the event says so', async () => {
    const { kept, old, oldKey } = await inGrace();
    for (const _ of [1, 2, 3]) {
      await sweep(test, 14);
      await useOfVersion(kept, old, true);
      expect(isLive(test, 'openai', oldKey)).toBe(true);
    }
    await sweep(test, 10);
    expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'grace' } });
    await sweep(test, 8);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'limit' }]);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
  });

  it('is not kept alive by uses of the next one, of another credential, or by its own being tried', async () => {
    const { kept, old } = await inGrace();
    const other = { ...kept, credentialId: 'openai-other' };
    await sweep(test, 10);
    await useOfVersion(kept, (await stateOf(test, kept)).secretVersionId, false);
    await useOfVersion(other, old, false);
    await sweep(test, 7);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'drained' }]);
  });
});

describe('R2 an old key that the provider accepts after it was revoked', () => {
  it('is asked about again and again, and gone only when it is refused', async () => {
    const { kept, old, oldKey } = await inGrace();
    simulatorOf(test, 'openai').misbehave({ deletionDelayMs: 40 * 60_000 });
    await sweep(test, 17);
    for (let minutes = 0; minutes < 38; minutes += 10) {
      expect(isLive(test, 'openai', oldKey)).toBe(true);
      expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'retiring' }, previous: { versionId: old } });
      expect(await newsOf(test, kept, 'CredentialRetired')).toEqual([]);
      await sweep(test, 10);
    }
    await sweep(test, 60);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'drained' }]);
    expect(await newsOf(test, kept, 'CredentialUnproven')).toEqual([]);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
    const verdicts = (await stepsOf(test, kept)).flatMap(({ context }) => context['verdict'] ?? []);
    expect(verdicts.filter((verdict) => verdict === 'accepted').length).toBeGreaterThan(3);
    expect(verdicts.at(-1)).toBe('refused');
  });

  it('is not taken for dead because the provider forbids it something, or has too much to do', async () => {
    const { kept, oldKey } = await inGrace();
    simulatorOf(test, 'openai').misbehave({ deletionDelayMs: 20 * 60_000 });
    for (const status of [403, 429, 500])
      for (const nth of [1, 2]) test.cloud.faults.add({ service: 'openai', action: 'GET /models', nth, mode: 'before', status });
    for (let minutes = 0; minutes < 15; minutes += 3) await sweep(test, minutes === 0 ? 17 : 3);
    expect(isLive(test, 'openai', oldKey)).toBe(true);
    expect(await newsOf(test, kept, 'CredentialRetired')).toEqual([]);
    test.cloud.faults.clear();
    await sweep(test, 20);
    await sweep(test, 60);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
  });

  it('is told of after a day, asked about still, and confirmed when it is refused at last', async () => {
    const { kept, old, oldKey } = await inGrace({}, 'mistral');
    simulatorOf(test, 'mistral').misbehave({ deletionDelayMs: 30 * 3_600_000 });
    await sweep(test, 17);
    for (const hours of [1, 11, 12]) await sweep(test, hours * 60);
    expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'unproven' }, previous: { versionId: old } });
    expect(await newsOf(test, kept, 'CredentialUnproven')).toMatchObject([{ versionId: old }]);
    expect(await newsOf(test, kept, 'CredentialRetired')).toEqual([]);
    expect(isLive(test, 'mistral', oldKey)).toBe(true);
    expect(liveKeysFor(test, kept)).toHaveLength(2);
    for (const hours of [3, 3]) await sweep(test, hours * 60);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: old, retiredBy: 'drained' }]);
    expect(await newsOf(test, kept, 'CredentialUnproven')).toHaveLength(1);
    expect(await endsOf(test, kept)).toEqual(wellRotated('mistral'));
    expect(await rotationLetters(test, kept.tenantId)).toEqual([]);
  });
});
