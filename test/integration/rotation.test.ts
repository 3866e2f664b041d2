import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import {
  dayMs,
  endsOf,
  fingerprintIn,
  isLive,
  issuedAt,
  type Kept,
  minuteMs,
  newsOf,
  requestRotation,
  rotatingTenant,
  rotationLetters,
  type StoredCredential,
  scheduleNothing,
  simulatorOf,
  stateOf,
  stepsOf,
  wellRotated,
} from '../support/rotations.ts';

let test: TestCloud;
/** By title. */
const kept = new Map<string, Kept>();
const rotation = { everyDays: 30, graceHours: 4 };
const providers = ['openai', 'mistral', 'openrouter', 'gemini', 'azure-openai'] as const;
const dedicatedProviders = ['openai', 'azure-openai'] as const;
const titles = [
  ...providers.map((provider) => `a pool tenant's at ${provider}`),
  ...dedicatedProviders.map((provider) => `a dedicated tenant's at ${provider}`),
  ...(['pool', 'dedicated'] as const).map((tier) => `a ${tier} tenant's user's own`),
];

interface Before {
  readonly state: StoredCredential;
  readonly fingerprint: string;
  readonly at: number;
}

async function lookAt(one: Kept): Promise<Before> {
  return { state: await stateOf(test, one), fingerprint: await fingerprintIn(test, one), at: test.cloud.clock.now() };
}

const find = (title: string): Kept => {
  const found = kept.get(title);
  if (found === undefined) throw new Error(`There is no ${title}.`);
  return found;
};

async function addUsersOwn(tier: string, tenantId: string): Promise<void> {
  const { issuer } = test.cloud.oidc;
  const about = { version: 1, tenantId, requestedBy: 'test' };
  const userId = userIdOf(issuer, 'ana');
  await test.putEvents({ detailType: 'UserOnboarded', detail: { ...about, issuer, subject: 'ana' } });
  await test.outcome(['UserProvisioned'], tenantId);
  const credential = issuedAt('openai', { credentialId: 'openai-ana', userId, rotation });
  await test.putEvents({ detailType: 'CredentialRequested', detail: { ...about, credential } });
  await test.outcome(['CredentialProvisioned'], tenantId);
  kept.set(`a ${tier} tenant's user's own`, { tenantId, credentialId: 'openai-ana', provider: 'openai', subject: 'ana' });
}

beforeAll(async () => {
  test = await testCloud();
  // As slow as the interface is documented to be: a key is there when the operation that makes it is done.
  simulatorOf(test, 'gemini').misbehave({ pendingPolls: 2 });
  for (const [tier, names] of [
    ['pool', providers],
    ['dedicated', dedicatedProviders],
  ] as const) {
    const tenantId = await rotatingTenant(
      test,
      names.map((provider) => issuedAt(provider, { rotation })),
      { tier },
    );
    for (const provider of names) kept.set(`a ${tier} tenant's at ${provider}`, { tenantId, credentialId: `${provider}-main`, provider });
    await addUsersOwn(tier, tenantId);
  }
});

/** What is on record of one rotation, by who asked for it. */
async function recordOf(one: Kept, requestedBy: string) {
  return (await stepsOf(test, one)).filter(({ intent }) => intent.actor.requestedBy === requestedBy);
}

async function expectRotated(one: Kept, before: Before, by: { reason: string; requestedBy: string; why?: string }): Promise<void> {
  const after = await stateOf(test, one);
  expect(await endsOf(test, one)).toEqual(wellRotated(one.provider));
  expect(after).toMatchObject({ status: 'active', epoch: before.state.epoch, keyAttempt: (before.state.keyAttempt ?? 0) + 1 });
  expect(isLive(test, one.provider, before.fingerprint)).toBe(false);
  expect(after.secretVersionId).not.toBe(before.state.secretVersionId);
  // The next time counts from the moment the new key came into force, which was within this test.
  expect(after.dueAt).toBeGreaterThanOrEqual(before.at + 30 * dayMs);
  expect(after.dueAt).toBeLessThanOrEqual(test.cloud.clock.now() + 30 * dayMs);

  const about = { tenantId: one.tenantId, credentialId: one.credentialId, provider: one.provider, requestedBy: by.requestedBy };
  const rotated = await newsOf(test, one, 'CredentialRotated');
  const retired = await newsOf(test, one, 'CredentialRetired');
  const [old, next] = [before.state.secretVersionId, after.secretVersionId];
  expect(rotated.at(-1)).toMatchObject({ ...about, ...by, versionId: next, previousVersionId: old });
  expect(retired.at(-1)).toMatchObject({ ...about, versionId: old, retiredBy: 'drained', rotationId: rotated.at(-1)?.['rotationId'] });
  expect([rotated.length, retired.length]).toEqual([after.keyAttempt ?? 0, after.keyAttempt ?? 0].map((attempt) => attempt - 1));

  const record = await recordOf(one, by.requestedBy);
  const operations = record.map(({ intent }) => intent.operation);
  for (const operation of ['create-key', 'stage-key', 'validate-key', 'promote', 'revoke-key', 'confirm-refused', 'drop-version'])
    expect(operations).toContain(`rotation.${operation}`);
  for (const { intent, outcome } of record) {
    expect(outcome).toMatchObject({ result: 'succeeded' });
    expect(intent.context).toMatchObject({ rotationId: rotated.at(-1)?.['rotationId'], reason: by.reason });
    expect(intent.context['why']).toBe(by.why);
    expect(intent.actor).toMatchObject({ function: 'rotation' });
    if (one.subject !== undefined) expect(intent.actor.userId).toBe(userIdOf(test.cloud.oidc.issuer, one.subject));
  }
  const versionOf = (operation: string) => record.find(({ intent }) => intent.operation === `rotation.${operation}`)?.credentialVersion;
  expect([versionOf('promote'), versionOf('confirm-refused')]).toEqual([next, old]);
}

describe('R1 R2 a credential that is due', () => {
  const before = new Map<string, Before>();

  beforeAll(async () => {
    for (const [title, one] of kept) before.set(title, await lookAt(one));
    // A minute before it is time, nothing happens.
    await sweep(test, 30 * 1440 - 10);
    for (const [title, one] of kept) expect(await stateOf(test, one)).toEqual(before.get(title)?.state);
    // Ten credentials at most for one tenant and run.
    await sweep(test, 10);
    for (const one of kept.values()) expect(await stateOf(test, one)).toMatchObject({ rotating: { phase: 'grace', reason: 'schedule' } });
    for (const [title, one] of kept) expect(isLive(test, one.provider, before.get(title)?.fingerprint ?? '')).toBe(true);
    await sweep(test, 10);
    for (const one of kept.values()) expect(await stateOf(test, one)).toMatchObject({ rotating: { phase: 'grace' } });
    await sweep(test, 7);
  });

  it.each(titles)('%s: gets its next key, and the old one is shown to be dead', async (title) => {
    const was = before.get(title);
    if (was === undefined) throw new Error(`Nothing is known of ${title}.`);
    // Half of a month passed since it was looked at.
    await expectRotated(find(title), was, { reason: 'schedule', requestedBy: 'schedule' });
  });
});

describe('R1 R2 a credential whose rotation is asked for', () => {
  const before = new Map<string, Before>();

  beforeAll(async () => {
    for (const [title, one] of kept) {
      before.set(title, await lookAt(one));
      await requestRotation(test, one);
    }
    await sweep(test, 17);
  });

  it.each(titles)('%s: gets its next key, and the old one is shown to be dead', async (title) => {
    const was = before.get(title);
    if (was === undefined) throw new Error(`Nothing is known of ${title}.`);
    await expectRotated(find(title), was, { reason: 'requested', requestedBy: 'ops@example.com', why: 'to see it done' });
  });

  it('leaves nothing in the dead-letter queue', async () => {
    for (const { tenantId } of kept.values()) expect(await rotationLetters(test, tenantId)).toEqual([]);
  });
});

describe('R1 asking twice', () => {
  it('is one rotation while it is under way, whoever asks', async () => {
    const one = find("a pool tenant's at openai");
    const before = await lookAt(one);
    await requestRotation(test, one);
    await requestRotation(test, one, { requestedBy: 'somebody-else@example.com' });
    await sweep(test, 17);
    expect(await stateOf(test, one)).toMatchObject({ keyAttempt: (before.state.keyAttempt ?? 0) + 1 });
    expect(await endsOf(test, one)).toEqual(wellRotated('openai'));
  });
});

describe('R2 when a next key may be in force', () => {
  beforeEach(() => scheduleNothing(test));

  it('is respected: it is made and tried before, and the old one serves until then', async () => {
    const activateAt = test.cloud.clock.now() + 5 * dayMs;
    const planned = { everyDays: 2, graceHours: 4, activateAt: new Date(activateAt).toISOString() };
    const tenantId = await rotatingTenant(test, [issuedAt('openai', { rotation: planned })]);
    const one = { tenantId, credentialId: 'openai-main', provider: 'openai' };
    const before = await lookAt(one);
    await sweep(test, 2 * 1440);
    const made = await stateOf(test, one);
    expect(made).toMatchObject({ rotating: { phase: 'proving', proven: true }, secretVersionId: before.state.secretVersionId });
    await sweep(test, 3 * 1440 - 5);
    expect(await stateOf(test, one)).toMatchObject({ secretVersionId: before.state.secretVersionId });
    await sweep(test, 5);
    expect(await stateOf(test, one)).toMatchObject({
      secretVersionId: made.rotating?.pending?.versionId,
      rotating: { phase: 'grace' },
    });
    await sweep(test, 17);
    expect(await endsOf(test, one)).toEqual(wellRotated('openai'));
    expect(test.cloud.clock.now() - activateAt).toBeLessThan(60 * minuteMs);
  });
});
