import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { chat, keyOf, openAiMain, openAiTenant, refusalOf, requestsWith, toOpenAiMain } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { sweep } from '../support/customers.ts';
import { asRoot } from '../support/ground-truth.ts';
import { writerOf } from '../support/neighbours.ts';
import { apply, credentialOf, ended, leftOf, put, secretNames } from '../support/revocations.ts';
import { issuedAt, minuteMs, rotatingTenant, scheduleNothing, simulatorOf, stateOf } from '../support/rotations.ts';
import { pause, settle } from '../support/settle.ts';
import { bringKeyIn, registryItem, supplyKey } from '../support/supply.ts';
import { dueBody } from '../support/worker-queue.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});
beforeEach(async () => {
  await scheduleNothing(test);
  test.cloud.faults.clear();
});

const nothingLeft = { keys: 0, secret: false };
const mint = (tenantId: string): Promise<string> =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', expiresIn: 864_000 });

interface PlatformEvent {
  readonly detailType: string;
  readonly detail: object;
}

/** Everything that has ever made, stored, replaced or brought back a key: sent again, one after the other, and what is due with it. */
async function tryEverything(tenantId: string, onboarded: object, versionId: string): Promise<void> {
  const common = { version: 1, tenantId, requestedBy: 'test' };
  const rotation = { ...common, credentialId: 'openai-main', why: 'to bring it back' };
  const issuer = test.cloud.oidc.issuer;
  const events: PlatformEvent[] = [
    { detailType: 'TenantOnboarded', detail: onboarded },
    { detailType: 'UserOnboarded', detail: { ...common, issuer, subject: 'ana' } },
    { detailType: 'CredentialRequested', detail: { ...common, credential: openAiMain } },
    { detailType: 'CredentialSupplied', detail: { ...common, credentialId: 'openai-main' } },
    { detailType: 'RotationRequested', detail: rotation },
    { detailType: 'RotationRequested', detail: { ...rotation, emergency: true } },
    { detailType: 'RotationRequested', detail: { ...rotation, action: 'rollback' } },
    { detailType: 'RotationRequested', detail: { ...rotation, action: 'promote', versionId } },
    { detailType: 'RotationRequested', detail: { ...rotation, action: 'demote', versionId } },
    { detailType: 'RoutingRulesChanged', detail: { ...common, rules: [toOpenAiMain] } },
  ];
  await test.putEvents(...events);
  const QueueUrl = test.cloud.queues['rotation']?.url;
  const MessageBody = JSON.stringify(dueBody(tenantId, 'CREDENTIAL#openai-main', test.cloud.clock.now()));
  await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl, MessageBody });
  // What may be on its way still is tried again for a while.
  await settle(test.cloud);
  await sweep(test, 3);
}

/** A tenant that is used, with what it was onboarded by; the broker's environment is warm. */
async function usedTenant(): Promise<{ tenantId: string; token: string; onboarded: object; key: string; versionId: string }> {
  const tenantId = test.freshTenantId();
  const onboarded = {
    ...{ version: 1, tenantId, displayName: `Tenant ${tenantId}`, tier: 'pool', requestedBy: 'test' },
    ...{ credentials: [openAiMain], routing: [toOpenAiMain] },
  };
  await openAiTenant(test, onboarded);
  const [token, key] = [await mint(tenantId), await keyOf(test, tenantId)];
  expect((await chat(test, token)).status).toBe(200);
  await pause(test.cloud);
  const { secretVersionId: versionId } = await stateOf(test, { tenantId, credentialId: 'openai-main' });
  return { tenantId, token, onboarded, key, versionId };
}

const uses = (key: string): number => requestsWith(test, key).filter(({ path }) => path.includes('/chat/')).length;

describe('X1 nothing that was revoked comes back by what is sent again', () => {
  it('not a credential', async () => {
    const { tenantId, token, onboarded, key, versionId } = await usedTenant();
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'openai-main' });
    await ended(test, tenantId, id);
    const before = await credentialOf(test, tenantId, 'openai-main');
    await tryEverything(tenantId, onboarded, versionId);
    expect(await credentialOf(test, tenantId, 'openai-main')).toEqual(before);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual(nothingLeft);
    expect(await refusalOf(await chat(test, token))).toMatchObject({ status: 401 });
    expect(uses(key)).toBe(1);
  });

  it('not a tenant, nor anything of it', async () => {
    const { tenantId, token, onboarded, key, versionId } = await usedTenant();
    const id = await put(test, 'TenantOffboarded', { tenantId });
    await ended(test, tenantId, id);
    const before = await registryItem(test, tenantId, 'TENANT');
    await tryEverything(tenantId, onboarded, versionId);
    await apply(test, 'AccessReinstated', { tenantId, scope: 'tenant' });
    await sweep(test, 3);
    expect(await registryItem(test, tenantId, 'TENANT')).toEqual(before);
    expect(await registryItem(test, tenantId, `USER#${userIdOf(test.cloud.oidc.issuer, 'ana')}`)).toEqual({});
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual(nothingLeft);
    expect(await refusalOf(await chat(test, token))).toMatchObject({ status: 401 });
    expect(uses(key)).toBe(1);
  });

  it('not the version in force, of a credential that goes on', async () => {
    const { tenantId, token, onboarded, key, versionId } = await usedTenant();
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'version', credentialId: 'openai-main', versionId });
    await ended(test, tenantId, id);
    await tryEverything(tenantId, onboarded, versionId);
    await sweep(test, 30);
    const { secretVersionId, rotating } = await stateOf(test, { tenantId, credentialId: 'openai-main' });
    expect(secretVersionId).not.toBe(versionId);
    expect(rotating).toBe(undefined);
    expect((await chat(test, token)).status).toBe(200);
    expect(uses(key)).toBe(1);
  });

  it('not a user, nor what is their own', async () => {
    const { tenantId } = await usedTenant();
    const { issuer } = test.cloud.oidc;
    const common = { version: 1, tenantId, requestedBy: 'test' };
    const userId = userIdOf(issuer, 'ana');
    const events: readonly PlatformEvent[] = [
      { detailType: 'UserOnboarded', detail: { ...common, issuer, subject: 'ana' } },
      { detailType: 'CredentialRequested', detail: { ...common, credential: { ...openAiMain, credentialId: 'ana-own', userId } } },
    ];
    for (const event of events) {
      await test.putEvents(event);
      await pause(test.cloud);
    }
    const id = await put(test, 'UserOffboarded', { tenantId, userId });
    await ended(test, tenantId, id);
    await test.putEvents(...events, {
      detailType: 'CredentialRequested',
      detail: { ...common, credential: { ...openAiMain, credentialId: 'ana-new', userId } },
    });
    await apply(test, 'AccessReinstated', { tenantId, scope: 'user', userId });
    await settle(test.cloud);
    expect(await registryItem(test, tenantId, `USER#${userId}`)).toMatchObject({ status: 'offboarded' });
    expect(await credentialOf(test, tenantId, 'ana-own')).toMatchObject({ status: 'revoked', ending: { phase: 'ended' } });
    for (const credentialId of ['ana-own', 'ana-new']) expect(await leftOf(test, tenantId, credentialId, 'openai')).toEqual(nothingLeft);
  });
});

describe('X1 nothing that was revoked comes back through the door', () => {
  const own = issuedAt('anthropic', { credentialId: 'own', source: 'customer-supplied' });

  it.each(['awaited still', 'in use'])('not a credential of the customer that was %s', async (how) => {
    const tenantId = await rotatingTenant(test, [own], { routing: [] });
    const which = { tenantId, credentialId: 'own', provider: 'anthropic' };
    const key = how === 'in use' ? await bringKeyIn(test, which) : undefined;
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'own' });
    await ended(test, tenantId, id);
    expect((await supplyKey(test, { ...which, apiKey: test.cloud.world.issueKey('anthropic') })).status).toBeGreaterThanOrEqual(400);
    const detail = { version: 1, tenantId, credentialId: 'own', requestedBy: 'test' };
    await test.putEvents({ detailType: 'CredentialSupplied', detail });
    if (key !== undefined) simulatorOf(test, 'anthropic').revokeKey(key);
    await sweep(test, 75);
    expect(await credentialOf(test, tenantId, 'own')).toMatchObject({ status: 'revoked', ending: { phase: 'ended' } });
    expect(await secretNames(test, tenantId)).toEqual([]);
  });
});

describe('X1 nothing that was revoked comes back by what is done to its secret', () => {
  const SecretId = (tenantId: string): string => `cordon/${tenantId}/openai-main`;

  it('not when it is restored before it is gone: there is no key in it, and it goes all the same', async () => {
    const { tenantId, token, key } = await usedTenant();
    // Closed, and not erased yet.
    for (const nth of [2, 3, 4, 5, 6]) test.cloud.faults.add({ service: 'secretsmanager', action: 'DeleteSecret', nth, mode: 'before' });
    const id = await apply(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'openai-main' });
    expect(await secretNames(test, tenantId)).toEqual([SecretId(tenantId)]);
    await asRoot(test.cloud, 'secretsmanager', 'RestoreSecret', { SecretId: SecretId(tenantId) });
    test.cloud.faults.clear();
    expect(await refusalOf(await chat(test, token))).toMatchObject({ status: 401 });
    const session = test.cloud.kernel.callerOf((await test.tenantSession(tenantId)).accessKeyId);
    if (session === undefined) throw new Error('The session is not known.');
    expect(await test.cloud.kernel.call(session, 'secretsmanager', 'GetSecretValue', { SecretId: SecretId(tenantId) })).toMatchObject({
      SecretString: '{"revoked":true}',
    });
    await ended(test, tenantId, id);
    expect(await leftOf(test, tenantId, 'openai-main', 'openai')).toEqual(nothingLeft);
    expect(uses(key)).toBe(1);
  });

  it('not when somebody makes it anew with a key that is good: nobody is let to it', async () => {
    const { tenantId, token, key } = await usedTenant();
    const id = await put(test, 'RevocationRequested', { tenantId, scope: 'credential', credentialId: 'openai-main' });
    await ended(test, tenantId, id);
    await expect(asRoot(test.cloud, 'secretsmanager', 'RestoreSecret', { SecretId: SecretId(tenantId) })).rejects.toThrow();
    const apiKey = test.cloud.world.issueKey('openai');
    test.tokens.add(apiKey);
    // As a mistake of Cordon's own would: nobody else can.
    const { secretsmanager } = test.clients(await writerOf(test, tenantId));
    const tags = { TenantId: tenantId, CredentialId: 'openai-main', Provider: 'openai', Tier: 'pool', Environment: 'production' };
    await secretsmanager.send(
      new CreateSecretCommand({
        ...{ Name: SecretId(tenantId), KmsKeyId: test.cloud.outputs['TenantKeyArn'], SecretString: JSON.stringify({ apiKey }) },
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    expect(await refusalOf(await chat(test, token))).toMatchObject({ status: 401 });
    test.cloud.clock.advance(16 * minuteMs);
    expect(await refusalOf(await chat(test, token))).toMatchObject({ status: 401 });
    expect([uses(key), uses(apiKey)]).toEqual([1, 0]);
    expect((await stateOf(test, { tenantId, credentialId: 'openai-main' })).status).toBe('revoked');
  });
});
