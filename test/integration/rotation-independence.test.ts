import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import { endedUses } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { itemsOf, secretsWithoutValues } from '../support/ground-truth.ts';
import { useOf } from '../support/provider-uses.ts';
import {
  endsOf,
  fingerprintIn,
  issuedAt,
  type Kept,
  liveKeysFor,
  newsOf,
  putRotation,
  rotatingTenant,
  rotationLetters,
  simulatorOf,
  stateOf,
  wellRotated,
} from '../support/rotations.ts';
import { pause } from '../support/settle.ts';
import { bringKeyIn } from '../support/supply.ts';

const issuers = ['openai', 'mistral', 'openrouter', 'gemini', 'azure-openai'] as const;
const settings = { audience: 'https://api.openai.com/v1', identityProviderId: 'idp_independence', serviceAccountId: 'user-agents' };
const keyless = { credentialId: 'openai-keyless', provider: 'openai', source: 'federated', environment: 'keyless', settings };
const own = { credentialId: 'anthropic-main', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };

/** What a tenant's agent asks, one after the other, over and over. */
interface Ask {
  readonly provider: string;
  readonly environment: string;
}
const asks: readonly Ask[] = [...issuers, 'anthropic'].map((provider) => ({ provider, environment: 'production' }));

let test: TestCloud;
/** Dedicated: the one that rotates, by every strategy there is. */
let rotating: string;
let others: readonly string[];
let firstKey: string;
const tokens = new Map<string, string>();

beforeAll(async () => {
  test = await testCloud();
  simulatorOf(test, 'gemini').misbehave({ pendingPolls: 1 });
  const credentials = [...issuers.map((provider) => issuedAt(provider)), own];
  rotating = await rotatingTenant(test, [...credentials, keyless], { tier: 'dedicated' });
  others = [await rotatingTenant(test, credentials), await rotatingTenant(test, credentials)];
  const { webIdentity, accountId, world, oidc } = test.cloud;
  const subject = `arn:aws:iam::${accountId}:role/cordon/TenantAgent-${rotating}`;
  const [ruleId, issuer, audience] = [settings.identityProviderId, webIdentity.issuerOf(accountId), settings.audience];
  world.trust('openai', { ruleId, issuer, audience, subject });
  for (const tenantId of [rotating, ...others]) {
    const key = await bringKeyIn(test, { tenantId, credentialId: own.credentialId, provider: own.provider });
    if (tenantId === rotating) firstKey = key;
    tokens.set(tenantId, await oidc.mint({ tenantId, userId: 'agent', expiresIn: 86_400 }));
  }
});

/** Calls of every tenant at once, each asking all its providers in turn, until `stop`. */
function traffic() {
  const failed = new Set<string>();
  const made = new Map<string, number>();
  let on = true;
  let underWay = 0;
  let held: PromiseWithResolvers<void> | undefined;
  const asksOf = (tenantId: string): readonly Ask[] =>
    tenantId === rotating ? [...asks, { provider: 'openai', environment: 'keyless' }] : asks;
  const run = async (tenantId: string): Promise<void> => {
    while (on) {
      for (const { provider, environment } of asksOf(tenantId)) {
        await held?.promise;
        underWay += 1;
        const { status, text } = await useOf(test, provider, tokens.get(tenantId) ?? '', environment);
        underWay -= 1;
        if (status !== 200)
          failed.add(`${tenantId === rotating ? 'rotating' : 'other'} ${provider} ${environment}: ${status} ${text.slice(0, 80)}`);
        made.set(tenantId, (made.get(tenantId) ?? 0) + 1);
      }
    }
  };
  // Two callers of the one that rotates: one may be in the middle of a call whenever a key changes.
  const running = [rotating, rotating, ...others].map(run);
  return {
    failed,
    made,
    /** Until each tenant has asked everybody once more, from beginning to end. */
    async rounds(count = 1): Promise<void> {
      const target = new Map([...made].map(([tenantId, calls]) => [tenantId, calls + (count + 1) * 2 * asksOf(tenantId).length]));
      while ([...target].some(([tenantId, calls]) => (made.get(tenantId) ?? 0) < calls)) await sleep(5);
    },
    /** Moves the clock while nobody is in the middle of a call: outside, no call lasts longer than its session. */
    async advance(ms: number): Promise<void> {
      held = Promise.withResolvers();
      while (underWay > 0) await sleep(1);
      test.cloud.clock.advance(ms);
      held.resolve();
      held = undefined;
    },
    async stop(): Promise<void> {
      on = false;
      await Promise.all(running);
    },
  };
}

const kepts = (tenantId: string): readonly Kept[] => issuers.map((provider) => ({ tenantId, credentialId: `${provider}-main`, provider }));
const customers = (tenantId: string): Kept => ({ tenantId, credentialId: own.credentialId, provider: own.provider });

/** What a tenant has: registry items, secrets and live keys. A read secret is no changed one. */
async function belongings(tenantId: string): Promise<object> {
  const secrets = (await secretsWithoutValues(test.cloud)).filter(({ Name }) => Name.startsWith(`cordon/${tenantId}/`));
  return {
    registry: (await itemsOf(test.cloud, 'RegistryTable')).filter(({ pk }) => pk.S === `TENANT#${tenantId}#`),
    secrets: secrets.map((secret) => ({ ...secret, LastAccessedDate: undefined })),
    keys: kepts(tenantId).map((kept) => liveKeysFor(test, kept)),
  };
}

/** AWS calls made in a tenant's own sessions, by operation. */
function callsOf(tenantId: string, since: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { tags, operation, decision } of test.cloud.journal.since(since)) {
    if (tags['TenantId'] !== tenantId) continue;
    expect(decision).toBe('allow');
    counts[operation] = (counts[operation] ?? 0) + 1;
  }
  return counts;
}

async function expectOthersUntouched(work: () => Promise<void>): Promise<void> {
  const before = await Promise.all(others.map(belongings));
  const running = traffic();
  // Whatever is read once and kept is read before anything is counted.
  await sleep(0);
  while (running.made.size < 3) await sleep(5);
  await running.rounds();
  await work();
  await running.rounds();
  await running.stop();
  expect([...running.failed]).toEqual([]);
  expect(await Promise.all(others.map(belongings))).toEqual(before);
}

describe('R3 T1 while one tenant rotates by every strategy', () => {
  /** Fingerprints of the rotating tenant's keys, and which version each is. */
  const versions = new Map<string, string>();

  async function noteVersions(): Promise<void> {
    for (const kept of [...kepts(rotating), customers(rotating)])
      versions.set(await fingerprintIn(test, kept), (await stateOf(test, kept)).secretVersionId);
  }

  it('no call of anybody fails, and nothing that is another tenant’s changes', async () => {
    await noteVersions();
    await expectOthersUntouched(async () => {
      for (const kept of [...kepts(rotating), { ...customers(rotating), credentialId: keyless.credentialId }])
        await putRotation(test, kept);
      const next = await bringKeyIn(test, { tenantId: rotating, credentialId: own.credentialId, provider: own.provider });
      for (const { credentialId } of [...kepts(rotating), keyless])
        while ((await newsOf(test, { tenantId: rotating, credentialId }, 'CredentialRotated')).length === 0) await sleep(20);
      await noteVersions();
      expect(versions.has(fingerprintOf(next))).toBe(true);
    });
    for (const kept of kepts(rotating)) expect(await stateOf(test, kept)).toMatchObject({ rotating: { phase: 'grace' } });
    expect(await newsOf(test, { tenantId: rotating, credentialId: keyless.credentialId }, 'CredentialRotated')).toHaveLength(1);
  });

  it('nor when the old keys die under the traffic', async () => {
    const running = traffic();
    while (running.made.size < 3) await sleep(5);
    await running.advance(17 * 60_000);
    simulatorOf(test, 'anthropic').revokeKey(firstKey);
    await running.rounds();
    for (let minutes = 0; minutes < 20; minutes += 1) {
      const states = await Promise.all([...kepts(rotating), customers(rotating)].map((kept) => stateOf(test, kept)));
      if (states.every((state) => state.rotating === undefined)) break;
      await running.advance(60_000);
      await running.rounds();
    }
    await running.stop();
    expect([...running.failed]).toEqual([]);
    await pause(test.cloud);
    for (const kept of kepts(rotating)) expect(await endsOf(test, kept)).toEqual(wellRotated(kept.provider));
    for (const kept of [...kepts(rotating), customers(rotating)])
      expect(await newsOf(test, kept, 'CredentialRetired')).toMatchObject([{ retiredBy: 'drained' }]);
    expect(await rotationLetters(test, rotating)).toEqual([]);
  });

  it('each use names the version whose key the provider was shown', async () => {
    await test.settled();
    const uses = (await endedUses(test, rotating, 1)).filter(({ intent }) => intent.credentialId !== keyless.credentialId);
    const counted = new Map<string, number>();
    for (const { outcome, credentialVersion = 'none' } of uses) {
      // What was begun with a version that changed under it has left nothing, and is on record as such.
      if (outcome.result === 'succeeded') counted.set(credentialVersion, (counted.get(credentialVersion) ?? 0) + 1);
      else expect(outcome).toMatchObject({ result: 'refused', code: 'CREDENTIAL_CHANGED' });
    }
    const shown = new Map<string, number>();
    for (const provider of [...issuers, 'anthropic'])
      for (const { method, keyFingerprint = '' } of simulatorOf(test, provider).requests()) {
        const version = versions.get(keyFingerprint);
        if (method === 'POST' && version !== undefined) shown.set(version, (shown.get(version) ?? 0) + 1);
      }
    expect(counted).toEqual(shown);
    expect(counted.size).toBe(12);
  });
});

describe('T1 what other tenants’ uses cost while a tenant’s keys are replaced in an emergency', () => {
  it('is one reading and two entries each, and nothing else', async () => {
    const counts = { since: 0, calls: new Map<string, number>() };
    await Promise.all(others.map(async (tenantId) => useOf(test, 'openai', tokens.get(tenantId) ?? '')));
    const before = await Promise.all(others.map(belongings));
    // Warm: each has used every credential under the present epoch a moment ago.
    for (const tenantId of others)
      for (const { provider, environment } of asks) await useOf(test, provider, tokens.get(tenantId) ?? '', environment);
    await pause(test.cloud);
    counts.since = test.cloud.journal.lastSeq;
    const over = { is: false };
    const callers = others.map(async (tenantId) => {
      let made = 0;
      for (; !over.is; made += asks.length)
        for (const { provider, environment } of asks)
          expect((await useOf(test, provider, tokens.get(tenantId) ?? '', environment)).status).toBe(200);
      counts.calls.set(tenantId, made);
    });
    for (const kept of kepts(rotating)) await putRotation(test, kept, { emergency: true });
    for (const kept of kepts(rotating)) while ((await newsOf(test, kept, 'CredentialRetired')).length < 2) await sleep(20);
    over.is = true;
    await Promise.all(callers);
    await pause(test.cloud);
    for (const tenantId of others) {
      const made = counts.calls.get(tenantId) ?? 0;
      expect(made).toBeGreaterThan(10);
      expect(callsOf(tenantId, counts.since)).toEqual({ BatchGetItem: made, ExecuteStatement: 2 * made });
    }
    expect(await Promise.all(others.map(belongings))).toEqual(before);
    for (const kept of kepts(rotating)) expect(await endsOf(test, kept)).toEqual(wellRotated(kept.provider));
  });
});
