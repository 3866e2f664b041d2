import { describe, expect, it } from 'vitest';
import { canaryIds } from '../../../functions/isolation/canaries.ts';
import { createHandler, type ResultsEvent } from '../../../functions/isolation/results/serve-results.handler.ts';
import { applyVerificationMessage } from '../../../functions/isolation/verify/apply-verification-message.ts';
import type { Verification, VerificationReader } from '../../../functions/isolation/verify/verification.ts';
import { verifyResult } from '../../../functions/isolation/verify/verify-result.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { TenantId } from '../../../functions/shared/identifiers.ts';
import { acme, createIsolationWorld, longEnough } from '../../contracts/fakes/isolation-world.ts';
import { createMemoryLog } from '../../contracts/fakes/memory-log.ts';
import { platformEvent } from '../../contracts/fakes/platform-events.ts';
import { identityOf } from '../../support/connections-world.ts';

const [admin, member, otherAdmin] = ['acme/ann/admin', 'acme/ben/member', 'acme-2/ann/admin'];

async function createApi() {
  const world = createIsolationWorld();
  const published: unknown[] = [];
  const state = { sessionsReads: undefined as string | undefined, revoked: false, looked: [] as string[] };
  /** As IAM has it: a session of one tenant reads no other's. */
  const readerOf = (only: TenantId): VerificationReader => ({
    async run(tenantId, id) {
      state.looked.push(`${tenantId} ${id}`);
      if (tenantId !== only) throw new CordonError('ACCESS_REFUSED', 'refused');
      return world.deps.store.run(tenantId, id);
    },
    async latest(tenantId, limit) {
      if (tenantId !== only) throw new CordonError('ACCESS_REFUSED', 'refused');
      return world.deps.store.latest(tenantId, limit);
    },
  });
  const handler = createHandler({
    log: createMemoryLog(),
    clock: world.deps.clock,
    verify: async (token) => identityOf(token),
    reportNamed: async () => {},
    async openTenant(token) {
      const { tenantId, userId } = identityOf(state.sessionsReads ?? token);
      return {
        tenantId,
        userId,
        view: {
          runs: readerOf(tenantId),
          registry: {
            tenant: async () => tenantItem(tenantId),
            credentials: async () => [],
          },
          isRevoked: async () => state.revoked,
        },
      };
    },
    daily: readerOf(canaryIds.a),
    publish: async (type, detail) => {
      published.push([type, detail]);
      return `event-${published.length}`;
    },
  });
  const ask = (token: string | undefined, resource = '/isolation', more: Partial<ResultsEvent> = {}) =>
    handler({
      ...{ httpMethod: 'GET', resource, pathParameters: null, requestContext: { requestId: 'r' } },
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...more,
    });
  const one = (token: string, verificationId: string, accept?: string) =>
    ask(token, '/isolation/{verificationId}', {
      pathParameters: { verificationId },
      headers: { authorization: `Bearer ${token}`, ...(accept !== undefined && { accept }) },
    });
  const run = (id: string, tenantId: string = acme) =>
    applyVerificationMessage(
      world.deps,
      {
        body: platformEvent('IsolationVerificationRequested', { version: 1, tenantId, requestedBy: 'test' }, { id }),
        ...{ receiptHandle: 'r', receiveCount: 1 },
      },
      world.deps.clock() + 300_000,
    );
  return { world, published, state, ask, one, run };
}

function tenantItem(tenantId: TenantId) {
  const at = '2026-11-01T00:00:00Z';
  return {
    ...{ tenantId, epoch: 0, version: 1, writeId: 'w', createdAt: at, updatedAt: at, requestedBy: 'test', announced: true },
    ...{ attempt: 1, leaseUntil: 0, kind: 'TENANT' as const, status: 'active' as const, displayName: tenantId, tier: 'pool' as const },
    ...{ accounts: {}, plan: [], rules: [], rulesVersion: 0, rulesEventIds: [], rulesAnnounced: true },
  };
}

const refusalOf = ({ statusCode, body }: { statusCode: number; body: string }) => [statusCode, JSON.parse(body).error.code];
const post = { httpMethod: 'POST' };

describe('T1 the API of the isolation tests', () => {
  it('refuses whoever has no token, another’s session, or a revoked agent, before anything is read', async () => {
    const { ask, state } = await createApi();
    expect(refusalOf(await ask(undefined))).toEqual([401, 'TOKEN_REFUSED']);
    state.sessionsReads = otherAdmin;
    expect(refusalOf(await ask(admin))).toEqual([401, 'TOKEN_REFUSED']);
    state.sessionsReads = undefined;
    state.revoked = true;
    expect(refusalOf(await ask(admin))).toEqual([401, 'TOKEN_REFUSED']);
    expect(state.looked).toEqual([]);
  });

  it('lets an administrator ask for a run, for the token’s own tenant and in the caller’s name, and nobody else', async () => {
    const { ask, published } = await createApi();
    expect(refusalOf(await ask(member, '/isolation', post))).toEqual([403, 'ROLE_REQUIRED']);
    expect(published).toEqual([]);
    const { statusCode, body } = await ask(admin, '/isolation', post);
    expect([statusCode, JSON.parse(body)]).toEqual([202, { verificationId: 'event-1', status: 'requested' }]);
    expect(published).toEqual([['IsolationVerificationRequested', { version: 1, tenantId: 'acme', requestedBy: 'ann' }]]);
  });

  it('has one run at a time, and one in ten minutes, and says when the next may be', async () => {
    const { ask, run, world, published } = await createApi();
    await run('one');
    world.advance(60_000);
    const soon = await ask(admin, '/isolation', post);
    expect(refusalOf(soon)).toEqual([429, 'VERIFICATION_TOO_SOON']);
    expect(Number(soon.headers?.['retry-after'])).toBeGreaterThan(500);
    world.advance(longEnough);
    const running: Verification = {
      ...{ tenantId: acme, verificationId: 'two', requestedBy: 'test', startedAt: new Date(world.deps.clock()).toISOString() },
      ...{ status: 'running', attempt: 1, announced: false },
    };
    await world.deps.store.save(running);
    const busy = await ask(admin, '/isolation', post);
    expect([...refusalOf(busy), busy.headers?.['retry-after']]).toEqual([409, 'VERIFICATION_UNDER_WAY', '30']);
    expect(published).toEqual([]);
    // What has broken off for good is no obstacle.
    world.advance(2 * 3_600_000);
    expect((await ask(admin, '/isolation', post)).statusCode).toBe(202);
  });

  it('hands out the signed file of an own run and of a daily one, and of no other tenant’s', async () => {
    const { one, run, world } = await createApi();
    await run('mine');
    await run('daily', canaryIds.a);
    const { statusCode, body, headers } = await one(member, 'mine');
    expect([statusCode, headers?.['content-disposition']]).toEqual([200, 'attachment; filename="cordon-isolation-mine.json"']);
    expect(verifyResult(body, { publicKey: world.publicKey })).toMatchObject({ ok: true, result: { tenantId: 'acme' } });
    expect(verifyResult((await one(otherAdmin, 'daily')).body).result?.tenantId).toBe(canaryIds.a);
    for (const id of ['mine', 'nothing', '../mine', ''])
      expect(refusalOf(await one(otherAdmin, id))).toEqual([404, 'VERIFICATION_UNKNOWN']);
  });

  it('shows a run as a page to whoever asks for one', async () => {
    const { one, run } = await createApi();
    await run('mine');
    const { body, headers } = await one(member, 'mine', 'text/html');
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'x-frame-options': 'DENY' });
    expect(headers?.['content-security-policy']).toContain("default-src 'none'");
    expect(body).toContain('checks passed.');
    expect((await one(member, 'mine', 'application/json, text/html')).headers?.['content-type']).toBe('application/json');
  });

  it('shows runs, the newest result, the newest daily one, and what they make of the declaration', async () => {
    const { ask, run, world } = await createApi();
    const before = JSON.parse((await ask(member)).body);
    expect(before).toMatchObject({ tenantId: 'acme', runs: [], score: { score: 0 } });
    await run('mine');
    await run('daily', canaryIds.a);
    const after = JSON.parse((await ask(member)).body);
    expect(after).toMatchObject({ runs: [{ verificationId: 'mine', status: 'finished' }], latest: { verificationId: 'mine' } });
    expect(after.daily.tenantId).toBe(canaryIds.a);
    expect(after.score.score).toBeGreaterThan(50);
    expect(after.declaration.services.length).toBeGreaterThan(5);
    // Another tenant sees the daily one and nothing of this one.
    const other = JSON.parse((await ask(otherAdmin)).body);
    expect([other.runs, other.latest, other.daily.tenantId]).toEqual([[], undefined, canaryIds.a]);
    // Three days later it shows nothing any more.
    world.advance(72 * 3_600_000);
    expect(JSON.parse((await ask(member)).body).score.score).toBe(0);
  });

  it('knows no other operation', async () => {
    const { ask } = await createApi();
    expect(refusalOf(await ask(admin, '/isolation', { httpMethod: 'DELETE' }))).toEqual([400, 'CALL_INVALID']);
  });
});
