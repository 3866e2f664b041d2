import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { endedUses, plantItem } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import { useOf } from '../support/provider-uses.ts';
import {
  dayMs,
  endsOf,
  fingerprintIn,
  isLive,
  issuedAt,
  type Kept,
  labelsOf,
  liveKeysFor,
  newsOf,
  putRotation,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  scheduleNothing,
  simulatorOf,
  stateOf,
  stepsOf,
  wellRotated,
} from '../support/rotations.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
beforeEach(() => scheduleNothing(test));

const by = { requestedBy: 'duty@example.com', why: 'the new one misbehaves' };
const createKey = 'POST /organization/projects/{id}/service_accounts/{id}/api_keys';

async function tenantAt(provider = 'openai', over: Readonly<Record<string, unknown>> = {}): Promise<Kept> {
  const tenantId = await rotatingTenant(test, [issuedAt(provider, over)]);
  return { tenantId, credentialId: `${provider}-main`, provider };
}

/** In the grace of a rotation that was asked for: both versions and both keys. */
async function inGrace(provider = 'openai') {
  const kept = await tenantAt(provider);
  const [old, oldKey] = [(await stateOf(test, kept)).secretVersionId, await fingerprintIn(test, kept)];
  await requestRotation(test, kept);
  const [next, nextKey] = [(await stateOf(test, kept)).secretVersionId, await fingerprintIn(test, kept)];
  expect(next).not.toBe(old);
  return { kept, old, oldKey, next, nextKey };
}

/** In a rotation whose next key is proven and waits for its time, a day ahead. */
async function waiting() {
  const activateAt = new Date(test.cloud.clock.now() + dayMs).toISOString();
  const kept = await tenantAt('openai', { rotation: { everyDays: 90, graceHours: 24, activateAt } });
  const old = (await stateOf(test, kept)).secretVersionId;
  await requestRotation(test, kept);
  const { rotating } = await stateOf(test, kept);
  expect(rotating).toMatchObject({ phase: 'proving', proven: true });
  return { kept, old, next: rotating?.pending?.versionId ?? '' };
}

describe.each(['openai', 'azure-openai'])('R5 during the grace of a rotation at %s', (provider) => {
  it.each([
    ['rolling back', { action: 'rollback' }],
    ['demoting the version in force', { action: 'demote' }],
  ])('%s puts the earlier key in force at once, and the other one dies', async (_, asked) => {
    const { kept, old, oldKey, next, nextKey } = await inGrace(provider);
    await requestRotation(test, kept, { ...by, ...asked });
    expect(await stateOf(test, kept)).toMatchObject({ secretVersionId: old, rotating: { phase: 'grace' } });
    expect(await fingerprintIn(test, kept)).toBe(oldKey);
    expect(await newsOf(test, kept, 'CredentialRolledBack')).toMatchObject([{ versionId: old, demotedVersionId: next }]);
    const step = (await stepsOf(test, kept)).find(({ intent }) => intent.operation === 'rotation.rollback');
    expect(step).toMatchObject({ credentialVersion: old, outcome: { result: 'succeeded' } });
    await sweep(test, 17);
    expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ versionId: next, retiredBy: 'drained' }]);
    expect([isLive(test, provider, oldKey), isLive(test, provider, nextKey)]).toEqual([true, false]);
    expect(await endsOf(test, kept)).toEqual(wellRotated(provider));
  });
});

describe('R5 versions', () => {
  it('a version in force is changed in the name of who asked, and why', async () => {
    const { kept, next } = await inGrace();
    await requestRotation(test, kept, { ...by, action: 'rollback' });
    expect(await newsOf(test, kept, 'CredentialRolledBack')).toMatchObject([by]);
    const step = (await stepsOf(test, kept)).find(({ intent }) => intent.operation === 'rotation.rollback');
    expect(step?.intent).toMatchObject({
      actor: { function: 'rotation', requestedBy: by.requestedBy },
      context: { why: by.why, fromVersionId: next },
    });
  });

  it('a next version that waits for its time is promoted before', async () => {
    const { kept, old, next } = await waiting();
    await requestRotation(test, kept, { ...by, action: 'promote', versionId: next });
    expect(await stateOf(test, kept)).toMatchObject({ secretVersionId: next, previous: { versionId: old } });
    const promoted = (await stepsOf(test, kept)).find(({ intent }) => intent.operation === 'rotation.promote');
    expect(promoted?.intent).toMatchObject({ actor: { requestedBy: by.requestedBy }, context: { why: by.why } });
    await sweep(test, 17);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
  });

  it.each([
    ['demoted', (next: string) => ({ action: 'demote', versionId: next })],
    ['rolled back', () => ({ action: 'rollback' })],
  ])('a next version that is %s is thrown away with its key', async (_, asked) => {
    const { kept, old, next } = await waiting();
    await requestRotation(test, kept, { ...by, ...asked(next) });
    await sweep(test);
    expect(await stateOf(test, kept)).toMatchObject({ secretVersionId: old });
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
    const revoked = (await stepsOf(test, kept)).find(({ intent }) => intent.operation === 'rotation.revoke-key');
    expect(revoked?.intent).toMatchObject({ actor: { requestedBy: by.requestedBy }, context: { why: by.why } });
  });

  it('an old version that is demoted dies before its grace is over', async () => {
    const { kept, old, oldKey } = await inGrace();
    await requestRotation(test, kept, { ...by, action: 'demote', versionId: old });
    expect(isLive(test, 'openai', oldKey)).toBe(false);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
  });

  it('what is asked for twice is done once', async () => {
    const { kept, old } = await inGrace();
    await requestRotation(test, kept, { ...by, action: 'promote', versionId: old });
    await requestRotation(test, kept, { ...by, action: 'promote', versionId: old });
    expect(await stateOf(test, kept)).toMatchObject({ secretVersionId: old });
    expect(await newsOf(test, kept, 'CredentialRolledBack')).toHaveLength(1);
  });

  it.each([
    ['an unknown version', { action: 'promote', versionId: 'f'.repeat(64) }, 'EVENT_CONTRADICTS'],
    ['a version that there is not', { action: 'demote', versionId: 'f'.repeat(64) }, 'EVENT_CONTRADICTS'],
    ['a key that is dead', { action: 'rollback' }, 'EVENT_CONTRADICTS'],
    ['an unknown credential', { credentialId: 'nobodys' }, 'CREDENTIAL_UNKNOWN'],
    ['an emergency that is no rotation', { action: 'rollback', emergency: true }, 'EVENT_INVALID'],
    ['a version where none is to be named', { versionId: 'f'.repeat(64) }, 'EVENT_INVALID'],
    ['nobody', { requestedBy: '' }, 'EVENT_INVALID'],
  ])('is refused with the reason, and nothing changes: %s', async (_, asked, reasonCode) => {
    const kept = await tenantAt();
    const before = await stateOf(test, kept);
    const eventId = await putRotation(test, kept, asked);
    await pause(test.cloud);
    const [letter] = await rotationLetters(test, kept.tenantId);
    expect(letter).toMatchObject({ reasonCode, reasonMessage: expect.stringMatching(/\w{8}/) });
    expect(letter?.body).toContain(eventId);
    const failed = (await test.published(kept.tenantId)).filter(({ detailType }) => detailType === 'CredentialRotationFailed');
    expect(failed).toMatchObject([{ detail: { tenantId: kept.tenantId, event: { id: eventId }, reason: { code: reasonCode } } }]);
    expect(await stateOf(test, kept)).toEqual(before);
  });
});

describe('R6 X4 an emergency', () => {
  const spare = { ...issuedAt('openai'), credentialId: 'openai-spare' };
  const routing = [{ match: { provider: 'openai', environment: 'production' }, use: 'openai-main', backup: 'openai-spare' }];

  it.each(['openai', 'azure-openai', 'mistral', 'gemini', 'openrouter'])(
    'replaces the key at %s and ends the old one at once, with nobody’s clock moved',
    async (provider) => {
      const kept = await tenantAt(provider);
      const oldKey = await fingerprintIn(test, kept);
      await requestRotation(test, kept, { ...by, emergency: true });
      expect(isLive(test, provider, oldKey)).toBe(false);
      expect(await endsOf(test, kept)).toEqual(wellRotated(provider));
      expect(await newsOf(test, kept)).toMatchObject([
        { detailType: 'CredentialRotated', reason: 'emergency', ...by },
        { detailType: 'CredentialRetired', retiredBy: 'emergency', ...by },
      ]);
    },
  );

  it('leads use to the backup as long as there is no new key, says so on record, and touches no other tenant', async () => {
    const [tenantId, other] = [
      await rotatingTenant(test, [issuedAt('openai'), spare], { routing }),
      await rotatingTenant(test, [issuedAt('openai'), spare], { routing }),
    ];
    const kept: Kept = { tenantId, credentialId: 'openai-main', provider: 'openai' };
    const [token, othersToken] = [
      await test.cloud.oidc.mint({ tenantId, userId: 'agent' }),
      await test.cloud.oidc.mint({ tenantId: other, userId: 'agent' }),
    ];
    const shown = async (whose: string): Promise<string | undefined> => {
      expect(await useOf(test, 'openai', whose)).toMatchObject({ status: 200 });
      return simulatorOf(test, 'openai')
        .requests()
        .filter(({ path }) => path.endsWith('/chat/completions'))
        .at(-1)?.keyFingerprint;
    };
    const oldKey = await fingerprintIn(test, kept);
    const spareKey = await fingerprintIn(test, { ...kept, credentialId: 'openai-spare' });
    const othersKey = await fingerprintIn(test, { ...kept, tenantId: other });
    expect([await shown(token), await shown(othersToken)]).toEqual([oldKey, othersKey]);
    const others = { ...kept, tenantId: other };
    const before = [await stateOf(test, others), await labelsOf(test, others)];

    test.cloud.faults.add({ service: 'openai', action: createKey, nth: 1, mode: 'delay', delayMs: 4000 });
    await putRotation(test, kept, { ...by, emergency: true });
    while ((await stateOf(test, kept)).diverted !== true) await sleep(10);
    const meanwhile = [await shown(token), await shown(token), await shown(othersToken)];
    expect(await stateOf(test, kept)).toMatchObject({ diverted: true, rotating: { phase: 'creating' } });
    expect(meanwhile).toEqual([spareKey, spareKey, othersKey]);

    await pause(test.cloud);
    expect(isLive(test, 'openai', oldKey)).toBe(false);
    expect(await shown(token)).toBe(await fingerprintIn(test, kept));
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
    const used = (await endedUses(test, tenantId, 4)).filter(({ outcome }) => outcome.result === 'succeeded');
    const seen = used.map(({ intent }) => [intent.credentialId, intent.context['backupFor']]);
    expect(seen).toEqual([
      ['openai-main', undefined],
      ['openai-spare', 'openai-main'],
      ['openai-spare', 'openai-main'],
      ['openai-main', undefined],
    ]);
    expect([await stateOf(test, others), await labelsOf(test, others)]).toEqual(before);
    expect(await newsOf(test, others)).toEqual([]);
    expect(liveKeysFor(test, others)).toEqual([othersKey]);
  });

  it('that could not be carried out at first is gone on with, and until then use goes to the backup', async () => {
    const tenantId = await rotatingTenant(test, [issuedAt('openai'), spare], { routing });
    const kept: Kept = { tenantId, credentialId: 'openai-main', provider: 'openai' };
    const oldKey = await fingerprintIn(test, kept);
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent', expiresIn: 86_400 });
    test.cloud.faults.add({ service: 'openai', action: createKey, nth: 1, mode: 'before' });
    await requestRotation(test, kept, { ...by, emergency: true });
    expect(await stateOf(test, kept)).toMatchObject({ diverted: true });
    expect(await useOf(test, 'openai', token)).toMatchObject({ status: 200 });
    await sweep(test, 2);
    await sweep(test, 2);
    expect(isLive(test, 'openai', oldKey)).toBe(false);
    expect(await endsOf(test, kept)).toEqual(wellRotated('openai'));
    expect((await endedUses(test, tenantId, 1)).at(-1)?.intent).toMatchObject({ credentialId: 'openai-spare' });
  });

  it('uses no backup that is revoked itself', async () => {
    const tenantId = await rotatingTenant(test, [issuedAt('openai'), spare], { routing });
    const kept: Kept = { tenantId, credentialId: 'openai-main', provider: 'openai' };
    await plantItem(test, tenantId, 'CREDENTIAL#openai-spare', { status: 'revoked', epoch: 1 });
    test.cloud.faults.add({ service: 'openai', action: createKey, nth: 1, mode: 'before' });
    await requestRotation(test, kept, { ...by, emergency: true });
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    expect(await useOf(test, 'openai', token)).toMatchObject({ status: 200 });
    expect((await endedUses(test, tenantId, 1)).at(-1)?.intent).toMatchObject({ credentialId: 'openai-main' });
  });
});
