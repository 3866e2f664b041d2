import { createPublicKey } from 'node:crypto';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verifyCertificate } from '../../functions/revocation/certificate/verify-certificate.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { chat, keyOf, openAiTenant, refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { tokenOf } from '../support/customers.ts';
import { expectAllowed, expectDenied, notGranted } from '../support/decisions.ts';
import { asRoot } from '../support/ground-truth.ts';
import { apply, ended } from '../support/revocations.ts';
import { pause } from '../support/settle.ts';

const ordered = z.strictObject({ revocationId: z.string(), status: z.literal('requested') });
const listed = z.object({ tenantId: z.string(), revocations: z.array(z.looseObject({ revocationId: z.string(), status: z.string() })) });
const shown = z.looseObject({
  status: z.string(),
  unconfirmed: z.array(z.looseObject({ what: z.string() })),
  credentials: z.array(
    z.looseObject({ credentialId: z.string(), versions: z.array(z.looseObject({ confirmation: z.string().optional() })) }),
  ),
});

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

interface Asking {
  readonly method?: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}
function ask(token: string | undefined, path = '', { method = 'GET', body, headers }: Asking = {}): Promise<Response> {
  return fetch(`${test.cloud.brokerUrl}/v1/revocations${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}
const order = (token: string, body: object, headers = {}): Promise<Response> =>
  ask(token, '', { method: 'POST', body: { reason: 'no longer needed', ...body }, headers });
async function orderedBy(token: string, body: object): Promise<string> {
  const answer = await order(token, body);
  expect(answer.status).toBe(202);
  return ordered.parse(await answer.json()).revocationId;
}
const seen = async (token: string) => listed.parse(await (await ask(token)).json());
const endCredential = { action: 'revoke', scope: 'credential', credentialId: 'openai-main' };
/** Detail types that were put on the bus for the tenant, by whomever. */
const putFor = async (tenantId: string): Promise<readonly string[]> => (await test.published(tenantId)).map(({ detailType }) => detailType);

describe('X1 X3 X6 an administrator ends a credential of the own tenant', () => {
  it('sees it in force, sees it confirmed, and gets a certificate that anybody can check', async () => {
    const tenantId = await openAiTenant(test);
    const token = await tokenOf(test, tenantId);
    const key = await keyOf(test, tenantId);
    expect((await chat(test, token)).status).toBe(200);
    const id = await orderedBy(token, { ...endCredential, incidentId: 'INC-7' });
    await test.outcome(['AccessChanged'], id);
    expect(await refusalOf(await chat(test, token))).toMatchObject({ code: 'CREDENTIAL_REVOKED' });
    await ended(test, tenantId, id);

    const { revocations } = await seen(token);
    expect(revocations).toMatchObject([
      {
        revocationId: id,
        status: 'done',
        requestedBy: `admin@${tenantId}`,
        reason: 'no longer needed',
        incidentId: 'INC-7',
        certified: true,
      },
    ]);
    const one = shown.parse(await (await ask(token, `/${id}`)).json());
    expect(one).toMatchObject({
      ...{ status: 'done', unconfirmed: [] },
      credentials: [{ credentialId: 'openai-main', ending: { phase: 'ended' }, versions: [{ confirmation: 'refused' }] }],
    });

    const answer = await ask(token, `/${id}/certificate`);
    const file = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { PublicKey } = z
      .object({ PublicKey: z.string() })
      .parse(await asRoot(test.cloud, 'kms', 'GetPublicKey', { KeyId: test.cloud.outputs['EvidenceKeyArn'] }));
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
    const check = verifyCertificate(file, { publicKey: publicKey.export({ format: 'pem', type: 'spki' }).toString() });
    expect(check).toMatchObject({ ok: true, problems: [], header: { complete: true, tenant: { tenantId }, revocationId: id } });
    expect(verifyCertificate(file.replace('INC-7', 'INC-8')).ok).toBe(false);

    const page = await ask(token, `/${id}/certificate`, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    expect(html).toContain('Everything that was to be ended is shown to be ended.');
    for (const text of [file, html, JSON.stringify(one)]) expect(text).not.toContain(key);
  });

  it('shows what a provider does not confirm, until somebody else says so', async () => {
    const tenantId = await openAiTenant(test);
    test.cloud.world.misbehave('openai', { adminPerMinute: 0 });
    try {
      const id = await orderedBy(await tokenOf(test, tenantId), endCredential);
      await test.outcome(['AccessChanged'], id);
      await pause(test.cloud);
      test.cloud.clock.advance(16 * 60_000);
      await ended(test, tenantId, id);
      const token = await tokenOf(test, tenantId);
      const one = shown.parse(await (await ask(token, `/${id}`)).json());
      expect(one.status).toBe('unconfirmed');
      expect(one.unconfirmed).toMatchObject([{ what: 'key', credentialId: 'openai-main' }]);
      expect(await (await ask(token, `/${id}/certificate`, { headers: { accept: 'text/html' } })).text()).toContain('NOT COMPLETE');
    } finally {
      test.cloud.world.misbehave('openai');
    }
  });
});

describe('X1 an administrator ends access of others, of the own user, and of the tenant', () => {
  it('suspends a user and reinstates them', async () => {
    const tenantId = await openAiTenant(test);
    const token = await tokenOf(test, tenantId);
    const { issuer } = test.cloud.oidc;
    const userId = userIdOf(issuer, 'ana');
    const ana = await test.cloud.oidc.mint({ tenantId, userId: 'ana' });
    await test.putEvents({ detailType: 'UserOnboarded', detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' } });
    await test.outcome(['UserProvisioned'], tenantId);
    const id = await orderedBy(token, { action: 'suspend', scope: 'user', userId });
    await test.outcome(['AccessChanged'], id);
    expect((await chat(test, ana)).status).toBe(401);
    expect((await chat(test, token)).status).toBe(200);
    // A suspension of the same second is not ended by it.
    test.cloud.clock.advance(2000);
    await test.outcome(['AccessChanged'], await orderedBy(token, { action: 'reinstate', scope: 'user', userId }));
    expect((await chat(test, ana)).status).toBe(200);
  });

  it('offboards the tenant, and is nobody from then on', async () => {
    const tenantId = await openAiTenant(test);
    const token = await tokenOf(test, tenantId);
    const id = await orderedBy(token, { action: 'offboard', scope: 'tenant' });
    await test.outcome(['AccessChanged'], id);
    for (const answer of [await ask(token), await ask(token, `/${id}`), await order(token, { action: 'reinstate', scope: 'tenant' })])
      expect(await refusalOf(answer)).toEqual({ status: 401, code: 'TOKEN_REFUSED' });
    expect((await ended(test, tenantId, id)).status).toBe('done');
  });
});

describe('X1 nobody else', () => {
  it('revokes or sees anything without the role, without a token, or with a token in another header', async () => {
    const tenantId = await openAiTenant(test);
    const [token, member] = [await tokenOf(test, tenantId), await tokenOf(test, tenantId, 'member')];
    const id = await apply(test, 'RevocationRequested', { tenantId, scope: 'agent', agentId: 'agent-9' });
    const before = await putFor(tenantId);
    for (const path of ['', `/${id}`, '/unknown', `/${id}/certificate`])
      expect(await refusalOf(await ask(member, path))).toEqual({ status: 403, code: 'ROLE_REQUIRED' });
    expect(await refusalOf(await order(member, { action: 'offboard', scope: 'tenant' }))).toEqual({ status: 403, code: 'ROLE_REQUIRED' });
    expect((await ask(undefined)).status).toBe(401);
    for (const header of ['x-api-key', 'api-key', 'x-goog-api-key'])
      expect((await ask(undefined, '', { headers: { [header]: token } })).status).toBe(401);
    await test.settled();
    expect(await putFor(tenantId)).toEqual(before);
  });

  it("reaches another tenant: not by an ID that is known, not by naming it in the body, not by the tenant's header", async () => {
    const [tenantId, other] = [await openAiTenant(test), await openAiTenant(test)];
    const [token, others] = [await tokenOf(test, tenantId), await tokenOf(test, other)];
    const id = await apply(test, 'RevocationRequested', { tenantId, scope: 'agent', agentId: 'agent-9' });
    const unknown = await ask(others, '/11111111-2222-3333-4444-555555555555');
    const foreign = await ask(others, `/${id}`);
    const bare = async (answer: Response) => (await answer.text()).replace(/"requestId":"[^"]+"/, '');
    expect([foreign.status, await bare(foreign)]).toEqual([404, await bare(unknown)]);
    expect((await ask(others, `/${id}/certificate`)).status).toBe(404);
    expect((await seen(others)).revocations).toEqual([]);

    expect(await refusalOf(await order(others, { ...endCredential, tenantId }))).toEqual({ status: 400, code: 'CALL_INVALID' });
    const headers = { 'x-amz-tenant-id': tenantId, 'x-tenant-id': tenantId };
    const answer = await order(others, { action: 'revoke', scope: 'agent', agentId: 'agent-1' }, headers);
    const { revocationId } = ordered.parse(await answer.json());
    await test.outcome(['AccessChanged'], revocationId);
    expect((await seen(others)).revocations).toMatchObject([{ revocationId }]);
    expect((await seen(token)).revocations).toMatchObject([{ revocationId: id }]);
    expect((await chat(test, token)).status).toBe(200);
  });

  it('revokes through an agent or a session that was revoked itself', async () => {
    const tenantId = await openAiTenant(test);
    const agent = await test.cloud.oidc.mint({ tenantId, userId: 'admin', role: 'admin', agentId: 'agent-7', sessionId: 'session-7' });
    expect((await seen(agent)).revocations).toEqual([]);
    const id = await orderedBy(agent, { action: 'revoke', scope: 'session', sessionId: 'session-7' });
    await test.outcome(['AccessChanged'], id);
    expect(await refusalOf(await ask(agent))).toEqual({ status: 401, code: 'TOKEN_REFUSED' });
    expect(await refusalOf(await order(agent, { action: 'offboard', scope: 'tenant' }))).toEqual({ status: 401, code: 'TOKEN_REFUSED' });
  });
});

describe('X1 the function behind it', () => {
  it('publishes what it is asked for and nothing else, and has no way to any item', async () => {
    const { revocations } = await test.cloud.functionCredentials();
    if (revocations === undefined) throw new Error('There is no function revocations.');
    const tenantId = test.freshTenantId();
    const publish =
      (DetailType: string, Source = 'cordon.platform') =>
      async ({ events }: Parameters<Parameters<typeof expectDenied>[2]>[0]) => {
        const Detail = JSON.stringify({ version: 1, tenantId, requestedBy: 'r', reason: 'r', scope: 'agent', agentId: 'a' });
        await events.send(
          new PutEventsCommand({ Entries: [{ EventBusName: test.cloud.outputs['EventBusName'], Source, DetailType, Detail }] }),
        );
      };
    await expectAllowed(test, revocations, publish('RevocationRequested'));
    for (const type of ['RoleConnectionRequested', 'TenantOnboarded', 'CertificateRequested'])
      await expectDenied(test, revocations, publish(type), notGranted);
    await expectDenied(test, revocations, publish('RevocationRequested', 'cordon'), notGranted);
  });

  it('reads in the session of the caller’s own tenant', async () => {
    const tenantId = await openAiTenant(test);
    const token = await tokenOf(test, tenantId);
    const since = test.cloud.journal.lastSeq;
    await seen(token);
    const reads = test.cloud.journal.since(since).filter(({ action }) => action.startsWith('dynamodb:'));
    expect(reads.length).toBeGreaterThan(0);
    for (const { principal } of reads) expect(principal).toContain(`assumed-role/TenantReader/${tenantId}`);
  });
});
