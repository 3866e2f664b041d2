import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProxyCall } from '../../../functions/broker/proxy-event.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId, tenantId } from '../../../functions/shared/identifier-fields.ts';
import { acme, ann, bob, createBrokerWorld, facts, ruleTo, startProvider, type TestProvider } from './broker-world.ts';

const answer = JSON.stringify({ id: 'x', usage: { prompt_tokens: 3, completion_tokens: 5 } });
let provider: TestProvider;
beforeEach(async () => {
  provider = await startProvider((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  });
});
afterEach(() => provider.close());
const start = () => createBrokerWorld({ providerUrl: provider.url });

describe('E2 G2 a use through the broker', () => {
  it('asks the gate, records the intent, injects the credential, passes the answer on and records the outcome', async () => {
    const world = start();
    const client = await world.run();
    expect([client.seen.status, client.text, client.seen.ended]).toEqual([200, answer, true]);
    const [request] = provider.requests;
    expect(request?.headers['authorization']).toBe('Bearer sk-canary-main-0001');
    expect([request?.method, request?.url, request?.body.toString()]).toEqual(['POST', '/v1/chat/completions', '{"model":"m"}']);
    const [intent, outcome] = world.entries;
    expect(intent).toMatchObject({
      kind: 'INTENT',
      tenantId: 'acme',
      actor: { function: 'broker', requestedBy: 'ann', userId: ann, agentId: 'bot', sessionId: 's-1' },
      operation: 'provider.call',
      provider: 'openai',
      credentialId: 'main',
      credentialVersion: 'v1',
      context: { requestId: 'r-1', method: 'POST', path: 'v1/chat/completions', environment: 'production' },
    });
    expect(outcome).toMatchObject({
      kind: 'OUTCOME',
      id: intent?.id,
      outcome: { result: 'succeeded', statusCode: 200, usage: { inputTokens: 3, outputTokens: 5 }, bytes: answer.length },
    });
  });

  it('costs one read and two inserts when warm, and no other call', async () => {
    const world = start();
    await world.run();
    expect(world.calls).toEqual(['sessions', 'rules', 'credentials', 'gate', 'secret', 'INTENT', 'OUTCOME']);
    world.calls.length = 0;
    await world.run();
    expect(world.calls).toEqual(['INTENT', 'gate', 'OUTCOME']);
  });

  it('records what headers say as asserted and never as fact, and sends none of it on', async () => {
    const world = start();
    const headers = {
      'x-cordon-environment': 'production',
      'x-cordon-workflow-run': 'run-7',
      'x-cordon-agent': 'somebody-else',
      'x-amz-tenant-id': 'globex',
      'x-forwarded-for': '10.0.0.1',
      cookie: 'a=b',
      authorization: 'Bearer jwt-of-ann',
      'x-api-key': 'k',
      'api-key': 'k',
      'x-goog-api-key': 'k',
      connection: 'keep-alive, x-private',
      'x-private': 'p',
      'accept-encoding': 'gzip',
      'transfer-encoding': 'chunked',
    };
    await world.run({ headers });
    expect(world.entries[0]).toMatchObject({
      tenantId: 'acme',
      actor: { agentId: 'bot' },
      asserted: { environment: 'production', 'workflow-run': 'run-7', agent: 'somebody-else' },
    });
    const sent = provider.requests[0]?.headers ?? {};
    for (const name of Object.keys(headers)) {
      if (!['authorization', 'accept-encoding', 'connection', 'transfer-encoding'].includes(name)) expect(sent[name], name).toBeUndefined();
    }
    expect([sent['authorization'], sent['accept-encoding'], sent['transfer-encoding']]).toEqual([
      'Bearer sk-canary-main-0001',
      'identity',
      undefined,
    ]);
    expect(JSON.stringify(sent)).not.toContain('jwt-of-ann');
  });

  it('forwards a body byte for byte', async () => {
    const world = start();
    const body = Buffer.from(Array.from({ length: 1024 }, (_, index) => index % 256));
    await world.run({ body });
    expect(provider.requests[0]?.body.equals(body)).toBe(true);
  });

  it('has no key, token or body in any entry or log line', async () => {
    const world = start();
    await world.run({ body: Buffer.from('{"prompt":"canary-prompt"}') });
    world.state.tenant.status = 'offboarded';
    await world.run();
    const written = JSON.stringify([world.entries, world.lines]);
    for (const secret of ['sk-canary', 'jwt-of-ann', 'canary-prompt']) expect(written).not.toContain(secret);
  });

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [404, 'failed'],
    [429, 'failed'],
    [503, 'failed'],
    [201, 'succeeded'],
  ])('passes the provider’s %s on as it is, once, and records it as %s', async (status, result) => {
    await provider.close();
    provider = await startProvider((_request, response) => void response.writeHead(status, { 'retry-after': '7' }).end('no'));
    const world = start();
    const client = await world.run();
    expect([client.seen.status, client.text, client.seen.headers['retry-after']]).toEqual([status, 'no', '7']);
    expect(provider.requests).toHaveLength(1);
    expect(world.entries[1]).toMatchObject({ outcome: { result, statusCode: status } });
  });
});

describe('U4 X2 a call that may not be made reaches no provider', () => {
  type World = ReturnType<typeof createBrokerWorld>;
  const nobody = tenantId.parse('globex');
  const caller =
    (over: Partial<ProxyCall['caller']>) =>
    (world: World): Partial<ProxyCall> => ({ caller: { ...world.callOf().caller, ...over } });
  /** What, status, code, what happens before, what the caller sends, the code on record when the caller is not told it. */
  const refusals: [string, number, string, (world: World) => void, ((world: World) => Partial<ProxyCall>)?, string?][] = [
    [
      'a tenant that is not active',
      401,
      'TOKEN_REFUSED',
      ({ state }) => void Object.assign(state.tenant, { status: 'offboarded', epoch: 1 }),
      undefined,
      'TENANT_NOT_ACTIVE',
    ],
    [
      'a revoked credential',
      401,
      'CREDENTIAL_REVOKED',
      ({ state }) => void state.standing.set('main', { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' }),
    ],
    [
      'a credential still awaited',
      403,
      'CREDENTIAL_NOT_ACTIVE',
      ({ state }) => void state.standing.set('main', { status: 'awaiting', epoch: 0, version: 2, secretVersionId: undefined }),
    ],
    [
      'a credential of a status that is not known',
      403,
      'CREDENTIAL_NOT_ACTIVE',
      ({ state }) => void state.standing.set('main', { status: 'paused', epoch: 0, version: 2, secretVersionId: 'v1' }),
    ],
    ['a credential without an item', 403, 'CREDENTIAL_NOT_ACTIVE', ({ state }) => void state.standing.clear()],
    [
      'an offboarded user',
      401,
      'USER_NOT_ACTIVE',
      ({ state }) => void state.users.set(ann, { status: 'offboarded', epoch: 1, version: 2 }),
    ],
    ['a revoked agent', 401, 'AGENT_REVOKED', ({ state }) => void state.revokedAgents.add('bot')],
    [
      'a revoked agent that gives itself another name in a header',
      401,
      'AGENT_REVOKED',
      ({ state }) => void state.revokedAgents.add('bot'),
      () => ({ headers: { 'x-cordon-agent': 'good-bot', 'x-cordon-agent-id': 'good-bot' } }),
    ],
    ['a revoked session', 401, 'SESSION_REVOKED', ({ state }) => void state.revokedSessions.add('s-1')],
    ['an expired token', 401, 'TOKEN_EXPIRED', () => undefined, (world) => caller({ expiresAt: world.time.now })(world)],
    ['no rule that fits', 404, 'NO_CREDENTIAL', ({ state }) => void Object.assign(state, { rules: [], rulesVersion: 2 })],
    [
      'another environment than there is',
      404,
      'NO_CREDENTIAL',
      () => undefined,
      () => ({ headers: { 'x-cordon-environment': 'staging' } }),
    ],
    ['a provider that nobody knows', 404, 'PROVIDER_UNKNOWN', () => undefined, () => ({ provider: 'constructor' })],
    ['a path that is not open', 403, 'PATH_NOT_ALLOWED', () => undefined, () => ({ path: 'v1/organization/admin_api_keys' })],
    ['a method that is not open', 403, 'PATH_NOT_ALLOWED', () => undefined, () => ({ method: 'DELETE', path: 'v1/models/m' })],
    ['a path with an encoded slash', 403, 'PATH_NOT_ALLOWED', () => undefined, () => ({ path: 'v1/models%2f..%2forganization' })],
    [
      'a data class the credential is not cleared for',
      403,
      'DATA_CLASS_NOT_CLEARED',
      () => undefined,
      () => ({ headers: { 'x-cordon-data-class': 'phi' } }),
    ],
    ['labels that cannot be read', 400, 'CALL_INVALID', () => undefined, () => ({ headers: { 'x-cordon-labels': 'tier' } })],
    ['a caller of another tenant than the environment’s', 403, 'TENANT_MISMATCH', () => undefined, caller({ tenantId: nobody })],
  ];

  const atTheGate = new Set([
    'TENANT_NOT_ACTIVE',
    'USER_NOT_ACTIVE',
    'AGENT_REVOKED',
    'SESSION_REVOKED',
    'CREDENTIAL_REVOKED',
    'CREDENTIAL_NOT_ACTIVE',
    'PATH_NOT_ALLOWED',
  ]);

  it.each(refusals)('refuses %s, cold and warm', async (_what, status, code, change, over, reason) => {
    for (const warm of [false, true]) {
      const world = start();
      if (warm) await world.run();
      const [requests, entries] = [provider.requests.length, world.entries.length];
      change(world);
      const client = await world.run(over?.(world));
      expect([client.seen.status, client.error]).toEqual([status, { code, message: expect.any(String), requestId: 'r-1' }]);
      expect(client.seen.ended).toBe(true);
      expect(provider.requests.length, warm ? 'warm' : 'cold').toBe(requests);
      const recorded = world.entries.slice(entries).map((entry) => (entry.kind === 'OUTCOME' ? entry.outcome : entry.kind));
      // A call without a credential is no use of one.
      if (recorded.length > 0 || atTheGate.has(code)) expect(recorded).toEqual(['INTENT', { result: 'refused', code: reason ?? code }]);
    }
  });

  it.each(['sessions', 'rules', 'credentials', 'gate', 'secret', 'INTENT'])(
    'refuses when %s is not available, and makes the next call again',
    async (port) => {
      const world = start();
      const fail = (name: string): void => {
        if (name === port) throw new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
      };
      world.hooks.push(fail);
      const client = await world.run();
      expect(client.seen.status).toBeGreaterThanOrEqual(500);
      expect(provider.requests).toHaveLength(0);
      world.hooks.length = 0;
      expect((await world.run()).seen.status).toBe(200);
    },
  );

  it('sends nothing where egress is not allowed, and records that', async () => {
    const world = createBrokerWorld({ providerUrl: provider.url, allowLoopback: false });
    const client = await world.run();
    expect([client.seen.status, client.error.code]).toEqual([403, 'EGRESS_REFUSED']);
    expect(provider.requests).toHaveLength(0);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'refused', code: 'EGRESS_REFUSED' } });
  });

  it('says nothing of an error that it does not know', async () => {
    const world = start();
    world.hooks.push(() => {
      throw new Error('arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/globex/main');
    });
    const client = await world.run();
    expect([client.seen.status, client.error]).toEqual([
      500,
      { code: 'INTERNAL', message: 'The call could not be made.', requestId: 'r-1' },
    ]);
  });

  it.each([
    ['environment', { environmentTenantId: 'globex' }],
    ['environment, which names none', { environmentTenantId: undefined }],
  ])('opens no session when the tenant of the %s is another one', async (_what, context) => {
    const world = start();
    const client = await world.run({}, context);
    expect([client.seen.status, client.error.code]).toEqual([403, 'TENANT_MISMATCH']);
    expect(world.calls).toEqual([]);
  });

  it('uses no session of another tenant than the caller’s', async () => {
    const world = start();
    world.session.tenantId = nobody;
    expect((await world.run()).error.code).toBe('TENANT_MISMATCH');
    expect(world.calls).toEqual(['sessions']);
  });
});

describe('I3 what IAM refuses', () => {
  it('is answered 403 without detail, recorded as refused, and reported', async () => {
    const world = start();
    const { IsolationViolation } = await import('../../../functions/broker/unavailable.ts');
    const asked = { operation: 'secretsmanager:GetSecretValue', resource: 'cordon/acme/main' };
    world.hooks.push((port) => {
      if (port === 'secret') throw new IsolationViolation(asked, new CordonError('ACCESS_REFUSED', 'reading a secret was refused by IAM'));
    });
    const client = await world.run();
    expect([client.seen.status, client.error]).toEqual([
      403,
      { code: 'ACCESS_REFUSED', message: 'The call was refused.', requestId: 'r-1' },
    ]);
    expect(world.entries).toMatchObject([
      { kind: 'INTENT', credentialId: 'main' },
      { kind: 'OUTCOME', outcome: { result: 'refused', code: 'ACCESS_REFUSED' } },
    ]);
    expect(world.violations).toEqual([{ ...asked, code: 'ACCESS_REFUSED' }]);
    expect(provider.requests).toHaveLength(0);
  });
});

describe('P6 what a call could not record or tell, and nothing tells again,', () => {
  const refusal = new CordonError('ACCESS_REFUSED', 'refused by IAM');
  const down = new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
  it.each([
    ['an outcome could not be recorded', 'OUTCOME', false],
    ['a refusal could not be attributed', 'INTENT', true],
    ['an isolation violation could not be reported', 'report', true],
    ['what a call has named could not be told', 'named', false],
  ])('is a line that an alarm counts: %s', async (message, failing, refused) => {
    const world = start();
    const { IsolationViolation } = await import('../../../functions/broker/unavailable.ts');
    world.hooks.push((port) => {
      if (port === failing) throw down;
      if (refused && port === 'secret')
        throw new IsolationViolation({ operation: 'secretsmanager:GetSecretValue', resource: 'x' }, refusal);
    });
    await world.run({
      headers: { ...world.callOf().headers, ...(failing === 'named' && { 'x-cordon-use-case': 'openai-backup-abcdefgh' }) },
    });
    expect(world.lines.filter(({ level }) => level === 'error')).toContainEqual(
      expect.objectContaining({ message, fields: expect.objectContaining({ lost: true }) }),
    );
  });
});

describe('U4 G1 whose credential', () => {
  const own = credentialId.parse('anns');
  const withOwn = () => {
    const world = start();
    world.keys.set('anns/v1', 'sk-canary-anns-0001');
    world.state.credentials.push(facts({ credentialId: own, userId: ann }));
    world.state.standing.set(own, { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' });
    world.state.users.set(ann, { status: 'active', epoch: 0, version: 1 });
    return world;
  };

  it('is the caller’s own before the tenant’s, read in a session of that user', async () => {
    const world = withOwn();
    await world.run();
    expect(provider.requests[0]?.headers['authorization']).toBe('Bearer sk-canary-anns-0001');
    expect(world.calls).toContain(`as ${ann}`);
    expect(world.calls).not.toContain('secret');
  });

  it('is the caller’s own from the first call after it was given, also where the tenant’s was used before', async () => {
    const world = start();
    world.state.users.set(ann, { status: 'active', epoch: 0, version: 1 });
    await world.run();
    world.keys.set('anns/v1', 'sk-canary-anns-0001');
    world.state.credentials.push(facts({ credentialId: own, userId: ann }));
    world.state.standing.set(own, { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' });
    world.state.users.set(ann, { status: 'active', epoch: 0, version: 2 });
    await world.run();
    expect(provider.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer sk-canary-main-0001',
      'Bearer sk-canary-anns-0001',
    ]);
  });

  it('is never another user’s', async () => {
    const world = withOwn();
    await world.run({ caller: { ...world.callOf().caller, userId: bob } });
    expect(provider.requests[0]?.headers['authorization']).toBe('Bearer sk-canary-main-0001');
  });

  it('is refused when the caller’s own was revoked: the tenant’s does not take its place', async () => {
    const world = withOwn();
    world.state.standing.set(own, { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' });
    expect((await world.run()).error.code).toBe('CREDENTIAL_REVOKED');
    expect(provider.requests).toHaveLength(0);
  });

  it('is refused to a user without an item when it is a user’s own', async () => {
    const world = withOwn();
    world.state.users.clear();
    expect((await world.run()).error.code).toBe('USER_NOT_ACTIVE');
  });

  it('is the one of the new rules at the first call after they changed, for one more read', async () => {
    const world = start();
    const second = credentialId.parse('second');
    world.keys.set('second/v1', 'sk-canary-second-0001');
    world.state.credentials.push(facts({ credentialId: second }));
    world.state.standing.set(second, { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' });
    await world.run();
    world.state.rules = [ruleTo('second')];
    world.state.rulesVersion = 2;
    world.state.standing.set('main', { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' });
    world.calls.length = 0;
    expect((await world.run()).seen.status).toBe(200);
    expect(provider.requests[1]?.headers['authorization']).toBe('Bearer sk-canary-second-0001');
    // The intent that was recorded meanwhile named the other one: it is closed.
    expect(world.calls).toEqual(['INTENT', 'gate', 'rules', 'gate', 'secret', 'INTENT', 'OUTCOME', 'OUTCOME']);
    expect(world.entries.slice(2).map(({ credentialId }) => credentialId)).toEqual(['main', 'second', 'main', 'second']);
    expect(world.entries[4]).toMatchObject({ outcome: { result: 'refused', code: 'CREDENTIAL_CHANGED' } });
  });

  it('costs one more read when the new rules lead to the same one', async () => {
    const world = start();
    await world.run();
    world.state.rulesVersion = 2;
    world.calls.length = 0;
    await world.run();
    expect(world.calls).toEqual(['INTENT', 'gate', 'rules', 'OUTCOME']);
  });

  it('is found at once when it was added after the rules were read', async () => {
    const world = start();
    await world.run();
    const staging = credentialId.parse('staging');
    world.keys.set('staging/v1', 'sk-canary-staging-0001');
    world.state.credentials.push(facts({ credentialId: staging, environment: 'staging' }));
    world.state.standing.set(staging, { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' });
    world.state.rules.push(ruleTo('staging', { environment: 'staging' }));
    expect((await world.run({ headers: { 'x-cordon-environment': 'staging' } })).seen.status).toBe(200);
    expect(provider.requests[1]?.headers['authorization']).toBe('Bearer sk-canary-staging-0001');
  });

  it('is another version of it as soon as the registry names one', async () => {
    const world = start();
    await world.run();
    world.state.standing.set('main', { status: 'active', epoch: 0, version: 2, secretVersionId: 'v2' });
    await world.run();
    expect(provider.requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer sk-canary-main-0001',
      'Bearer sk-canary-main-0002',
    ]);
    const versions = world.entries.map((entry) => `${entry.credentialVersion} ${entry.kind === 'OUTCOME' ? entry.outcome.result : ''}`);
    expect(versions).toEqual(['v1 ', 'v1 succeeded', 'v1 ', 'v2 ', 'v1 refused', 'v2 succeeded']);
  });
});

describe('the environment’s session', () => {
  it('serves every user of the tenant until two minutes before its end', async () => {
    const world = start();
    await world.run();
    world.time.now += 779_000;
    await world.run({ caller: { ...world.callOf().caller, userId: bob } });
    expect(world.calls.filter((name) => name === 'sessions')).toHaveLength(1);
    world.time.now += 2_000;
    await world.run();
    expect(world.calls.filter((name) => name === 'sessions')).toHaveLength(2);
  });

  it('never becomes another tenant’s, not even for a call that all others take for that tenant’s', async () => {
    const world = start();
    await world.run();
    const globex = tenantId.parse('globex');
    world.session.tenantId = globex;
    const caller = { ...world.callOf().caller, tenantId: globex };
    expect((await world.run({ caller }, { environmentTenantId: globex })).error.code).toBe('TENANT_MISMATCH');
    expect((await world.run()).seen.status).toBe(200);
    expect(world.entries.every((entry) => entry.tenantId === acme)).toBe(true);
  });
});
