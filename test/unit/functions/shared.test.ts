import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { translateAwsError } from '../../../functions/shared/aws-errors.ts';
import { isSafeEndpoint } from '../../../functions/shared/endpoint-url.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createExpiringCache } from '../../../functions/shared/expiring-cache.ts';
import { tenantId, userId } from '../../../functions/shared/identifier-fields.ts';
import { createLog } from '../../../functions/shared/logger.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createSessionClients } from '../../../functions/shared/session-clients.ts';
import { createTenantSessions, type SessionCredentials } from '../../../functions/shared/tenant-sessions.ts';

const canary = 'sk-canary-4711';
const secret = new SecretText(canary);

/** Everything written to a console by `write`. */
function written(write: (console: Console) => void): string {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  write(new Console(stream, stream));
  return lines.join('');
}

describe('a secret text', () => {
  it.each([
    ['string conversion', () => `${secret}`],
    ['concatenation', () => `Bearer ${String(secret)}`],
    ['JSON', () => JSON.stringify({ nested: [{ secret }] })],
    ['util.inspect', () => inspect({ nested: [secret] }, { depth: 9, showHidden: true, showProxy: true })],
    ['util.format', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['console', () => written((console) => console.log(secret, { secret }, [secret]))],
    ['an error with it as cause', () => inspect(new Error('failed', { cause: { secret } }))],
    ['Object.entries', () => JSON.stringify(Object.entries(secret)) + redactedOnce()],
    ['spreading', () => JSON.stringify({ ...secret }) + redactedOnce()],
  ])('prints as [redacted] by %s', (_sink, print) => {
    expect(print()).toContain('[redacted]');
    expect(print()).not.toContain(canary);
  });

  it('prints as [redacted] in the log, as a field, bound to it, and inside an error', () => {
    const lines: string[] = [];
    const keep = (chunk: unknown): boolean => lines.push(String(chunk)) > 0;
    const sinks = [vi.spyOn(process.stdout, 'write').mockImplementation(keep), vi.spyOn(process.stderr, 'write').mockImplementation(keep)];
    const log = createLog('tenants').with({ tenantId: 'acme', bound: secret });
    log.info('stored', { apiKey: secret });
    log.warn('warned', { apiKey: secret });
    log.error('failed', new CordonError('AWS_REFUSED', 'no', { cause: { secret } }), { apiKey: secret });
    for (const sink of sinks) sink.mockRestore();
    expect(lines).toHaveLength(3);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'INFO', service: 'tenants', tenantId: 'acme', message: 'stored', apiKey: '[redacted]', bound: '[redacted]' },
      { level: 'WARN', tenantId: 'acme' },
      { level: 'ERROR', error: { name: 'CordonError', message: 'no' } },
    ]);
    expect(lines.join('')).not.toContain(canary);
  });

  it('is had only by asking for it', () => {
    expect(secret.reveal()).toBe(canary);
  });
});

/** For sinks that see nothing at all of it. */
function redactedOnce(): string {
  return `${secret}`;
}

describe('translateAwsError', () => {
  const sdkError = (name: string, status?: number): Error =>
    Object.assign(new Error('arn:aws:iam::1:role/other'), { name, $metadata: status === undefined ? {} : { httpStatusCode: status } });

  it.each([
    ['AccessDeniedException', 400, 'ACCESS_REFUSED', false],
    ['AccessDenied', 403, 'ACCESS_REFUSED', false],
    ['AuthorizationErrorException', 403, 'ACCESS_REFUSED', false],
    ['ConditionalCheckFailedException', 400, 'CONFLICT', true],
    ['ThrottlingException', 400, 'AWS_UNAVAILABLE', true],
    ['ProvisionedThroughputExceededException', 400, 'AWS_UNAVAILABLE', true],
    ['ExpiredTokenException', 400, 'AWS_UNAVAILABLE', true],
    ['InvalidSignatureException', 400, 'AWS_UNAVAILABLE', true],
    ['InternalServerError', 500, 'AWS_UNAVAILABLE', true],
    ['Whatever', 503, 'AWS_UNAVAILABLE', true],
    ['TypeError', undefined, 'AWS_UNAVAILABLE', true],
    ['ValidationException', 400, 'AWS_REFUSED', false],
    ['NotImplemented', 501, 'AWS_REFUSED', false],
  ])('says what %s (%s) means', (name, status, code, retryable) => {
    const error = translateAwsError(sdkError(name, status), 'reading the registry');
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toContain('reading the registry');
    expect(error.message).not.toContain('arn:');
  });

  it('leaves our own errors alone', () => {
    const own = new CordonError('PROVIDER_REFUSED', 'no');
    expect(translateAwsError(own, 'x')).toBe(own);
  });
});

describe('an expiring cache', () => {
  const setUp = (capacity = 2, marginMs = 100) => {
    let now = 0;
    let loads = 0;
    const cache = createExpiringCache<string>({ clock: () => now, capacity, marginMs });
    const get = (key: string): Promise<string> => cache.get(key, async () => ({ value: `${key}${++loads}`, expiresAt: now + 1000 }));
    return { get, cache, advance: (ms: number) => (now += ms), loads: () => loads };
  };

  it('loads once for concurrent asks, and again only within the margin of the end', async () => {
    const { get, advance, loads } = setUp();
    expect(await Promise.all([get('a'), get('a'), get('a')])).toEqual(['a1', 'a1', 'a1']);
    advance(899);
    expect(await get('a')).toBe('a1');
    advance(1);
    expect(await get('a')).toBe('a2');
    expect(loads()).toBe(2);
  });

  it('drops the least recently used', async () => {
    const { get } = setUp();
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    expect(await get('a')).toBe('a1');
    expect(await get('b')).toBe('b4');
  });

  it('does not keep a failure', async () => {
    const { cache, get } = setUp();
    await expect(cache.get('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await get('a')).toBe('a1');
  });
});

describe('tenant sessions', () => {
  const acme = tenantId.parse('acme');
  const other = tenantId.parse('acme-2');
  const ann = userId.parse('a'.repeat(26));
  const roleArn = 'arn:aws:iam::111122223333:role/cordon/TenantReader';

  const setUp = () => {
    let now = 0;
    const asked: unknown[] = [];
    const assume = async (request: object): Promise<SessionCredentials> => {
      asked.push(request);
      return { accessKeyId: `A${asked.length}`, secretAccessKey: secret, sessionToken: secret, expiresAt: now + 900_000 };
    };
    return { sessions: createTenantSessions({ assume, clock: () => now, capacity: 10 }), asked, advance: (ms: number) => (now += ms) };
  };

  it('are minted once per tenant and user, with the tags that IAM compares and a name that CloudTrail shows', async () => {
    const { sessions, asked } = setUp();
    const [one, two] = await Promise.all([
      sessions({ roleArn, tenantId: acme, role: 'shared' }),
      sessions({ roleArn, tenantId: acme, role: 'shared' }),
    ]);
    expect(one).toBe(two);
    await sessions({ roleArn, tenantId: acme, userId: ann, role: 'shared' });
    await sessions({ roleArn: `${roleArn}-acme`, tenantId: acme, userId: ann, role: 'own' });
    await sessions({ roleArn: `${roleArn}-acme`, tenantId: acme, role: 'own' });
    expect(asked).toMatchObject([
      { sessionName: 'acme', tags: { TenantId: 'acme' }, durationSeconds: 900 },
      { sessionName: `acme.${ann}`, tags: { TenantId: 'acme', UserId: ann } },
      { sessionName: `acme.${ann}`, tags: { UserId: ann } },
      { sessionName: 'acme', tags: {} },
    ]);
  });

  it('are never shared between tenants, users or roles', async () => {
    const { sessions } = setUp();
    const minted = await Promise.all([
      sessions({ roleArn, tenantId: acme, role: 'shared' }),
      sessions({ roleArn, tenantId: other, role: 'shared' }),
      sessions({ roleArn, tenantId: acme, userId: ann, role: 'shared' }),
      sessions({ roleArn: `${roleArn}2`, tenantId: acme, role: 'shared' }),
    ]);
    expect(new Set(minted.map((session) => session.accessKeyId)).size).toBe(4);
  });

  it('are minted anew two minutes before they end', async () => {
    const { sessions, advance, asked } = setUp();
    await sessions({ roleArn, tenantId: acme, role: 'shared' });
    advance(779_999);
    await sessions({ roleArn, tenantId: acme, role: 'shared' });
    expect(asked).toHaveLength(1);
    advance(1);
    await sessions({ roleArn, tenantId: acme, role: 'shared' });
    expect(asked).toHaveLength(2);
  });

  it('are minted anew once they were forgotten, those of the tenant and its users alone', async () => {
    const { sessions, advance, asked } = setUp();
    const all = [
      { roleArn, tenantId: acme, role: 'shared' },
      { roleArn, tenantId: acme, userId: ann, role: 'shared' },
      { roleArn: `${roleArn}-acme`, tenantId: acme, role: 'own' },
      { roleArn, tenantId: other, role: 'shared' },
      { roleArn, tenantId: tenantId.parse('a'), role: 'shared' },
    ] as const;
    for (const request of all) await sessions(request);
    advance(1);
    sessions.forget(acme, 1);
    for (const request of all) await sessions(request);
    expect(asked.slice(all.length)).toMatchObject([{ sessionName: 'acme' }, { sessionName: `acme.${ann}` }, { sessionName: 'acme' }]);
  });

  it('are kept when they were asked for since', async () => {
    const { sessions, advance, asked } = setUp();
    advance(5);
    const minted = sessions({ roleArn, tenantId: acme, role: 'shared' });
    sessions.forget(acme, 5);
    expect(await sessions({ roleArn, tenantId: acme, role: 'shared' })).toBe(await minted);
    expect(asked).toHaveLength(1);
  });

  it('have a name that STS takes also for the shortest tenant ID', async () => {
    const { sessions, asked } = setUp();
    await sessions({ roleArn, tenantId: tenantId.parse('a'), role: 'shared' });
    expect(asked).toMatchObject([{ sessionName: expect.stringMatching(/^[\w+=,.@-]{2,64}$/) }]);
  });
});

describe('clients of a session', () => {
  it('are made once per session, and never for another tenant or a later session', async () => {
    let now = 0;
    let minted = 0;
    const assume = async (): Promise<SessionCredentials> => ({
      accessKeyId: `A${++minted}`,
      secretAccessKey: secret,
      sessionToken: secret,
      expiresAt: now + 900_000,
    });
    const sessions = createTenantSessions({ assume, clock: () => now, capacity: 10 });
    const open = createSessionClients({
      sessions,
      clock: () => now,
      capacity: 10,
      make: (credentials) => ({ by: credentials.keyId() }),
    });
    const ask = (id: string) => open({ roleArn: 'arn', tenantId: tenantId.parse(id), role: 'shared' });
    const [acme, again, other] = [await ask('acme'), await ask('acme'), await ask('acme-2')];
    expect(again).toBe(acme);
    expect(acme.by).not.toBe(other.by);
    now = 800_000;
    expect((await ask('acme')).by).toBe('A3');
  });
});

describe('an endpoint that keys may be sent to', () => {
  it.each(['https://api.openai.com/v1', 'http://127.0.0.1:4566/openai/v1', 'http://localhost:1', 'http://[::1]:1'])('may be %s', (url) => {
    expect(isSafeEndpoint(url)).toBe(true);
  });
  it.each([
    'http://api.openai.com/v1',
    'http://127.0.0.1.evil.example/',
    'ftp://127.0.0.1/',
    'https://user:pw@api.openai.com',
    'x',
    'http://10.0.0.1/',
  ])('may not be %s', (url) => {
    expect(isSafeEndpoint(url)).toBe(false);
  });
});
