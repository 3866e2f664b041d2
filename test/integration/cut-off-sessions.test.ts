import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { chat, endedUses, openAiTenant, plantItem, refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { cutOff, nextSecond } from '../support/cut-offs.ts';
import { issuedAt, newsOf, requestRotation, rotatingTenant } from '../support/rotations.ts';
import { askDoorKey, supplierToken } from '../support/supply.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
afterEach(() => test.cloud.world.misbehave('openai'));

const mint = (tenantId: string): Promise<string> => test.cloud.oidc.mint({ tenantId, userId: 'ana' });
const suspended = { status: 'suspended', epoch: 1 };
const active = { status: 'active', epoch: 1 };

/** Everything that is kept of the tenant is cut off, while the tenant itself goes on: as when it was reinstated, or as a neighbour of the same minute. */
async function cutOffKept(tenantId: string): Promise<void> {
  await test.settled();
  await cutOff(test, { tenantId });
  await nextSecond(test);
}
const refusedSince = (since: number): readonly string[] =>
  test.cloud.journal.since(since).flatMap(({ decision, statement }) => (decision === 'deny' ? [statement] : []));
const isCutOff = (statement: string): boolean => /^Revoked\/Tenants\d+$/.test(statement);

/** Does it, and tells that a session was refused on the way, by the cut-off alone, and that nobody was told of a violation. */
async function expectRenewed(tenantId: string, work: () => Promise<unknown>): Promise<void> {
  const since = test.cloud.journal.lastSeq;
  await work();
  await test.settled();
  const refused = refusedSince(since);
  expect(refused.length, 'a session that was kept was refused').toBeGreaterThan(0);
  expect(refused.filter((statement) => !isCutOff(statement))).toEqual([]);
  expect((await test.published(tenantId)).map(({ detailType }) => detailType)).not.toContain('IsolationViolationDetected');
}

describe('X5 X2 the broker after a cut-off', () => {
  it('goes on in a new session, and a warm use costs what it did: one read and two inserts', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    expect((await chat(test, token)).status).toBe(200);
    await cutOffKept(tenantId);
    await expectRenewed(tenantId, async () => expect((await chat(test, token)).status).toBe(200));
    const since = test.cloud.journal.lastSeq;
    expect((await chat(test, token)).status).toBe(200);
    await test.settled();
    const own = test.cloud.journal.since(since).filter(({ tags }) => tags['TenantId'] === tenantId);
    expect(own.map(({ action }) => action).sort()).toEqual(['dynamodb:BatchGetItem', 'dynamodb:PartiQLInsert', 'dynamodb:PartiQLInsert']);
    expect(refusedSince(since)).toEqual([]);
    expect((await endedUses(test, tenantId, 3)).map(({ outcome }) => outcome.result)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  it('refuses a tenant that is suspended as one whose token is no good, on record, and takes it back when it is reinstated', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    expect((await chat(test, token)).status).toBe(200);
    await test.settled();
    await plantItem(test, tenantId, 'TENANT', suspended);
    await cutOffKept(tenantId);
    await expectRenewed(tenantId, async () => {
      for (let call = 0; call < 2; call += 1)
        expect(await refusalOf(await chat(test, token))).toEqual({ status: 401, code: 'TOKEN_REFUSED' });
    });
    await plantItem(test, tenantId, 'TENANT', active);
    await expectRenewed(tenantId, async () => expect((await chat(test, token)).status).toBe(200));
    const ends = (await endedUses(test, tenantId, 4)).map(({ outcome }) => outcome.result);
    expect(ends).toEqual(['succeeded', 'refused', 'refused', 'succeeded']);
  });

  it('lets a stream run on whose tenant is active, and ends the one of a tenant that is not, each on record', async () => {
    const [goesOn, ends] = [await openAiTenant(test), await openAiTenant(test)];
    const tokens = new Map([
      [goesOn, await mint(goesOn)],
      [ends, await mint(ends)],
    ]);
    test.cloud.world.misbehave('openai', { chunkGapMs: 1500 });
    const answers = await Promise.all([goesOn, ends].map((tenantId) => chat(test, tokens.get(tenantId), { body: { stream: true } })));
    await sleep(200);
    await plantItem(test, ends, 'TENANT', suspended);
    const from = performance.now();
    await Promise.all([cutOff(test, { tenantId: goesOn }), cutOff(test, { tenantId: ends })]);
    const [whole = '', broken = ''] = await Promise.all(answers.map((answer) => answer.text()));
    expect(performance.now() - from).toBeLessThan(15_000);
    expect(whole).toContain('[DONE]');
    expect(broken).not.toContain('[DONE]');
    expect(broken).toContain('event: error\ndata: {"error":{"code":"TOKEN_REFUSED"');
    expect((await endedUses(test, goesOn, 1)).map(({ outcome }) => outcome.result)).toEqual(['succeeded']);
    expect((await endedUses(test, ends, 1)).map(({ outcome }) => outcome.result)).toEqual(['cut']);
  });
});

describe('X5 the workers and the APIs after a cut-off', () => {
  const request = (tenantId: string, credentialId: string) => ({
    detailType: 'CredentialRequested',
    detail: {
      ...{ version: 1, tenantId, requestedBy: 'test' },
      credential: { credentialId, provider: 'openai', source: 'platform-issued', environment: credentialId },
    },
  });

  it('provision a credential in a new session, of a pool tenant and of a dedicated one', async () => {
    for (const tier of ['pool', 'dedicated']) {
      const { tenantId } = await test.onboard({ tier });
      await cutOffKept(tenantId);
      await expectRenewed(tenantId, async () => {
        await test.putEvents(request(tenantId, 'second'));
        await test.outcome(['CredentialProvisioned', 'CredentialProvisioningFailed'], tenantId);
      });
      expect((await test.published(tenantId)).map(({ detailType }) => detailType)).toContain('CredentialProvisioned');
      expect((await test.secretsOf(tenantId)).map(({ name }) => name)).toContain(`cordon/${tenantId}/second`);
    }
  });

  it('replace a key in a new session', async () => {
    const other = issuedAt('openai', { credentialId: 'openai-second', environment: 'staging' });
    const tenantId = await rotatingTenant(test, [issuedAt('openai'), other]);
    const rotate = async (credentialId: string): Promise<void> => {
      await requestRotation(test, { tenantId, credentialId });
      expect(await newsOf(test, { tenantId, credentialId }, 'CredentialRotated')).toHaveLength(1);
    };
    await rotate('openai-main');
    await cutOffKept(tenantId);
    await expectRenewed(tenantId, () => rotate('openai-second'));
  });

  it('answer at the door, and list entries and connections', async () => {
    const { tenantId } = await test.onboard();
    const token = await supplierToken(test, tenantId);
    const get = async (path: string): Promise<number> =>
      (await fetch(`${test.cloud.brokerUrl}/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
    const ask = async () => {
      await askDoorKey(test, token);
      expect(await get('attribution')).toBe(200);
      expect(await get('connections')).toBe(200);
    };
    await ask();
    await cutOffKept(tenantId);
    await expectRenewed(tenantId, ask);
  });
});
