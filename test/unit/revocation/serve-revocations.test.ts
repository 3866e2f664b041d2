import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../../functions/revocation/certificate/issue-certificate.ts';
import { verifyCertificate } from '../../../functions/revocation/certificate/verify-certificate.ts';
import type { RevocationsEvent } from '../../../functions/revocations/serve-revocations.handler.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import {
  aCredentialItem,
  acme,
  anEnding,
  ann,
  aRevocation,
  aSigner,
  aTenant,
  confirmedVersion,
  revokedAt,
  versionId,
} from '../../support/certificates.ts';
import { admin, member, otherAdmin } from '../../support/connections-world.ts';
import { createRevocationsWorld, type RevocationsWorld } from '../../support/revocations-world.ts';

let world: RevocationsWorld;
beforeEach(() => {
  world = createRevocationsWorld();
});

const event = (method: string, resource: string, token?: string): RevocationsEvent => ({
  httpMethod: method,
  resource,
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  pathParameters: null,
  queryStringParameters: null,
  multiValueQueryStringParameters: {},
  body: null,
  isBase64Encoded: false,
  requestContext: { requestId: 'q-1' },
});
const post = (body: unknown, token: string = admin): Promise<APIGatewayProxyResult> =>
  world.handler({ ...event('POST', '/revocations', token), body: typeof body === 'string' ? body : JSON.stringify(body) });
const list = (query: Record<string, string> | null = null, token: string | undefined = admin): Promise<APIGatewayProxyResult> =>
  world.handler({ ...event('GET', '/revocations', token), queryStringParameters: query });
const show = (revocationId: string, token: string = admin): Promise<APIGatewayProxyResult> =>
  world.handler({ ...event('GET', '/revocations/{revocationId}', token), pathParameters: { revocationId } });
const certificate = (revocationId: string, accept?: string, token: string = admin): Promise<APIGatewayProxyResult> => {
  const asked = event('GET', '/revocations/{revocationId}/certificate', token);
  return world.handler({
    ...asked,
    headers: { ...asked.headers, ...(accept !== undefined && { accept }) },
    pathParameters: { revocationId },
  });
};
const errorOf = ({ statusCode, body }: APIGatewayProxyResult) => ({ statusCode, ...JSON.parse(body).error });
const reason = { reason: 'left the company' };

describe('X1 who may revoke', () => {
  const asked = { version: 1, tenantId: 'acme', requestedBy: 'ann', ...reason };
  it.each([
    [{ action: 'revoke', scope: 'tenant' }, 'RevocationRequested', { scope: 'tenant' }],
    [{ action: 'revoke', scope: 'user', userId: ann }, 'RevocationRequested', { scope: 'user', userId: ann }],
    [{ action: 'revoke', scope: 'agent', agentId: 'a-7' }, 'RevocationRequested', { scope: 'agent', agentId: 'a-7' }],
    [{ action: 'revoke', scope: 'session', sessionId: 's-7' }, 'RevocationRequested', { scope: 'session', sessionId: 's-7' }],
    [{ action: 'revoke', scope: 'credential', credentialId: 'main' }, 'RevocationRequested', { scope: 'credential', credentialId: 'main' }],
    [
      { action: 'revoke', scope: 'version', credentialId: 'main', versionId: versionId('1') },
      'RevocationRequested',
      { scope: 'version', credentialId: 'main', versionId: versionId('1') },
    ],
    [{ action: 'offboard', scope: 'tenant' }, 'TenantOffboarded', {}],
    [{ action: 'offboard', scope: 'user', userId: ann, incidentId: 'INC-7' }, 'UserOffboarded', { userId: ann, incidentId: 'INC-7' }],
    [
      { action: 'offboard', scope: 'user', issuer: 'https://idp.example', subject: 'ben' },
      'UserOffboarded',
      { issuer: 'https://idp.example', subject: 'ben' },
    ],
    [{ action: 'suspend', scope: 'tenant' }, 'AccessSuspended', { scope: 'tenant' }],
    [{ action: 'suspend', scope: 'user', userId: ann }, 'AccessSuspended', { scope: 'user', userId: ann }],
    [{ action: 'reinstate', scope: 'user', userId: ann }, 'AccessReinstated', { scope: 'user', userId: ann }],
  ])('publishes %j of an admin for the tenant of the token', async (order, type, detail) => {
    const answer = await post({ ...order, ...reason });
    expect(answer.statusCode).toBe(202);
    expect(JSON.parse(answer.body)).toEqual({ revocationId: 'event-1', status: 'requested' });
    expect(world.published).toEqual([{ type, detail: { ...asked, ...detail } }]);
  });

  it('takes the word of an admin for what could not be confirmed', async () => {
    const answer = await post({ confirm: 'main', reason: 'deleted in the console' });
    expect([answer.statusCode, JSON.parse(answer.body)]).toEqual([202, { credentialId: 'main', status: 'confirmation-requested' }]);
    const detail = { version: 1, tenantId: 'acme', requestedBy: 'ann', reason: 'deleted in the console', credentialId: 'main' };
    expect(world.published).toEqual([{ type: 'RevocationConfirmed', detail }]);
  });

  it('names the user ID when the subject is longer than an event takes', async () => {
    await post({ action: 'revoke', scope: 'tenant', ...reason }, `acme/${'x'.repeat(200)}/admin`);
    expect(world.published[0]?.detail).toMatchObject({ requestedBy: expect.stringMatching(/^[a-z2-7]{26}$/) });
  });

  it.each([member, 'acme/ann/', 'acme/ann/Admin', 'acme/ann/administrator'])('is not %s, who learns nothing either', async (token) => {
    world.dataOf('acme').revocations = [aRevocation()];
    for (const answer of [
      await post({ action: 'revoke', scope: 'tenant', ...reason }, token),
      await post('{', token),
      await list(null, token),
      await show('r-1', token),
      await show('r-9', token),
      await certificate('r-1', undefined, token),
    ])
      expect(errorOf(answer)).toMatchObject({ statusCode: 403, code: 'ROLE_REQUIRED' });
    expect([world.published, world.read]).toEqual([[], []]);
  });

  it.each([undefined, 'stranger/ann/admin', 'ACME/ann/admin'])('is not whoever comes with the token %j', async (token) => {
    expect(errorOf(await world.handler(event('GET', '/revocations', token)))).toMatchObject({ statusCode: 401, code: 'TOKEN_REFUSED' });
  });

  it('is not an agent that was revoked itself, and nobody whose session is that of somebody else', async () => {
    world.dataOf('acme').revoked.add('agent-7');
    expect(errorOf(await post({ action: 'revoke', scope: 'tenant', ...reason }, 'acme/ann/admin/agent-7'))).toMatchObject({
      statusCode: 401,
    });
    world.state.sessionsReads = otherAdmin;
    expect(errorOf(await post({ action: 'revoke', scope: 'tenant', ...reason }))).toMatchObject({ statusCode: 401 });
    expect(world.published).toEqual([]);
  });
});

describe('X1 orders that are none', () => {
  it.each([
    ['', 'the body must be'],
    ['{', 'the body must be'],
    ['[]', 'the body must be'],
    [{}, 'the body must be'],
    [{ action: 'revoke', scope: 'tenant' }, 'reason must be'],
    [{ action: 'revoke', scope: 'tenant', reason: '' }, 'reason must be'],
    [{ action: 'revoke', scope: 'tenant', reason: 'a\u202Eb' }, 'reason must be'],
    [{ action: 'revoke', ...reason }, 'scope must be'],
    [{ action: 'delete', scope: 'tenant', ...reason }, 'action must be one of revoke, offboard, suspend, reinstate'],
    [{ action: 'revoke', scope: 'user', ...reason }, 'userId must be'],
    [{ action: 'revoke', scope: 'user', userId: 'ann', ...reason }, 'userId must be'],
    [{ action: 'revoke', scope: 'tenant', userId: ann, ...reason }, 'the body must be'],
    [{ action: 'revoke', scope: 'version', credentialId: 'main', ...reason }, 'versionId must be'],
    [{ action: 'revoke', scope: 'credential', credentialId: '../TENANT', ...reason }, 'credentialId must be'],
    [{ action: 'revoke', scope: 'agent', agentId: 'x'.repeat(129), ...reason }, 'agentId must be'],
    [{ action: 'suspend', scope: 'agent', agentId: 'a', ...reason }, 'scope must be'],
    [{ action: 'offboard', scope: 'credential', credentialId: 'main', ...reason }, 'scope must be'],
    [{ action: 'offboard', scope: 'user', userId: ann, issuer: 'https://idp.example', subject: 'a', ...reason }, 'the body must be'],
    [{ action: 'offboard', scope: 'user', ...reason }, 'the body must be'],
    [{ action: 'revoke', scope: 'tenant', tenantId: 'acme-2', ...reason }, 'nothing else'],
    [{ action: 'revoke', scope: 'tenant', requestedBy: 'root', ...reason }, 'nothing else'],
    [{ action: 'revoke', scope: 'tenant', version: 2, ...reason }, 'nothing else'],
    [{ action: 'revoke', scope: 'tenant', incidentId: '<b>', ...reason }, 'incidentId must be'],
    [{ confirm: 'main' }, 'reason must be'],
    [{ confirm: 'Main!', ...reason }, 'credentialId must be'],
    [{ confirm: 'main', action: 'revoke', scope: 'tenant', ...reason }, 'the body must be'],
    [{ confirm: 'main', credentialId: 'other', ...reason }, 'the body must be'],
    [{ confirm: 'main', scope: 'credential', ...reason }, 'the body must be'],
  ])('refuses %j and says what is wrong', async (body, words) => {
    const error = errorOf(await post(body));
    expect(error).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('<b>');
    expect(world.published).toEqual([]);
  });

  it('refuses one that is too long', async () => {
    expect(errorOf(await post({ action: 'revoke', scope: 'tenant', reason: 'x'.repeat(9000) }))).toMatchObject({ statusCode: 413 });
  });

  it('says so when the bus cannot be reached, and nothing of AWS', async () => {
    world.state.down = new CordonError('AWS_UNAVAILABLE', 'arn:aws:events:…', { retryable: true });
    const answer = await post({ action: 'revoke', scope: 'tenant', ...reason });
    expect(errorOf(answer)).toMatchObject({ statusCode: 503, code: 'UNAVAILABLE' });
    expect(answer.body).not.toContain('arn:');
  });

  it('knows no other operation', async () => {
    for (const [method, resource] of [
      ['PUT', '/revocations'],
      ['DELETE', '/revocations/{revocationId}'],
    ] as const)
      expect(errorOf(await world.handler(event(method, resource, admin)))).toMatchObject({ statusCode: 400 });
  });
});

describe('X3 what was revoked', () => {
  const many = Array.from({ length: 5 }, (_, n) => aRevocation({ revocationId: `r-${n}`, inForceAt: revokedAt + (n % 3) * 1000 }));

  it('is listed the newest first, with how far it is', async () => {
    world.dataOf('acme').revocations = [
      aRevocation({ counts: { credentials: 3, versions: 4, confirmed: 2, unconfirmed: 2 }, status: 'unconfirmed', certificateId: 'c' }),
      aRevocation({
        revocationId: 'r-2',
        inForceAt: revokedAt + 5000,
        action: 'revoke',
        scope: 'agent',
        agentId: 'a-7',
        cutOff: undefined,
        doneAt: revokedAt + 6000,
      }),
    ];
    const { tenantId, revocations, cursor } = JSON.parse((await list()).body);
    expect([tenantId, cursor]).toEqual(['acme', undefined]);
    expect(revocations).toMatchObject([
      {
        revocationId: 'r-2',
        action: 'revoke',
        scope: 'agent',
        agentId: 'a-7',
        status: 'done',
        certified: false,
        doneAt: '2026-11-21T12:00:06.000Z',
      },
      {
        ...{ revocationId: 'r-1', status: 'unconfirmed', requestedBy: 'ann@acme.example', reason: 'contract ended', certified: true },
        ...{ inForceAt: '2026-11-21T12:00:00.800Z', counts: { credentials: 3, unconfirmed: 2 }, sessions: { state: 'cut-off' } },
      },
    ]);
  });

  it('is listed in pages that leave nothing out and repeat nothing, also when something is added meanwhile', async () => {
    world.dataOf('acme').revocations = many;
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = JSON.parse((await list({ limit: '2', ...(cursor !== undefined && { cursor }) })).body);
      seen.push(...page.revocations.map(({ revocationId }: { revocationId: string }) => revocationId));
      cursor = page.cursor;
      world.dataOf('acme').revocations = [
        ...world.dataOf('acme').revocations,
        aRevocation({ revocationId: `new-${seen.length}`, inForceAt: revokedAt + 90_000 }),
      ];
    } while (cursor !== undefined);
    expect(seen).toEqual(['r-2', 'r-1', 'r-4', 'r-0', 'r-3']);
  });

  it.each<Record<string, string>>([
    { limit: '0' },
    { limit: '201' },
    { limit: 'x' },
    { cursor: 'x' },
    { cursor: 'e30' },
    { tenantId: 'acme-2' },
  ])('is not listed by %j', async (query) => {
    expect(errorOf(await list(query))).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
  });

  it('is not listed by a parameter that is there twice', async () => {
    const asked = {
      ...event('GET', '/revocations', admin),
      queryStringParameters: { limit: '2' },
      multiValueQueryStringParameters: { limit: ['1', '2'] },
    };
    expect(errorOf(await world.handler(asked))).toMatchObject({ statusCode: 400 });
  });

  it('is shown with each credential, those first of which something is not confirmed', async () => {
    const open = anEnding({ phase: 'unconfirmed', unconfirmedSince: revokedAt + 900_000, versions: [{ versionId: versionId('2') }] });
    world.dataOf('acme').revocations = [aRevocation()];
    world.dataOf('acme').credentials = [aCredentialItem('a'), aCredentialItem('b', { ending: open })];
    const answer = await show('r-1');
    expect(answer.statusCode).toBe(200);
    const { credentials, unconfirmed, leftOut, ...rest } = JSON.parse(answer.body);
    expect(rest).toMatchObject({ tenantId: 'acme', revocationId: 'r-1', status: 'done' });
    expect(unconfirmed).toMatchObject([{ what: 'key', credentialId: 'b', since: '2026-11-21T12:15:00.000Z', why: 'NOT_CONFIRMED' }]);
    expect(credentials).toMatchObject([
      { credentialId: 'b', ending: { phase: 'unconfirmed' } },
      { credentialId: 'a', ending: { phase: 'ended' }, versions: [{ confirmation: 'refused' }] },
    ]);
    expect(leftOut).toEqual({ unconfirmed: 0, credentials: 0 });
    expect(answer.body).not.toContain('"kind"');
  });

  it('is shown as far as one answer has room, and says how much is left out', async () => {
    const versions = Array.from({ length: 40 }, (_, n) => ({ ...confirmedVersion(String(n)), confirmation: undefined }));
    world.dataOf('acme').revocations = [aRevocation()];
    world.dataOf('acme').credentials = Array.from({ length: 1200 }, (_, n) =>
      aCredentialItem(`c-${n}`, { ending: anEnding({ phase: 'unconfirmed', versions }) }),
    );
    const { body } = await show('r-1');
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(6_000_000);
    const { leftOut, unconfirmed, credentials } = JSON.parse(body);
    expect(leftOut.unconfirmed + unconfirmed.length).toBe(48_000);
    expect(leftOut.credentials + credentials.length).toBe(1200);
  });

  it.each(['r-9', '', '../TENANT', 'REVOCATION#r-1', 'r-1%00', 'x'.repeat(65)])(
    'is unknown by the ID %j, like that of another tenant',
    async (id) => {
      world.dataOf('acme-2').revocations = [aRevocation()];
      const [unknown, others] = [await show(id), await show('r-1')];
      expect(errorOf(unknown)).toMatchObject({ statusCode: 404, code: 'REVOCATION_UNKNOWN' });
      expect(unknown).toEqual(others);
      expect(errorOf(await certificate(id))).toMatchObject({ statusCode: 404, code: 'REVOCATION_UNKNOWN' });
    },
  );
});

describe('X6 the certificate of a revocation', () => {
  const signer = aSigner();
  async function certified(count = 1, versions = [confirmedVersion('1')]): Promise<void> {
    const data = world.dataOf('acme');
    data.revocations = [aRevocation()];
    data.credentials = Array.from({ length: count }, (_, n) => aCredentialItem(`c-${n}`, { ending: anEnding({ versions }) }));
    const stores = {
      registry: { user: async () => undefined, credentials: async () => data.credentials },
      revocations: { revocations: async () => data.revocations },
      certificates: data.certificates,
    };
    const order = { stores, tenant: aTenant(), of: { revocationId: 'r-1' }, requestedBy: 'ops', revocationId: 'r-1', now: revokedAt };
    const { certificateId } = await issueCertificate({ signer }, order);
    data.revocations = [aRevocation({ certificateId })];
    expect(await data.certificates.certificate(acme, certificateId)).toBeDefined();
  }

  it.each([undefined, '*/*', 'application/json', 'application/json, text/html'])('is a file when %j is accepted', async (accept) => {
    await certified();
    const { statusCode, headers, body } = await certificate('r-1', accept);
    expect([statusCode, headers?.['content-type'], headers?.['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(headers?.['content-disposition']).toMatch(/^attachment; filename="cordon-certificate-[0-9A-Z]{26}\.json"$/);
    expect(verifyCertificate(body, { publicKey: signer.pem })).toMatchObject({ ok: true, header: { revocationId: 'r-1', complete: true } });
  });

  it.each(['text/html', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'TEXT/HTML;q=1'])(
    'is a page when %j is accepted',
    async (accept) => {
      await certified();
      const { statusCode, headers, body } = await certificate('r-1', accept);
      expect([statusCode, headers?.['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(String(headers?.['content-security-policy'])).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox$/,
      );
      expect(body).toContain('Everything that was to be ended is shown to be ended.');
    },
  );

  it('is not there before it was issued', async () => {
    for (const certificateId of [undefined, '01KAHZ3V9QXJ5T7N2M8R4W6Y0B']) {
      world.dataOf('acme').revocations = [aRevocation({ certificateId })];
      expect(errorOf(await certificate('r-1'))).toMatchObject({ statusCode: 404, code: 'CERTIFICATE_UNKNOWN' });
    }
  });

  it('holds three thousand credentials', async () => {
    await certified(3000);
    const { statusCode, body } = await certificate('r-1');
    expect(statusCode).toBe(200);
    expect(verifyCertificate(body).header?.counts.credentials).toBe(3000);
  });

  it('says who has it when it is larger than an answer may be', async () => {
    await certified(
      400,
      Array.from({ length: 100 }, (_, n) => confirmedVersion(String(n))),
    );
    for (const accept of [undefined, 'text/html'])
      expect(errorOf(await certificate('r-1', accept))).toMatchObject({
        statusCode: 422,
        code: 'CERTIFICATE_TOO_LARGE',
        message: expect.stringContaining('cordon certificate'),
      });
  });
});
