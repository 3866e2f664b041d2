import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import { endedUses, plantItem } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';
import { askDoorKey, type DoorAnswer, postSecret, registryItem, sealKey, supplierToken } from '../support/supply.ts';

const tiers = ['pool', 'dedicated'] as const;
const credentialId = 'anthropic-own';
const provider = 'anthropic';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

async function tenantOf(tier: string): Promise<string> {
  const { tenantId, outcome } = await test.onboard({
    tenantId: test.freshTenantId(tier),
    tier,
    credentials: [{ credentialId, provider, source: 'customer-supplied', environment: 'production' }],
    routing: [{ match: { provider, environment: 'production' }, use: credentialId }],
  });
  expect(outcome.detailType).toBe('TenantProvisioned');
  return tenantId;
}

const requests = () => test.cloud.world.simulators[provider]?.requests() ?? [];

async function use(token: string): Promise<number> {
  const response = await fetch(`${test.cloud.brokerUrl}/v1/proxy/anthropic/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 16, messages: [{ role: 'user', content: 'hello' }] }),
  });
  await response.text();
  return response.status;
}

/** The fingerprint of what the provider is shown by one call that goes well. */
async function shownBy(token: string): Promise<string | undefined> {
  const before = requests().length;
  expect(await use(token)).toBe(200);
  return requests()[before]?.keyFingerprint;
}

const taken = z.object({ version: z.string().min(32) });
interface Supplied {
  readonly apiKey: string;
  readonly version: string;
  readonly jwe: string;
}

/** A fresh key, sealed for a fresh nonce. */
async function sealed(tenantId: string, token: string, given = askDoorKey(test, token)): Promise<{ apiKey: string; jwe: string }> {
  const apiKey = test.cloud.world.issueKey(provider);
  return { apiKey, jwe: await sealKey(test, await given, { tenantId, credentialId, apiKey }) };
}

const post = (token: string, jwe: string): Promise<DoorAnswer> => postSecret(test, token, credentialId, { jwe });

async function supplyNext(tenantId: string): Promise<Supplied> {
  const token = await supplierToken(test, tenantId);
  const next = await sealed(tenantId, token);
  const answer = await post(token, next.jwe);
  expect(answer).toMatchObject({ status: 200 });
  return { ...next, version: taken.parse(JSON.parse(answer.text)).version };
}

const counted = (values: readonly (string | undefined)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value ?? 'none'] = (counts[value ?? 'none'] ?? 0) + 1;
  return counts;
};

describe.each(tiers)("B4 C1 the next key of a %s tenant's own credential", (tier) => {
  it('comes in while calls are made: none fails, none begun later uses the old one, and each entry names the version it used', async () => {
    const tenantId = await tenantOf(tier);
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    const supplied = [await supplyNext(tenantId)];
    expect(await shownBy(token)).toBe(fingerprintOf(supplied[0]?.apiKey ?? ''));
    const statuses: number[] = [];
    const traffic = { on: true };
    /** How many calls each caller has made. */
    const made = [0, 0, 0, 0];
    const callers = made.map(async (_, index) => {
      for (; traffic.on; made[index] = (made[index] ?? 0) + 1) statuses.push(await use(token));
    });
    /** Until everybody has ended the call that was under way, and `more` after it. */
    const othersGoOn = async (more: number): Promise<void> => {
      const target = made.map((count) => count + 1 + more);
      while (traffic.on && made.some((count, index) => count < (target[index] ?? 0))) await sleep(5);
    };

    for (let n = 0; n < 3; n += 1) {
      await othersGoOn(2);
      const before = supplied.at(-1);
      supplied.push(await supplyNext(tenantId));
      // Calls that were admitted before the door answered may still be on their way.
      await othersGoOn(0);
      const from = requests().length;
      await othersGoOn(1);
      const shown = requests().slice(from);
      expect(shown.length).toBeGreaterThanOrEqual(made.length);
      expect(shown.map(({ keyFingerprint }) => keyFingerprint)).not.toContain(fingerprintOf(before?.apiKey ?? ''));
    }
    traffic.on = false;
    await Promise.all(callers);

    expect(statuses.length).toBeGreaterThan(20);
    expect(counted(statuses.map(String))).toEqual({ 200: statuses.length });
    const uses = await endedUses(test, tenantId, statuses.length + 1);
    const versionOf = new Map(supplied.map(({ apiKey, version }) => [fingerprintOf(apiKey), version]));
    const own = requests().flatMap(({ keyFingerprint }) =>
      keyFingerprint !== undefined && versionOf.has(keyFingerprint) ? [keyFingerprint] : [],
    );
    // The door tries each key at the provider too, by listing models; uses are messages.
    const tried = requests().filter(({ method, keyFingerprint }) => method === 'GET' && versionOf.has(keyFingerprint ?? ''));
    expect(tried).toHaveLength(supplied.length);
    const expected = counted(own.map((fingerprint) => versionOf.get(fingerprint)));
    for (const { version } of supplied) expected[version] = (expected[version] ?? 0) - 1;
    const used = uses.filter(({ outcome }) => outcome.result === 'succeeded');
    expect(counted(used.map(({ credentialVersion }) => credentialVersion))).toEqual(
      Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0)),
    );
    // Where a key changed under a call, the attempt with the old one is on record as refused, and left nothing.
    const refused = uses.filter(({ outcome }) => outcome.result !== 'succeeded');
    expect(refused.every(({ outcome }) => outcome.result === 'refused' && outcome.code === 'CREDENTIAL_CHANGED')).toBe(true);
  });

  it('is the only one that is served, also by a worker that knows nothing yet', async () => {
    const tenantId = await tenantOf(tier);
    const token = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    const [first, second] = [await supplyNext(tenantId), await supplyNext(tenantId)];
    expect(await shownBy(token)).toBe(fingerprintOf(second.apiKey));
    const { epoch } = await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`);
    await plantItem(test, tenantId, `CREDENTIAL#${credentialId}`, { epoch: Number(epoch) + 1 });
    expect(await shownBy(token)).toBe(fingerprintOf(second.apiKey));
    expect(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`)).toMatchObject({ secretVersionId: second.version });
    const SecretId = `cordon/${tenantId}/${credentialId}`;
    expect(await asRoot(test.cloud, 'secretsmanager', 'DescribeSecret', { SecretId })).toMatchObject({
      VersionIdsToStages: { [second.version]: ['AWSCURRENT'], [first.version]: ['AWSPREVIOUS'] },
    });
  });

  it('cannot be undone: neither the ciphertext of the old one nor a nonce from before it is taken any more', async () => {
    const tenantId = await tenantOf(tier);
    const token = await supplierToken(test, tenantId);
    const older = await askDoorKey(test, token);
    const unfinished = await sealed(tenantId, token);
    test.cloud.faults.add({ service: provider, action: 'GET /v1/models', nth: 1, mode: 'before' });
    expect(await post(token, unfinished.jwe)).toMatchObject({ status: 503 });
    const first = await supplyNext(tenantId);
    // A nonce is as old as the moment it was given out.
    test.cloud.clock.advance(1000);
    const second = await supplyNext(tenantId);

    const refused = { status: 409, code: 'SUPPLY_NONCE_REFUSED' };
    expect(await post(token, first.jwe)).toMatchObject(refused);
    expect(await post(token, second.jwe)).toMatchObject(refused);
    expect(await post(token, unfinished.jwe)).toMatchObject(refused);
    expect(await post(token, (await sealed(tenantId, token, Promise.resolve(older))).jwe)).toMatchObject(refused);
    expect(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`)).toMatchObject({
      status: 'active',
      secretVersionId: second.version,
      leaseUntil: 0,
    });
    const agent = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    expect(await shownBy(agent)).toBe(fingerprintOf(second.apiKey));
  });

  it('that the provider refuses leaves the old one in use', async () => {
    const tenantId = await tenantOf(tier);
    const agent = await test.cloud.oidc.mint({ tenantId, userId: 'agent' });
    const first = await supplyNext(tenantId);
    const token = await supplierToken(test, tenantId);
    const jwe = await sealKey(test, await askDoorKey(test, token), {
      tenantId,
      credentialId,
      apiKey: `sk-ant-api03-${'next-key-of-nobody'.repeat(2)}`,
    });
    expect(await post(token, jwe)).toMatchObject({ status: 422, code: 'KEY_REFUSED' });
    expect(await shownBy(agent)).toBe(fingerprintOf(first.apiKey));
    expect(await registryItem(test, tenantId, `CREDENTIAL#${credentialId}`)).toMatchObject({
      status: 'active',
      secretVersionId: first.version,
    });
  });
});
