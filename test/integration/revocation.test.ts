import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { chat, endedUses, keyOf, openAiMain, openAiTenant, refusalOf, requestsWith } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { apply, credentialOf, ended, leftOf, newsOfRevocation, put, revocationOf, secretNames } from '../support/revocations.ts';
import { issuedAt, requestRotation, stateOf } from '../support/rotations.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
afterEach(() => {
  for (const name of Object.keys(test.cloud.world.simulators)) test.cloud.world.misbehave(name);
  test.cloud.faults.clear();
});

const nothingLeft = { keys: 0, secret: false };
const mint = (tenantId: string, names: { agentId?: string; sessionId?: string; userId?: string } = {}): Promise<string> =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId: 'session-1', expiresIn: 86_400, ...names });
const anaId = (): string => userIdOf(test.cloud.oidc.issuer, 'ana');

async function onboardAna(tenantId: string): Promise<void> {
  const detail = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
  await test.putEvents({ detailType: 'UserOnboarded', detail });
  await test.outcome(['UserProvisioned'], tenantId);
}

async function requestAnasOwn(tenantId: string): Promise<void> {
  const credential = { ...openAiMain, credentialId: 'ana-own', useCase: 'ana', userId: anaId() };
  await test.putEvents({ detailType: 'CredentialRequested', detail: { version: 1, tenantId, requestedBy: 'test', credential } });
  await test.outcome(['CredentialProvisioned'], tenantId);
}

interface Case {
  readonly scope: string;
  readonly named: (tenantId: string) => object;
  readonly code: string;
}
const cases: readonly Case[] = [
  { scope: 'tenant', named: () => ({}), code: 'TOKEN_REFUSED' },
  { scope: 'user', named: () => ({ userId: anaId() }), code: 'USER_NOT_ACTIVE' },
  { scope: 'agent', named: () => ({ agentId: 'agent-1' }), code: 'AGENT_REVOKED' },
  { scope: 'session', named: () => ({ sessionId: 'session-1' }), code: 'SESSION_REVOKED' },
  { scope: 'credential', named: () => ({ credentialId: 'openai-main' }), code: 'CREDENTIAL_REVOKED' },
];

describe('X1 X2 X3 a revocation by one event', () => {
  it.each(cases)(
    'of a $scope is in force at the next use, in a warm environment too, and done to its end',
    async ({ scope, named, code }) => {
      const tenantId = await openAiTenant(test);
      const other = await openAiTenant(test);
      await onboardAna(tenantId);
      const [token, key] = [await mint(tenantId), await keyOf(test, tenantId)];
      expect((await chat(test, token)).status).toBe(200);
      await test.settled();

      const id = await put(test, 'RevocationRequested', { tenantId, scope, ...named(tenantId) });
      await test.outcome(['AccessChanged'], id);
      const uses = requestsWith(test, key).length;
      const refusal = await refusalOf(await chat(test, token));
      expect([401, 403]).toContain(refusal.status);
      expect([code, 'TOKEN_REFUSED']).toContain(refusal.code);

      const item = await ended(test, tenantId, id);
      expect(item).toMatchObject({ status: 'done', action: 'revoke', scope, requestedBy: 'ops@example.com', setbacks: 0 });
      expect(requestsWith(test, key).filter(({ path }) => path.includes('/chat/'))).toHaveLength(uses);
      const endsTheKey = scope === 'tenant' || scope === 'credential';
      expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual(endsTheKey ? nothingLeft : { keys: 1, secret: true });
      expect(item.counts).toEqual({
        credentials: endsTheKey ? 1 : 0,
        versions: endsTheKey ? 1 : 0,
        confirmed: endsTheKey ? 1 : 0,
        unconfirmed: 0,
      });
      expect(await newsOfRevocation(test, id)).toEqual([
        'AccessChanged',
        ...(endsTheKey ? ['CredentialRevoked'] : []),
        'RevocationCompleted',
      ]);
      expect((await chat(test, await mint(other))).status).toBe(200);
    },
  );

  it('of a version leaves the credential with a new one, and never uses the old one again', async () => {
    const tenantId = await openAiTenant(test);
    const [token, key] = [await mint(tenantId), await keyOf(test, tenantId)];
    expect((await chat(test, token)).status).toBe(200);
    await test.settled();
    const { secretVersionId: versionId } = await stateOf(test, { tenantId, credentialId: 'openai-main' });
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'version', credentialId: 'openai-main', versionId });
    await test.outcome(['AccessChanged'], id);
    const uses = requestsWith(test, key).filter(({ path }) => path.includes('/chat/')).length;
    await ended(test, tenantId, id);
    expect(await revocationOf(test, tenantId, id)).toMatchObject({ status: 'done', counts: { versions: 1, confirmed: 1, unconfirmed: 0 } });
    expect((await chat(test, token)).status).toBe(200);
    expect(requestsWith(test, key).filter(({ path }) => path.includes('/chat/'))).toHaveLength(uses);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual({ keys: 1, secret: true });
    expect(await keyOf(test, tenantId)).not.toBe(key);
    await requestRotation(test, { tenantId, credentialId: 'openai-main' }, { action: 'rollback' });
    expect(await stateOf(test, { tenantId, credentialId: 'openai-main' })).not.toMatchObject({ secretVersionId: versionId });
  });

  it('cuts a stream of a revoked session within five seconds, and records that it was cut', async () => {
    const tenantId = await openAiTenant(test);
    test.cloud.world.misbehave('openai', { chunkGapMs: 400, chunkBytes: 10 });
    const answer = await chat(test, await mint(tenantId), { body: { stream: true } });
    const reader = answer.body?.getReader();
    await reader?.read();
    const began = performance.now();
    await put(test, 'RevocationRequested', { tenantId, scope: 'session', sessionId: 'session-1' });
    for (;;) {
      const chunk = await reader?.read();
      if (chunk === undefined || chunk.done) break;
    }
    expect(performance.now() - began).toBeLessThan(5500);
    const [use] = await endedUses(test, tenantId, 1);
    expect(use?.outcome).toMatchObject({ result: 'cut', code: 'SESSION_REVOKED' });
  });
});

describe('U5 X5 X6 offboarding', () => {
  it('of a user ends what is the user’s own and leaves the rest to the others', async () => {
    const tenantId = await openAiTenant(test);
    await onboardAna(tenantId);
    await requestAnasOwn(tenantId);
    const id = await apply(test, 'UserOffboarded', { tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana' });
    const item = await ended(test, tenantId, id);
    expect(item).toMatchObject({
      status: 'done',
      action: 'offboard',
      scope: 'user',
      userId: anaId(),
      counts: { credentials: 1, confirmed: 1 },
    });
    expect(item.cutOff?.appliedAt ?? item.cutOff?.endedAt).toBeDefined();
    expect(item.certificateId).toBeDefined();
    expect(await leftOf(test, tenantId, 'ana-own', 'openai')).toEqual(nothingLeft);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual({ keys: 1, secret: true });
    expect((await chat(test, await mint(tenantId))).status).toBe(401);
    expect((await chat(test, await mint(tenantId, { userId: 'ben' }))).status).toBe(200);
    const again = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
    const [eventId = ''] = await test.putEvents({ detailType: 'UserOnboarded', detail: again });
    await test.outcome(['UserProvisioningFailed'], eventId);
  });

  it.each(['pool', 'dedicated'])('of a %s tenant ends everything, twice as well as once, and its ID is not used again', async (tier) => {
    const { tenantId } = await test.onboard({
      tier,
      credentials: [openAiMain, issuedAt('mistral'), { ...issuedAt('gemini'), useCase: 'x' }],
    });
    await onboardAna(tenantId);
    await requestAnasOwn(tenantId);
    const id = await apply(test, 'TenantOffboarded', { tenantId, incidentId: 'contract-end' });
    const second = await apply(test, 'TenantOffboarded', { tenantId });
    expect(await ended(test, tenantId, id)).toMatchObject({
      status: 'done',
      counts: { credentials: 4, versions: 4, confirmed: 4, unconfirmed: 0 },
    });
    expect(await ended(test, tenantId, second)).toMatchObject({ status: 'done', counts: { credentials: 4, confirmed: 4 } });
    for (const [credentialId, provider] of [
      ['openai-main', 'openai'],
      ['mistral-main', 'mistral'],
      ['gemini-main', 'gemini'],
      ['ana-own', 'openai'],
    ] as const)
      expect(await leftOf(test, tenantId, credentialId, provider), credentialId).toEqual(nothingLeft);
    expect(await secretNames(test, tenantId)).toEqual([]);
    const detail = { version: 1, tenantId, displayName: 'Again', tier, requestedBy: 'test', credentials: [] };
    const [again = ''] = await test.putEvents({ detailType: 'TenantOnboarded', detail });
    expect((await test.outcome(['TenantProvisioningFailed'], again)).detail).toMatchObject({ reason: { code: 'TENANT_OFFBOARDED' } });
  });
});

describe('X1 suspension and reinstatement', () => {
  it('of a tenant stops every use and starts it again, with nothing ended and nobody alarmed', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId);
    expect((await chat(test, token)).status).toBe(200);
    const suspended = await apply(test, 'AccessSuspended', { tenantId, scope: 'tenant' });
    expect((await chat(test, token)).status).toBe(401);
    expect(await ended(test, tenantId, suspended)).toMatchObject({ status: 'done', action: 'suspend' });
    test.cloud.clock.advance(2000);
    const reinstated = await apply(test, 'AccessReinstated', { tenantId, scope: 'tenant' });
    expect(await ended(test, tenantId, reinstated)).toMatchObject({ status: 'done', action: 'reinstate' });
    for (let call = 0; call < 3; call += 1) expect((await chat(test, await mint(tenantId))).status).toBe(200);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual({ keys: 1, secret: true });
    // A cut-off session that is replaced is no violation.
    expect((await test.published(tenantId)).map(({ detailType }) => detailType)).not.toContain('IsolationViolationDetected');
    // What is asked for afterwards is done, in sessions of its own.
    const credential = { ...openAiMain, credentialId: 'second', useCase: 'second' };
    await test.putEvents({ detailType: 'CredentialRequested', detail: { version: 1, tenantId, requestedBy: 'test', credential } });
    await test.outcome(['CredentialProvisioned'], 'second');
  });

  it('stands when its end was asked for in the same second, whichever comes first', async () => {
    const tenantId = await openAiTenant(test);
    const detail = { version: 1, tenantId, scope: 'tenant', requestedBy: 'test', reason: 'both at once' };
    const eventIds = await test.putEvents({ detailType: 'AccessReinstated', detail }, { detailType: 'AccessSuspended', detail });
    const [suspended = ''] = eventIds.slice(1);
    await test.outcome(['AccessChanged'], suspended);
    await pause(test.cloud);
    expect((await chat(test, await mint(tenantId))).status).toBe(401);
  });
});

describe('X1 somebody who was never onboarded acts for the tenant, and', () => {
  it('is suspended and let in again like everybody else, at the broker and at the APIs', async () => {
    const tenantId = await openAiTenant(test);
    const token = await mint(tenantId, { userId: 'zoe' });
    const attribution = async (): Promise<number> =>
      (await fetch(`${test.cloud.brokerUrl}/v1/attribution`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect([(await chat(test, token)).status, await attribution()]).toEqual([200, 200]);
    const zoe = { tenantId, scope: 'user', userId: userIdOf(test.cloud.oidc.issuer, 'zoe') };
    await apply(test, 'AccessSuspended', zoe);
    expect([(await chat(test, token)).status, await attribution()]).toEqual([401, 401]);
    test.cloud.clock.advance(2000);
    await apply(test, 'AccessReinstated', zoe);
    expect([(await chat(test, token)).status, await attribution()]).toEqual([200, 200]);
  });

  it('of a revoked agent reads nothing of the tenant’s evidence any more', async () => {
    const tenantId = await openAiTenant(test);
    const headers = { authorization: `Bearer ${await mint(tenantId)}` };
    expect((await fetch(`${test.cloud.brokerUrl}/v1/attribution`, { headers })).status).toBe(200);
    await apply(test, 'RevocationRequested', { tenantId, scope: 'agent', agentId: 'agent-1' });
    expect((await fetch(`${test.cloud.brokerUrl}/v1/attribution`, { headers })).status).toBe(401);
  });
});

describe('X1 what is revoked before it exists is refused when it comes', () => {
  it('a tenant, a user and a credential', async () => {
    const early = test.freshTenantId();
    await apply(test, 'TenantOffboarded', { tenantId: early });
    const { outcome } = await test.onboard({ tenantId: early });
    expect(outcome).toMatchObject({ detailType: 'TenantProvisioningFailed', detail: { reason: { code: 'EVENT_CONTRADICTS' } } });

    const tenantId = await openAiTenant(test);
    await apply(test, 'RevocationRequested', { tenantId, scope: 'user', userId: anaId() });
    const user = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
    const [userEvent = ''] = await test.putEvents({ detailType: 'UserOnboarded', detail: user });
    await test.outcome(['UserProvisioningFailed'], userEvent);

    await apply(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'later' });
    const credential = { ...openAiMain, credentialId: 'later', useCase: 'later' };
    const detail = { version: 1, tenantId, requestedBy: 'test', credential };
    const [credentialEvent = ''] = await test.putEvents({ detailType: 'CredentialRequested', detail });
    await test.outcome(['CredentialProvisioningFailed'], credentialEvent);
    expect(await leftOf(test, tenantId, 'later', 'openai')).toEqual(nothingLeft);
  });
});

describe('X3 what the provider does not confirm', () => {
  it('is listed, told, and open until somebody confirms it', async () => {
    const tenantId = await openAiTenant(test);
    test.cloud.world.misbehave('openai', { adminPerMinute: 0 });
    const id = await apply(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'openai-main' });
    expect(await ended(test, tenantId, id)).toMatchObject({
      status: 'unconfirmed',
      counts: { credentials: 1, confirmed: 0, unconfirmed: 1 },
    });
    expect(await newsOfRevocation(test, id)).toEqual(['AccessChanged', 'RevocationUnconfirmed']);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual({ keys: 1, secret: true });
    await apply(test, 'RevocationConfirmed', { tenantId, credentialId: 'openai-main', reason: 'deleted in the console' });
    expect(await revocationOf(test, tenantId, id)).toMatchObject({ status: 'done', counts: { confirmed: 1, unconfirmed: 0 } });
    const { ending } = await credentialOf(test, tenantId, 'openai-main');
    expect(ending).toMatchObject({ phase: 'ended', versions: [{ confirmation: 'attested', attestedBy: 'ops@example.com' }] });
    expect(await secretNames(test, tenantId)).toEqual([]);
  });
});
