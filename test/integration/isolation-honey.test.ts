import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import { outboundEvents } from '../../functions/tenants/events.ts';
import type { AwsClients, AwsCredentials } from '../../local/aws-clients.ts';
import { chat, openAiTenant, refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { nextSecond } from '../support/cut-offs.ts';
import { administratorOf } from '../support/neighbours.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { apply, ended, secretNames } from '../support/revocations.ts';
import { foundByWatch, foundOf, startTrail } from '../support/trail.ts';

let test: TestCloud;
let pool: string;
let other: string;
let operator: OperatorCommand;
beforeAll(async () => {
  test = await testCloud();
  await startTrail(test);
  operator = await operatorCommand(test);
  [pool, other] = [await openAiTenant(test), await openAiTenant(test)];
});

/** As an operator asks for them. */
async function decoysFor(tenantId: string) {
  const [eventId = ''] = await test.putEvents({
    detailType: 'HoneyRequested',
    detail: { version: 1, tenantId, requestedBy: 'ops@example.com' },
  });
  await test.settled();
  const planted = (await test.published(tenantId)).filter(({ detailType }) => detailType === 'HoneyPlanted');
  expect(eventId).not.toBe('');
  return planted.map(({ detail }) => outboundEvents.HoneyPlanted.parse(detail).decoys);
}

async function firstDecoy(tenantId: string): Promise<{ credentialId: string; secretName: string }> {
  const [decoy] = (await decoysFor(tenantId)).at(-1) ?? [];
  if (decoy === undefined) throw new Error('No decoy was planted.');
  return decoy;
}

const read = ({ secretsmanager }: AwsClients, SecretId: string) =>
  secretsmanager.send(new GetSecretValueCommand({ SecretId })).then(
    ({ SecretString }) => SecretString,
    () => undefined,
  );
const mint = (tenantId: string, sessionId: string) =>
  test.cloud.oidc.mint({ tenantId, userId: 'ana', agentId: 'agent-1', sessionId, expiresIn: 86_400 });
const asking = (useCase: string) => ({ headers: { 'x-cordon-use-case': useCase } });
const honey = (tenantId: string) => ({ code: 'HONEY_TOUCHED', tenantId });

/** Until the policy that cuts sessions off has this one. Rejects after so many tries. */
async function expectCutOff(credentials: AwsCredentials, secretId: string): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { outcome, statements } = await test.attempt(credentials, ({ secretsmanager }) =>
      secretsmanager.send(new DescribeSecretCommand({ SecretId: secretId })),
    );
    if (outcome === 'denied') return expect(statements.join()).toMatch(/Revoked\//);
    test.cloud.clock.advance(1000);
    await test.settled();
  }
  throw new Error('The session goes on.');
}

describe('T6 decoys of a pool tenant', () => {
  it('are names and nothing else, the same each time they are asked for', async () => {
    const before = await secretNames(test, pool);
    await decoysFor(pool);
    const [first, again] = await decoysFor(pool);
    expect(first).toHaveLength(3);
    expect(again).toEqual(first);
    expect(first?.every(({ stored, secretName }) => !stored && secretName.startsWith(`cordon/${pool}/`))).toBe(true);
    expect(await secretNames(test, pool)).toEqual(before);
    expect(await foundByWatch(test)).toEqual([]);
  });

  it('named in a call through the broker: answered as any other name, told, and the session ends', async () => {
    const { credentialId } = await firstDecoy(pool);
    const [intruder, bystander] = [await mint(pool, 'taken'), await mint(pool, 'other')];
    expect((await chat(test, intruder)).status).toBe(200);
    // A name of the same form that is no decoy: another tenant's, or nobody's.
    const unknown = await chat(test, intruder, asking('openai-backup-aaaaaaaa'));
    const others = await chat(test, intruder, asking((await firstDecoy(other)).credentialId));
    await test.settled();
    expect(await foundByWatch(test)).toEqual([]);

    let answer: Response | undefined;
    const found = await foundOf(test, async () => {
      answer = await chat(test, intruder, asking(credentialId));
    });
    expect(found).toMatchObject([{ ...honey(pool), message: expect.stringContaining('its session taken is revoked') }]);
    expect([answer, unknown, others].map((one) => one?.status)).toEqual([200, 200, 200]);

    await test.settled();
    expect(await refusalOf(await chat(test, intruder))).toEqual({ status: 401, code: 'SESSION_REVOKED' });
    expect((await chat(test, bystander)).status).toBe(200);
  });

  it.each<[api: string, asking: (name: string) => { path: string; body?: object }]>([
    ['the log', (name) => ({ path: `attribution?credential=${name}` })],
    ['the door', (name) => ({ path: `credentials/${name}/secret`, body: { jwe: 'not.sealed' } })],
    [
      'revocations',
      (credentialId) => ({ path: 'revocations', body: { action: 'revoke', scope: 'credential', credentialId, reason: 'tidying' } }),
    ],
    ['connections', (name) => ({ path: 'connections', body: { customerAccountId: name } })],
    ['the results of isolation tests', (name) => ({ path: `isolation/${name}` })],
  ])('named to %s: answered as any other name, told, and the session ends', async (api, asking) => {
    const { credentialId } = await firstDecoy(pool);
    const sessionId = `taken-${api.replaceAll(' ', '-')}`;
    const token = await test.cloud.oidc.mint({ tenantId: pool, userId: 'eve', role: 'admin', sessionId, expiresIn: 86_400 });
    const ask = async (name: string) => {
      const { path, body } = asking(name);
      const response = await fetch(`${test.cloud.brokerUrl}/v1/${path}`, {
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.text()).replace(/"(requestId|revocationId|cursor)":"[^"]*"/g, '') };
    };
    const unknown = await ask('openai-backup-aaaaaaaa');
    await test.settled();
    const before = (await foundByWatch(test)).length;
    let answer: object | undefined;
    const found = await foundOf(test, async () => {
      answer = await ask(credentialId);
    });
    expect(found).toMatchObject([{ ...honey(pool), message: expect.stringContaining(`its session ${sessionId} is revoked`) }]);
    expect((await foundByWatch(test)).length).toBe(before + 1);
    expect(answer).toEqual(unknown);
    await test.settled();
    expect(await ask('openai-backup-aaaaaaaa')).toMatchObject({ status: expect.toSatisfy((status) => status === 401 || status === 403) });
  });

  it('named to AWS by a session of the tenant, which is refused: told, and its sessions are cut off, while Cordon goes on', async () => {
    const { secretName } = await firstDecoy(pool);
    const [stolen, unconcerned] = [await test.tenantSession(pool), await test.tenantSession(other)];
    await nextSecond(test);
    const found = await foundOf(test, () => read(test.clients(stolen), secretName));
    expect(found).toMatchObject([honey(pool)]);
    await expectCutOff(stolen, `cordon/${pool}/openai-main`);
    expect((await chat(test, await mint(pool, 'later'))).status).toBe(200);
    expect(await read(test.clients(unconcerned), `cordon/${other}/openai-main`)).toBeDefined();
  });

  it('named to AWS by a person', async () => {
    const { secretName } = await firstDecoy(pool);
    const found = await foundOf(test, () => read(test.clients(administratorOf(test)), secretName));
    expect(found.map(({ code }) => code)).toContain('HONEY_TOUCHED');
  });
});

describe('T6 decoys from the command line', () => {
  it('are lines to plant, and a tenant that is not there has none', async () => {
    const { exitCode, err, out, json } = await operator.cordon(['honey', '--tenant', other, '--json']);
    expect(exitCode, err).toBe(0);
    expect(json()).toMatchObject({ tenantId: other, decoys: (await decoysFor(other)).at(-1) });
    expect(out).toContain((await firstDecoy(other)).secretName);
    const lines = await operator.cordon(['honey', '--tenant', other]);
    expect(lines.out).toMatch(new RegExp(`^OPENAI_SECRET_ID=cordon/${other}/openai-backup-[a-z2-7]{8}$`, 'm'));
    expect((await operator.cordon(['honey', '--tenant', test.freshTenantId()])).exitCode).toBe(1);
  });
});

describe('T6 decoys of a dedicated tenant', () => {
  it('are secrets as any other, read by nobody unseen, and gone with the tenant', async () => {
    const tenantId = await openAiTenant(test, { tier: 'dedicated' });
    const before = (await foundByWatch(test)).length;
    const [decoys = []] = await decoysFor(tenantId);
    expect(decoys.every(({ stored }) => stored)).toBe(true);
    const names = await secretNames(test, tenantId);
    expect(names).toEqual(expect.arrayContaining(decoys.map(({ secretName }) => secretName)));
    const stored = await test.secretsOf(tenantId);
    for (const { credentialId, secretName, provider } of decoys) {
      const { tags } = stored.find(({ name }) => name === secretName) ?? {};
      expect(tags).toEqual({
        TenantId: tenantId,
        CredentialId: credentialId,
        Provider: provider,
        Tier: 'dedicated',
        Environment: 'production',
      });
    }
    expect((await foundByWatch(test)).slice(before)).toEqual([]);

    const [decoy] = decoys;
    const own = test.clients(await test.tenantSession(tenantId));
    const found = await foundOf(test, async () => expect(await read(own, decoy?.secretName ?? '')).toContain('sk-proj-'));
    expect(found).toMatchObject([{ ...honey(tenantId) }]);

    const since = (await foundByWatch(test)).length;
    const id = await apply(test, 'TenantOffboarded', { tenantId });
    expect((await ended(test, tenantId, id)).counts).toMatchObject({ credentials: 1, versions: 1, confirmed: 1 });
    expect(await secretNames(test, tenantId)).toEqual([]);
    expect((await foundByWatch(test)).slice(since)).toEqual([]);
  });
});
