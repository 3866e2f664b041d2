import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import { asRoot } from '../support/ground-truth.ts';
import {
  endsOf,
  issuedAt,
  type Kept,
  liveKeysFor,
  minuteMs,
  newsOf,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  scheduleNothing,
  simulatorOf,
  stateOf,
  wellRotated,
  writeCredential,
} from '../support/rotations.ts';
import { pause } from '../support/settle.ts';
import { registryItem } from '../support/supply.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
beforeEach(async () => {
  await scheduleNothing(test);
  test.cloud.faults.clear();
  for (const provider of ['openai', 'mistral']) simulatorOf(test, provider).misbehave({});
});

const createKey = 'POST /organization/projects/{id}/service_accounts/{id}/api_keys';

async function dueTomorrow(provider: string): Promise<Kept> {
  const tenantId = await rotatingTenant(test, [issuedAt(provider, { rotation: { everyDays: 1, graceHours: 1 } })]);
  return { tenantId, credentialId: `${provider}-main`, provider };
}

const phaseOf = async (kept: Kept): Promise<string | undefined> => (await stateOf(test, kept)).rotating?.phase;

describe('R7 a provider that is down', () => {
  it('holds up no other one, is asked less and less often, is told of, and loses nothing', async () => {
    const [stuck, healthy] = [await dueTomorrow('mistral'), await dueTomorrow('openai')];
    const before = await stateOf(test, stuck);
    simulatorOf(test, 'mistral').misbehave({ adminPerMinute: 0 });
    await sweep(test, 1440);
    expect([await phaseOf(stuck), await phaseOf(healthy)]).toEqual(['creating', 'grace']);

    const waits: number[] = [];
    for (let setbacks = 1; setbacks <= 6; setbacks += 1) {
      const state = await stateOf(test, stuck);
      expect(state).toMatchObject({ leaseUntil: 0, secretVersionId: before.secretVersionId, rotating: { setbacks } });
      const wait = Math.round(((state.dueAt ?? 0) - test.cloud.clock.now()) / minuteMs);
      waits.push(wait);
      // Once is reported, after five in a row; the rest is in the log.
      expect(await rotationLetters(test, stuck.tenantId)).toHaveLength(setbacks < 5 ? 0 : 1);
      if (setbacks < 6) await sweep(test, wait + 1);
    }
    expect(waits).toEqual([1, 5, 15, 60, 360, 360]);
    expect(await rotationLetters(test, stuck.tenantId)).toMatchObject([{ reasonCode: 'PROVIDER_UNAVAILABLE' }]);
    expect(await newsOf(test, stuck, 'CredentialRotated')).toEqual([]);
    expect((await test.published(stuck.tenantId)).map(({ detailType }) => detailType)).toContain('CredentialRotationFailed');
    expect(await newsOf(test, healthy, 'CredentialRetired')).toHaveLength(1);
    expect(await rotationLetters(test, healthy.tenantId)).toEqual([]);

    simulatorOf(test, 'mistral').misbehave({});
    await sweep(test, 361);
    await sweep(test, 17);
    expect(await newsOf(test, stuck, 'CredentialRotated')).toHaveLength(1);
    expect(await endsOf(test, stuck)).toEqual(wellRotated('mistral'));
  });

  it.each([
    ['refuses one of two', 'openai', createKey, 'before'],
    ['makes a key and its answer is lost', 'openai', createKey, 'after'],
  ] as const)(
    'for a moment: %s; the other one goes on, the first is done a minute later, and no key is left',
    async (_, service, action, mode) => {
      const both = [await dueTomorrow('openai'), await dueTomorrow('openai')];
      test.cloud.faults.add({ service, action, nth: 1, mode });
      await sweep(test, 1440);
      expect((await Promise.all(both.map(phaseOf))).sort()).toEqual(['creating', 'grace']);
      await sweep(test, 1);
      expect(await Promise.all(both.map(phaseOf))).toEqual(['grace', 'grace']);
      for (const kept of both) expect(liveKeysFor(test, kept)).toHaveLength(2);
      await sweep(test, 18);
      for (const kept of both) {
        expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
        expect(await rotationLetters(test, kept.tenantId)).toEqual([]);
      }
    },
  );

  it('has made all the keys it allows: that is told at once, and tried again later', async () => {
    const kept = await dueTomorrow('mistral');
    simulatorOf(test, 'mistral').misbehave({ maxKeys: 1 });
    await requestRotation(test, kept);
    expect(await rotationLetters(test, kept.tenantId)).toMatchObject([{ reasonCode: 'PROVIDER_REFUSED' }]);
    expect(liveKeysFor(test, kept)).toHaveLength(1);
    simulatorOf(test, 'mistral').misbehave({});
    await sweep(test, 1);
    await sweep(test, 17);
    expect(await endsOf(test, kept)).toEqual(wellRotated('mistral'));
  });
});

describe('R7 an outage of AWS', () => {
  it.each([
    ['secretsmanager', 'PutSecretValue'],
    ['secretsmanager', 'UpdateSecretVersionStage'],
    ['dynamodb', 'ExecuteStatement'],
    ['events', 'PutEvents'],
  ])('of %s %s that outlasts the repetitions costs time and nothing else', async (service, action) => {
    const [one, other] = [await dueTomorrow('openai'), await dueTomorrow('mistral')];
    // One message comes first, and the tries of its one call are used up before those of the second.
    for (const nth of [1, 2, 3]) test.cloud.faults.add({ service, action, nth, mode: 'before' });
    await sweep(test, 1440);
    test.cloud.faults.clear();
    for (const minutes of [2, 5, 17, 17]) await sweep(test, minutes);
    for (const kept of [one, other]) {
      expect(await endsOf(test, kept)).toEqual(wellRotated(kept.provider));
      expect((await newsOf(test, kept, 'CredentialRetired')).length).toBe(1);
      expect(await rotationLetters(test, kept.tenantId)).toEqual([]);
    }
  });
});

describe('R7 what is not understood', () => {
  it('a credential: is put aside with its reason, left alone for an hour, and stands in nobody’s way', async () => {
    const [broken, healthy] = [await dueTomorrow('openai'), await dueTomorrow('openai')];
    const sk = `CREDENTIAL#${broken.credentialId}`;
    await writeCredential(test, broken, { status: 'a status of tomorrow' });
    await sweep(test, 1440);
    expect(await phaseOf(healthy)).toBe('grace');
    for (let minutes = 0; minutes < 90 && (await rotationLetters(test, broken.tenantId)).length === 0; minutes += 10) await sweep(test, 10);
    expect((await rotationLetters(test, broken.tenantId))[0]).toMatchObject({
      reasonCode: 'ITEM_NOT_UNDERSTOOD',
      reasonMessage: expect.stringContaining('status'),
    });
    expect(Number((await registryItem(test, broken.tenantId, sk))['dueAt'])).toBeGreaterThan(test.cloud.clock.now() + 30 * minuteMs);
    expect(await newsOf(test, healthy, 'CredentialRetired')).toHaveLength(1);
    await writeCredential(test, broken, { status: 'active' });
    for (const minutes of [61, 17]) await sweep(test, minutes);
    expect(await endsOf(test, broken)).toEqual(wellRotated('openai'));
  });

  it('a message: is put aside with its reason, and those behind it are dealt with', async () => {
    const healthy = await dueTomorrow('openai');
    const QueueUrl = test.cloud.queues['rotation']?.url;
    const due = { version: 1, kind: 'due', tenantId: healthy.tenantId, dueAt: 1 };
    const bodies = ['not JSON', JSON.stringify({ ...due, sk: 'TENANT' }), JSON.stringify({ ...due, sk: 'CREDENTIAL#No.Such' })];
    for (const MessageBody of bodies) await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl, MessageBody });
    await requestRotation(test, healthy);
    expect(await phaseOf(healthy)).toBe('grace');
    await pause(test.cloud);
    for (const body of bodies) expect(await rotationLetters(test, body)).toMatchObject([{ reasonCode: 'EVENT_INVALID' }]);
  });
});
