import { describe, expect, it } from 'vitest';
import { createHandler } from '../../../functions/sessions/mint-session.handler.ts';
import { createIds } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import type { Log, LogFields } from '../../../functions/shared/log.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import type { SessionRequest } from '../../../functions/shared/tenant-sessions.ts';
import type { NewTenant, NewUser } from '../../../functions/tenants/registry.ts';
import { createMemoryRegistry } from '../../contracts/fakes/memory-registry.ts';

const acme = tenantId.parse('acme');
const issuer = 'https://idp.example.com';
const ann = userIdOf(issuer, 'ann');
const now = Date.parse('2026-11-21T12:00:00Z');
const context = { awsRequestId: 'r-1' };
const uniform = { error: { code: 'TOKEN_REFUSED', message: 'The token was not accepted.' } };

async function setUp(
  options: {
    tenant?: Partial<NewTenant>;
    user?: Partial<NewUser>;
    buried?: string;
    whileMinting?: Partial<NewTenant>;
    issuedAt?: number;
    deaf?: boolean;
  } = {},
) {
  const clock = (): number => now;
  const registry = createMemoryRegistry({ clock, nextId: createIds(clock), tombstones: new Set([`acme#REVOKED#${options.buried}`]) });
  const item = { tenantId: acme, epoch: 0, requestedBy: 'op', announced: true };
  const tenant: NewTenant = {
    ...item,
    kind: 'TENANT',
    displayName: 'Acme',
    tier: 'pool',
    status: 'active',
    attempt: 1,
    leaseUntil: 0,
    accounts: {},
    plan: [],
    rules: [],
    rulesVersion: 0,
    rulesEventIds: [],
    rulesAnnounced: true,
  };
  if (options.tenant) await registry.addTenant({ ...tenant, ...options.tenant });
  if (options.user)
    await registry.addUser({ ...item, kind: 'USER', userId: ann, status: 'active', issuer, subject: 'ann', ...options.user });
  const asked: SessionRequest[] = [];
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const log: Log = {
    info: (message, fields) => void lines.push({ message, fields }),
    warn: (message, fields) => void lines.push({ message, fields }),
    error: (message, _error, fields) => void lines.push({ message, fields }),
    with: () => log,
  };
  const announced: unknown[] = [];
  const forgotten: unknown[] = [];
  const handler = createHandler({
    log,
    announcer: {
      announce: async (type: string, detail: object) => {
        if (options.deaf) throw new CordonError('AWS_UNAVAILABLE', 'publishing failed', { retryable: true });
        announced.push({ type, detail });
      },
    },
    verify: async (token) => {
      if (token === 'down') throw new CordonError('PROVIDER_UNAVAILABLE', 'no keys', { retryable: true });
      if (token !== 'good') throw new CordonError('TOKEN_REFUSED', 'the token was not valid (ERR_JWT_EXPIRED)');
      return { tenantId: acme, userId: ann, agentId: 'bot' };
    },
    clock,
    sessions: Object.assign(
      async (request: SessionRequest) => {
        asked.push(request);
        const found = options.whileMinting && (await registry.tenant(acme));
        if (found) await registry.changeTenant(found, options.whileMinting ?? {});
        return {
          accessKeyId: 'ASIA1',
          secretAccessKey: new SecretText('secret-1'),
          sessionToken: new SecretText('token-1'),
          expiresAt: (options.issuedAt ?? now) + 900_000,
        };
      },
      { forget: (id: string, mintedBefore: number) => void forgotten.push({ id, mintedBefore }) },
    ),
    openRegistry: async () => registry,
    readerRoleArn: 'arn:reader',
    dedicatedRoleArnPrefix: 'arn:TenantAgent-',
  });
  return { handler, asked, lines, announced, forgotten };
}

describe('I11 minting a session', () => {
  it('answers a session of the tenant that the token names, and whose it is', async () => {
    const { handler, asked, lines } = await setUp({ tenant: {} });
    expect(await handler({ token: 'good' }, context)).toEqual({
      tenantId: 'acme',
      userId: ann,
      agentId: 'bot',
      tier: 'pool',
      credentials: { accessKeyId: 'ASIA1', secretAccessKey: 'secret-1', sessionToken: 'token-1', expiresAt: '2026-11-21T12:15:00.000Z' },
    });
    expect(asked).toEqual([{ roleArn: 'arn:reader', tenantId: 'acme', userId: undefined, role: 'shared' }]);
    expect(JSON.stringify(lines)).not.toMatch(/secret-1|token-1/);
  });

  it("adds the user only when asked to, and takes a dedicated tenant's own role", async () => {
    const pool = await setUp({ tenant: {}, user: {} });
    await pool.handler({ token: 'good', as: 'user' }, context);
    expect(pool.asked).toEqual([{ roleArn: 'arn:reader', tenantId: 'acme', userId: ann, role: 'shared' }]);
    const dedicated = await setUp({ tenant: { tier: 'dedicated' }, user: {} });
    expect(await dedicated.handler({ token: 'good', as: 'user' }, context)).toMatchObject({ tier: 'dedicated' });
    expect(dedicated.asked).toEqual([{ roleArn: 'arn:TenantAgent-acme', tenantId: 'acme', userId: ann, role: 'own' }]);
  });

  it.each<[string, Parameters<typeof setUp>[0], unknown, string]>([
    ['a bad token', { tenant: {} }, { token: 'bad' }, 'TOKEN_REFUSED'],
    ['no token', { tenant: {} }, {}, 'TOKEN_REFUSED'],
    ['no request', { tenant: {} }, null, 'TOKEN_REFUSED'],
    ['a request that names a tenant itself', { tenant: {} }, { token: 'good', tenantId: 'acme-2' }, 'TOKEN_REFUSED'],
    ['a tenant that does not exist', {}, { token: 'good' }, 'TENANT_UNKNOWN'],
    ['a tenant still being provisioned', { tenant: { status: 'provisioning' } }, { token: 'good' }, 'TENANT_NOT_ACTIVE'],
    ['a tenant whose onboarding failed', { tenant: { status: 'failed' } }, { token: 'good' }, 'TENANT_NOT_ACTIVE'],
    ['a tenant that was offboarded', { tenant: { status: 'offboarded' } }, { token: 'good' }, 'TENANT_OFFBOARDED'],
    ['a user who does not exist, as that user', { tenant: {} }, { token: 'good', as: 'user' }, 'USER_UNKNOWN'],
    [
      'a user who was offboarded, as that user',
      { tenant: {}, user: { status: 'offboarded' } },
      { token: 'good', as: 'user' },
      'USER_UNKNOWN',
    ],
    ['somebody who was revoked and never onboarded', { tenant: {}, buried: `USER#${ann}` }, { token: 'good' }, 'TOKEN_REFUSED'],
    ['a revoked agent, for whoever asks for it', { tenant: {}, buried: 'AGENT#bot' }, { token: 'good', unrevoked: true }, 'TOKEN_REFUSED'],
    ['a user who was offboarded, as the tenant', { tenant: {}, user: { status: 'offboarded' } }, { token: 'good' }, 'USER_UNKNOWN'],
  ])('refuses %s in the same words as everything else, and logs the reason', async (_what, world, input, code) => {
    const { handler, asked, lines } = await setUp(world);
    expect(await handler(input, context)).toEqual(uniform);
    expect(asked).toEqual([]);
    expect(lines).toMatchObject([{ fields: { code } }]);
  });

  it('leaves agents to whoever asks the gate at each use', async () => {
    const { handler } = await setUp({ tenant: {}, buried: 'AGENT#bot' });
    expect(await handler({ token: 'good' }, context)).toMatchObject({ tenantId: 'acme', agentId: 'bot' });
  });

  it('takes none that is older than a second for whoever was refused with theirs, and any for everybody else', async () => {
    const { handler, forgotten } = await setUp({ tenant: {} });
    await handler({ token: 'good' }, context);
    expect(forgotten).toEqual([]);
    expect(await handler({ token: 'good', fresh: true }, context)).toMatchObject({ tenantId: 'acme' });
    expect(forgotten).toEqual([{ id: 'acme', mintedBefore: now - 1000 }]);
  });

  it('forgets nothing for a token that is no good', async () => {
    const { handler, forgotten } = await setUp({ tenant: {} });
    expect(await handler({ token: 'bad', fresh: true }, context)).toEqual(uniform);
    expect(forgotten).toEqual([]);
  });

  it.each([
    ['a dedicated tenant’s', { tenant: { tier: 'dedicated' as const } }, {}],
    ['a user’s', { tenant: {}, user: {} }, { as: 'user' }],
  ])('hands out no session of %s that is younger than a suspension, and so not cut off by it', async (_, world, input) => {
    const whileMinting = { status: 'suspended' as const };
    const { handler, asked } = await setUp({ ...world, whileMinting });
    expect(await handler({ token: 'good', ...input }, context)).toEqual(uniform);
    expect(asked).toHaveLength(1);
    const kept = await setUp({ ...world, whileMinting, issuedAt: now - 60_000 });
    expect(await kept.handler({ token: 'good', ...input }, context), 'an older one is cut off').toMatchObject({ tenantId: 'acme' });
  });

  it('says that it cannot now when it cannot now', async () => {
    const { handler } = await setUp({ tenant: {} });
    expect(await handler({ token: 'down' }, context)).toEqual({
      error: { code: 'UNAVAILABLE', message: 'The session could not be minted now.' },
    });
  });
});

describe('I3 reporting an isolation violation', () => {
  const report = { operation: 'secretsmanager:GetSecretValue', resource: 'cordon/acme/main', code: 'ACCESS_REFUSED' };

  it('publishes it for the tenant that the token names, whatever else the report says', async () => {
    const { handler, announced, asked } = await setUp({ tenant: {} });
    expect(await handler({ token: 'good', report }, context)).toEqual({ reported: true });
    expect(announced).toEqual([
      {
        type: 'IsolationViolationDetected',
        detail: {
          version: 1,
          tenantId: 'acme',
          event: {},
          reason: {
            code: 'ACCESS_REFUSED',
            message: 'IAM refused secretsmanager:GetSecretValue on cordon/acme/main to a session of the tenant',
          },
          left: [],
        },
      },
    ]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['a bad token', { token: 'bad', report }],
    ['a tenant of its own', { token: 'good', report: { ...report, tenantId: 'globex' } }],
    ['an ARN', { token: 'good', report: { ...report, resource: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:x' } }],
    ['free text', { token: 'good', report: { ...report, operation: 'secretsmanager:GetSecretValue\nforged line' } }],
    ['a session besides', { token: 'good', as: 'tenant', report }],
  ])('publishes nothing for a report with %s', async (_what, input) => {
    const { handler, announced } = await setUp({ tenant: {} });
    expect(await handler(input, context)).toEqual(uniform);
    expect(announced).toEqual([]);
  });
});

describe('T6 reporting what a call has named', () => {
  const named = { names: ['openai-backup-abcdefgh'] };
  const told = { type: 'LikelyDecoyNamed', detail: { version: 1, tenantId: 'acme', userId: ann, agentId: 'bot', ...named } };

  it('publishes it for whom the token names, and mints nothing', async () => {
    const { handler, announced, asked } = await setUp({ tenant: {} });
    expect(await handler({ token: 'good', named }, context)).toEqual({ reported: true });
    expect(announced).toEqual([told]);
    expect(asked).toEqual([]);
  });

  it('says so when it cannot be published', async () => {
    const { handler } = await setUp({ tenant: {}, deaf: true });
    expect(await handler({ token: 'good', named }, context)).toMatchObject({ error: { code: 'UNAVAILABLE' } });
  });

  it.each([
    ['a bad token', { token: 'bad', named }],
    ['a tenant of its own', { token: 'good', named: { ...named, tenantId: 'globex' } }],
    ['a session besides', { token: 'good', unrevoked: true, named }],
    ['no names', { token: 'good', named: { names: [] } }],
    ['more than there is room for', { token: 'good', named: { names: Array.from({ length: 2049 }, (_, n) => `name-${n}`) } }],
  ])('publishes nothing for one with %s', async (_what, input) => {
    const { handler, announced } = await setUp({ tenant: {} });
    expect(await handler(input, context)).toEqual(uniform);
    expect(announced).toEqual([]);
  });
});

describe('T4 reporting that a provider throttles', () => {
  const throttled = { provider: 'openai', credentialId: 'main', at: '2026-11-21T12:00:00.250Z' };

  it('publishes it for the tenant that the token names, and mints nothing', async () => {
    const { handler, announced, asked } = await setUp({ tenant: {} });
    expect(await handler({ token: 'good', throttled }, context)).toEqual({ reported: true });
    expect(announced).toEqual([{ type: 'ProviderThrottled', detail: { version: 1, tenantId: 'acme', ...throttled } }]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['a bad token', { token: 'bad', throttled }],
    ['a tenant of its own', { token: 'good', throttled: { ...throttled, tenantId: 'globex' } }],
    ['a provider that there is not', { token: 'good', throttled: { ...throttled, provider: 'openai\nforged line' } }],
    ['a time that is none', { token: 'good', throttled: { ...throttled, at: 'yesterday' } }],
    ['a session besides', { token: 'good', as: 'tenant', throttled }],
  ])('publishes nothing for one with %s', async (_what, input) => {
    const { handler, announced } = await setUp({ tenant: {} });
    expect(await handler(input, context)).toEqual(uniform);
    expect(announced).toEqual([]);
  });
});
