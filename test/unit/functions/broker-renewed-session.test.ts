import { describe, expect, it } from 'vitest';
import { createSignedGate } from '../../../functions/broker/gate.dynamodb-signed.ts';
import { createOpenTenant, type TenantStores } from '../../../functions/broker/tenant-environment.ts';
import { createTenantSender } from '../../../functions/broker/tenant-sender.ts';
import { createSessionsFunction } from '../../../functions/broker/tenant-session.lambda-signed.ts';
import type { TenantSession } from '../../../functions/broker/tenant-session.ts';
import type { SendSigned } from '../../../functions/shared/aws-signed.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { acme, ann, createBrokerWorld, main } from './broker-world.ts';

const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: 's', sessionToken: 't' });
const sessionOf = (accessKeyId: string, of = acme): TenantSession => ({
  ...{ tenantId: of, tier: 'pool', credentials: keysOf(accessKeyId), expiresAt: 900_000 },
});
const item = (sk: string) => ({ sk: { S: sk }, status: { S: 'active' }, epoch: { N: '0' }, version: { N: '1' }, rulesVersion: { N: '1' } });
const reading = JSON.stringify({ Responses: { registry: [item('TENANT'), item('CREDENTIAL#main')] } });
const refusal = '{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}';
const stsRefusal = '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>';
const question = { tenantId: acme, userId: ann, credentialId: main, agentId: undefined, sessionId: undefined };

function setUp(cutOff: readonly string[], renew: () => Promise<TenantSession>, body = refusal) {
  const signedBy: string[] = [];
  const send: SendSigned = async ({ accessKeyId }) => {
    signedBy.push(accessKeyId);
    return cutOff.includes(accessKeyId) ? { status: 400, headers: {}, body } : { status: 200, headers: {}, body: reading };
  };
  const session = sessionOf('K0');
  const sender = createTenantSender({ send, session, renew });
  const gateWith = (renewWithinMs: number) =>
    createSignedGate({ send: sender(renewWithinMs), credentials: session.credentials, table: 'registry', timeoutMs: 1000 });
  return { signedBy, gateWith, sender, session };
}

describe('X5 the broker’s session after a cut-off', () => {
  it.each([
    ['DynamoDB and Secrets Manager', refusal],
    ['STS', stsRefusal],
  ])('is replaced when %s refuse it, and the call made again', async (_, body) => {
    let minted = 0;
    const { signedBy, gateWith } = setUp(['K0'], async () => sessionOf(`K${++minted}`), body);
    const gate = gateWith(1000);
    expect(await gate.read(question)).toMatchObject({ tenant: { status: 'active' } });
    await gate.read(question);
    expect(signedBy).toEqual(['K0', 'K1', 'K1']);
  });

  it('is refused for good when the new one is refused too: that is a violation', async () => {
    const { signedBy, gateWith } = setUp(['K0', 'K1'], async () => sessionOf('K1'));
    await expect(gateWith(1000).read(question)).rejects.toMatchObject({ code: 'ACCESS_REFUSED', violation: { code: 'ACCESS_REFUSED' } });
    expect(signedBy).toEqual(['K0', 'K1']);
  });

  it('has one minted for all calls that are refused together', async () => {
    let minted = 0;
    const { gateWith } = setUp(['K0'], async () => sessionOf(`K${++minted}`));
    const gate = gateWith(1000);
    await Promise.all([gate.read(question), gate.read(question), gate.read(question)]);
    expect(minted).toBe(1);
  });

  it('refuses the caller as one whose token is no good when none is minted for them any more, and reports nothing', async () => {
    const { gateWith } = setUp(['K0'], () => Promise.reject(new CordonError('TOKEN_REFUSED', 'The token was not accepted.')));
    await expect(gateWith(1000).read(question)).rejects.toMatchObject({ code: 'TOKEN_REFUSED', retryable: false });
  });

  it('may be asked for again when there is none now, or none in time', async () => {
    const down = setUp(['K0'], () => Promise.reject(new CordonError('SESSION_UNAVAILABLE', 'not now', { retryable: true })));
    await expect(down.gateWith(1000).read(question)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', retryable: true });
    const late = Promise.withResolvers<TenantSession>();
    const slow = setUp(['K0'], () => late.promise);
    await expect(slow.gateWith(5).read(question)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE', retryable: true });
    late.resolve(sessionOf('K1'));
    expect(await slow.gateWith(1000).read(question), 'the one that came late is used').toMatchObject({ tenant: { status: 'active' } });
  });

  it('leaves alone what is signed with other credentials', async () => {
    const { signedBy, sender } = setUp(['USER'], () => Promise.reject(new Error('asked')));
    const call = { service: 'secretsmanager', headers: {}, body: '', timeoutMs: 1000 } as const;
    expect(await sender(1000)(keysOf('USER'), call)).toMatchObject({ status: 400 });
    expect(signedBy).toEqual(['USER']);
  });

  it('is not renewed for an answer that only tells of a refusal', async () => {
    const send: SendSigned = async () => ({ status: 200, headers: {}, body: refusal });
    const session = sessionOf('K0');
    const sender = createTenantSender({ send, session, renew: () => Promise.reject(new Error('asked')) });
    const call = { service: 'dynamodb', headers: {}, body: '', timeoutMs: 1000 } as const;
    expect(await sender(1000)(session.credentials, call)).toMatchObject({ status: 200 });
  });
});

describe('X5 an environment that renews its session', () => {
  const callWith = (token: string) => ({ caller: createBrokerWorld().callOf().caller, token });

  it('asks by the token of the call that is under way, for one that is fresh, and for its own tenant’s only', async () => {
    const asked: unknown[] = [];
    let next = acme;
    const renewals: (() => Promise<TenantSession>)[] = [];
    const open = createOpenTenant({
      clock: () => 0,
      mint: async (token, options) => {
        asked.push({ token, ...options });
        return sessionOf('K0', next);
      },
      openStores: (session, renew): TenantStores => {
        renewals.push(renew);
        const refuse = () => Promise.reject(new Error('not asked for'));
        return {
          session,
          gate: { read: refuse },
          watch: { read: refuse },
          catalogue: { rules: refuse, credentials: refuse },
          attribution: { record: refuse },
          obtain: refuse,
        };
      },
    });
    await open(callWith('first'), 'acme');
    await open(callWith('second'), 'acme');
    await renewals[0]?.();
    expect(asked).toEqual([{ token: 'first' }, { token: 'second', fresh: true }]);
    next = tenantId.parse('bolt');
    await expect(renewals[0]?.()).rejects.toMatchObject({ code: 'TENANT_MISMATCH' });
    expect(renewals).toHaveLength(1);
  });

  it('says to `sessions` that an older one will not do', async () => {
    const bodies: string[] = [];
    const send: SendSigned = async (_, { body }) => {
      bodies.push(body);
      const credentials = { ...keysOf('K1'), expiresAt: '2026-11-21T12:15:00.000Z' };
      return { status: 200, headers: {}, body: JSON.stringify({ tenantId: 'acme', tier: 'pool', credentials }) };
    };
    const { mint } = createSessionsFunction({ send, credentials: keysOf('OWN'), functionName: 'sessions', timeoutMs: 1000 });
    await mint('jwt');
    await mint('jwt', { fresh: true });
    expect(bodies.map((body) => JSON.parse(body))).toEqual([{ token: 'jwt' }, { token: 'jwt', fresh: true }]);
  });
});
