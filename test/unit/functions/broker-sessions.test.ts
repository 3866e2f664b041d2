import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createConsoleLog } from '../../../functions/broker/console-log.ts';
import { createFederatedMint } from '../../../functions/broker/federated-mint.ts';
import { createIdentityToken } from '../../../functions/broker/identity-token.sts-signed.ts';
import { createNarrowToUser } from '../../../functions/broker/user-session.sts-signed.ts';
import { watchGate, watchTimes } from '../../../functions/broker/watch-gate.ts';
import { createLastingStores } from '../../../functions/broker/watch-use.ts';
import type { SendSigned, SignedCall } from '../../../functions/shared/aws-signed.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { acme, ann, facts } from './broker-world.ts';

function sts(answer: string, status = 200) {
  const sent: { call: SignedCall; accessKeyId: string }[] = [];
  const send: SendSigned = async (credentials, call) => {
    sent.push({ call, accessKeyId: credentials.accessKeyId });
    return { status, headers: {}, body: answer };
  };
  return { send, sent, parameters: () => Object.fromEntries(new URLSearchParams(sent[0]?.call.body)) };
}
const credentials = { accessKeyId: 'ASIATENANT', secretAccessKey: 's', sessionToken: 't' };
const session = { tenantId: acme, tier: 'pool', credentials, expiresAt: 0 } as const;
const answer =
  '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAUSER</AccessKeyId><SecretAccessKey>us</SecretAccessKey><SessionToken>ut</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>';
const roles = { tenantReaderRoleArn: 'arn:reader', dedicatedRoleArnPrefix: 'arn:TenantAgent-', timeoutMs: 1000 };

describe('U1 the session of one user', () => {
  it('is the tenant’s own role once more, with tenant and user as tags, asked for by the tenant’s session', async () => {
    const { send, sent, parameters } = sts(answer);
    const narrowed = await createNarrowToUser({ send, ...roles })(session, ann);
    expect(narrowed).toEqual({ accessKeyId: 'ASIAUSER', secretAccessKey: 'us', sessionToken: 'ut' });
    expect(sent[0]?.accessKeyId).toBe('ASIATENANT');
    expect(parameters()).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: 'arn:reader',
      RoleSessionName: `acme.${ann}`,
      DurationSeconds: '900',
      'Tags.member.1.Key': 'TenantId',
      'Tags.member.1.Value': 'acme',
      'Tags.member.2.Key': 'UserId',
      'Tags.member.2.Value': ann,
    });
  });

  it('of a dedicated tenant is that tenant’s role, which admits no other tag than the user', async () => {
    const { send, parameters } = sts(answer);
    await createNarrowToUser({ send, ...roles })({ ...session, tier: 'dedicated' }, ann);
    expect(parameters()).toMatchObject({ RoleArn: 'arn:TenantAgent-acme', 'Tags.member.1.Key': 'UserId', 'Tags.member.1.Value': ann });
    expect(parameters()['Tags.member.2.Key']).toBeUndefined();
  });

  it.each([
    [
      'refused by IAM',
      '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
      403,
      'ACCESS_REFUSED',
    ],
    ['throttled', '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>', 400, 'SESSION_UNAVAILABLE'],
    ['answered without credentials', '<AssumeRoleResponse/>', 200, 'SESSION_UNAVAILABLE'],
  ])('%s is none', async (_what, body, status, code) => {
    const { send } = sts(body, status);
    await expect(createNarrowToUser({ send, ...roles })(session, ann)).rejects.toMatchObject({ code });
  });
});

describe('G8 a federated credential', () => {
  const credential = facts({ source: 'federated', settings: { audience: 'aud' } });
  const epochs = { tenant: 1, user: -1, credential: 2, itemVersion: 3, secretVersionId: 'federated' };
  const minting = () => {
    const keys: string[] = [];
    const tokens = {
      get: async (key: string) => {
        keys.push(key);
        return { kind: 'bearer', token: new SecretText('t') } as const;
      },
    };
    return { keys, tokens, identityToken: async () => new SecretText('jwt') };
  };

  it('is for dedicated tenants only', async () => {
    const { keys, ...deps } = minting();
    await expect(createFederatedMint({ ...deps, session })(credential, epochs)).rejects.toMatchObject({ code: 'EGRESS_NOT_CONFIGURED' });
    expect(keys).toEqual([]);
  });

  it('has its tokens kept by tenant, credential and epochs', async () => {
    const { keys, ...deps } = minting();
    const mint = createFederatedMint({ ...deps, session: { ...session, tier: 'dedicated' } });
    await mint(credential, epochs);
    await mint(credential, { ...epochs, credential: 3 });
    expect(keys).toEqual(['acme|main|1|-1|2', 'acme|main|1|-1|3']);
  });

  it('is vouched for by an identity token of the tenant’s own session', async () => {
    const { send, sent, parameters } = sts('<R><WebIdentityToken>a.b.c</WebIdentityToken></R>');
    const token = await createIdentityToken({ send, credentials, tenantId: acme, timeoutMs: 1000 })('aud');
    expect(token.reveal()).toBe('a.b.c');
    expect(sent[0]?.accessKeyId).toBe('ASIATENANT');
    expect(parameters()).toMatchObject({ Action: 'GetWebIdentityToken', 'Audience.member.1': 'aud' });
  });
});

describe('X2 watching the gate', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const slow = (ms: number, refuses: () => CordonError | undefined) => async (): Promise<void> => {
    // What the registry says is what stands when it is asked.
    const refusal = refuses();
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (refusal !== undefined) throw refusal;
  };

  it.each([0, 500, 899])('ends a stream within 5 s of a revocation, each reading taking %s ms, whenever it comes', async (readMs) => {
    for (let revokedAt = 1; revokedAt < 8000; revokedAt += 433) {
      const began = Date.now();
      const revoked = (): boolean => Date.now() - began >= revokedAt;
      let endedAt = Number.NaN;
      const refuses = () => (revoked() ? new CordonError('CREDENTIAL_REVOKED', 'revoked') : undefined);
      const stop = watchGate(
        slow(readMs, refuses),
        () => {
          endedAt = Date.now() - began;
        },
        watchTimes,
      );
      await vi.advanceTimersByTimeAsync(20_000);
      expect(endedAt - revokedAt, `revoked after ${revokedAt} ms`).toBeLessThan(5000);
      stop();
    }
  });

  it('ends it within 5 s also when the registry stops answering', async () => {
    const reasons: CordonError[] = [];
    const down = slow(900, () => new CordonError('GATE_UNAVAILABLE', 'down', { retryable: true }));
    watchGate(down, (reason) => void reasons.push(reason), watchTimes);
    await vi.advanceTimersByTimeAsync(5000);
    expect(reasons).toMatchObject([{ code: 'GATE_UNAVAILABLE' }]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(reasons).toHaveLength(1);
  });

  it('asks no more once it is stopped', async () => {
    let asked = 0;
    const stop = watchGate(
      async () => {
        asked += 1;
      },
      () => undefined,
      watchTimes,
    );
    await vi.advanceTimersByTimeAsync(3500);
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toBe(1);
  });
});

describe('stores that last as long as a call', () => {
  const storesUntil = (expiresAt: number) => ({ session: { expiresAt } });

  it('are renewed before their session ends, without anyone waiting', async () => {
    let now = 0;
    const renewed = storesUntil(1_800_000);
    let asked = 0;
    const lasting = createLastingStores(
      storesUntil(900_000),
      async () => {
        asked += 1;
        return renewed;
      },
      () => now,
    );
    lasting.keep();
    expect(asked).toBe(0);
    now = 781_000;
    lasting.keep();
    lasting.keep();
    await Promise.resolve();
    expect([asked, lasting.current()]).toEqual([1, renewed]);
  });

  it('are used on when they cannot be renewed, and given up while the outcome can still be recorded', async () => {
    let now = 850_000;
    const first = storesUntil(900_000);
    const lasting = createLastingStores(
      first,
      () => Promise.reject(new CordonError('TOKEN_REFUSED', 'expired')),
      () => now,
    );
    lasting.keep();
    await Promise.resolve();
    expect(lasting.current()).toBe(first);
    now = 881_000;
    expect(() => lasting.keep()).toThrow(expect.objectContaining({ code: 'SESSION_UNAVAILABLE' }));
  });
});

describe('G3 the log', () => {
  it('writes structured lines in which secrets are redacted and causes are kept', () => {
    const lines: string[] = [];
    const log = createConsoleLog('broker', (line) => void lines.push(line)).with({ tenantId: 'acme' });
    log.warn('refused', { key: new SecretText('sk-canary') });
    log.error('failed', new CordonError('AWS_REFUSED', 'not accepted', { cause: new Error('why') }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'WARN', message: 'refused', service: 'broker', tenantId: 'acme', key: '[redacted]' },
      { level: 'ERROR', message: 'failed', error: { code: 'AWS_REFUSED', cause: { message: 'why' } } },
    ]);
    expect(lines.join('')).not.toContain('canary');
  });
});
