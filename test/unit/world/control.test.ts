import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Control, type ControlledCloud, startControl } from '../../../local/control.ts';
import { createClock } from '../../../local/core/clock.ts';
import { createFaultTable } from '../../../local/core/faults.ts';
import { createJournal } from '../../../local/core/journal.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

let world: World;
let control: Control;
let cloud: ControlledCloud;
let resets = 0;
let isIdle = true;

beforeEach(async () => {
  const clock = createClock();
  const faults = createFaultTable();
  world = await startWorld({ clock, takeFault: (service, action) => faults.match(service, action) });
  cloud = {
    addAccount(accountId = '200000000001') {
      if (accountId === '444455556666') throw new RangeError('The account 444455556666 exists already.');
      return { accountId, accessKeyId: 'AKIA', secretAccessKey: 'secret' };
    },
    clock,
    customers: [],
    endpoint: 'http://127.0.0.1:4566',
    faults,
    functionCredentials: () => Promise.resolve({}),
    idle: () => Promise.resolve(isIdle),
    journal: createJournal(),
    oidc: world.oidc,
    operator: { accessKeyId: 'AKIAOPERATOR', secretAccessKey: 'secret' },
    providers: world.providers,
    world,
  };
  resets = 0;
  isIdle = true;
  control = await startControl({
    cloud: () => cloud,
    reset: () => {
      resets += 1;
      return Promise.resolve();
    },
  });
});
afterEach(async () => {
  await control.close();
  await world.close();
});

async function ask(method: string, path: string, body?: unknown, token = control.token): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${control.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

describe('the control endpoint', () => {
  it('answers nobody without its token', async () => {
    expect(await ask('GET', '/calls', undefined, 'wrong')).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHORIZED' } } });
    expect((await fetch(`${control.url}/calls`)).status).toBe(401);
    expect((await ask('GET', '/calls')).status).toBe(200);
  });

  it('answers 404 for what it does not serve and names what it does', async () => {
    expect(await ask('GET', '/secrets')).toMatchObject({
      status: 404,
      json: { error: { code: 'NOT_FOUND', message: expect.stringContaining('POST /tokens') } },
    });
  });

  it('mints tokens', async () => {
    const { json } = await ask('POST', '/tokens', { tenantId: 'acme', userId: 'ana', claims: { extra: 1 } });
    const { jwt } = z.strictObject({ jwt: z.string() }).parse(json);
    expect(decodeJwt(jwt)).toMatchObject({ iss: world.oidc.issuer, tenant_id: 'acme', sub: 'ana', extra: 1 });
  });

  it('says what is wrong with a body', async () => {
    expect(await ask('POST', '/tokens', { tenant: 'acme' })).toMatchObject({
      status: 400,
      json: { error: { message: expect.stringContaining('tenantId') } },
    });
    expect(await ask('POST', '/clock', { advanceMs: -1 })).toMatchObject({ status: 400, json: { error: { code: 'INVALID_REQUEST' } } });
    expect(await ask('POST', '/clock', '{')).toMatchObject({ status: 400, json: { error: { code: 'INVALID_REQUEST' } } });
    expect((await ask('GET', '/calls?since=x')).status).toBe(400);
  });

  it('moves the clock', async () => {
    const before = cloud.clock.now();
    await ask('POST', '/clock', { advanceMs: 3_600_000 });
    expect(cloud.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
  });

  it('sets faults, which hit, and removes them', async () => {
    const fault = { service: 'openai', action: 'GET /organization/projects', nth: 1, mode: 'before', status: 429 };
    expect(await ask('POST', '/faults', fault)).toEqual({ status: 201, json: fault });
    const projects = `${world.openAiBaseUrl}/organization/projects`;
    const headers = { authorization: `Bearer ${world.openai.adminKey}` };
    expect((await fetch(projects, { headers })).status).toBe(429);
    expect((await fetch(projects, { headers })).status).toBe(200);
    await ask('POST', '/faults', fault);
    expect(await ask('DELETE', '/faults', { service: 'openai' })).toEqual({ status: 200, json: { removed: 1 } });
    await ask('POST', '/faults', fault);
    expect(await ask('DELETE', '/faults')).toEqual({ status: 200, json: { removed: 1 } });
  });

  it('takes a code for faults of AWS services, and refuses one where it would mean nothing', async () => {
    const throttled = { service: 'sts', action: 'AssumeRole', nth: 1, mode: 'before', code: 'ThrottlingException', status: 400 };
    expect(await ask('POST', '/faults', throttled)).toEqual({ status: 201, json: throttled });
    expect(cloud.faults.match('sts', 'AssumeRole')).toEqual(throttled);
    for (const wrong of [
      { ...throttled, mode: 'after' },
      { ...throttled, mode: 'delay', code: undefined },
      { ...throttled, service: 'openai' },
      { ...throttled, code: '<Code>' },
      { ...throttled, status: 200 },
    ])
      expect(await ask('POST', '/faults', wrong), JSON.stringify(wrong)).toMatchObject({ status: 400 });
    expect(await ask('POST', '/faults', { ...throttled, service: 'openai', code: undefined })).toMatchObject({ status: 201 });
    await ask('DELETE', '/faults');
  });

  it('issues keys of any provider and shows them by their fingerprints', async () => {
    const { json, status } = await ask('POST', '/providers/anthropic/keys');
    const { apiKey } = z.strictObject({ apiKey: z.string().startsWith('sk-ant-') }).parse(json);
    expect(status).toBe(201);
    const models = `${world.providers['anthropic']?.baseUrl}/v1/models`;
    expect((await fetch(models, { headers: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' } })).status).toBe(200);
    const keys = await ask('GET', '/providers/anthropic/keys');
    expect(keys.json).toMatchObject([{ kind: 'key', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    const requests = await ask('GET', '/providers/anthropic/requests');
    expect(requests.json).toMatchObject([{ path: '/anthropic/v1/models', status: 200 }]);
    expect(JSON.stringify([keys, requests])).not.toContain(apiKey);
    expect(await ask('GET', '/providers/nobody/keys')).toMatchObject({
      status: 404,
      json: { error: { message: expect.stringContaining('anthropic') } },
    });
    expect((await ask('GET', '/providers/constructor/keys')).status).toBe(404);
  });

  it('makes a named key and a resource at a provider, and says which keys are alive', async () => {
    await ask('POST', '/providers/anthropic/keys', { name: 'acme.main.1' });
    await ask('POST', '/providers/azure-openai/accounts', { name: 'cordon-acme' });
    const live = async (provider: string) => (await ask('GET', `/providers/${provider}/live`)).json;
    expect(await live('anthropic')).toMatchObject([{ name: 'acme.main.1', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(await live('azure-openai')).toMatchObject([{ name: 'cordon-acme/Key1' }, { name: 'cordon-acme/Key2' }]);
    expect(await ask('POST', '/providers/openai/accounts', { name: 'cordon-acme' })).toMatchObject({
      status: 400,
      json: { error: { code: 'INVALID_REQUEST', message: 'There is nothing to make at openai.' } },
    });
    expect((await ask('POST', '/providers/azure-openai/accounts', {})).status).toBe(400);
  });

  it('makes a provider misbehave, and well again', async () => {
    const how = { redirectTo: 'http://169.254.169.254/' };
    expect(await ask('POST', '/providers/openai/misbehaviour', how)).toEqual({ status: 200, json: how });
    const use = async (): Promise<number> => (await fetch(`${world.openAiBaseUrl}/models`, { redirect: 'manual' })).status;
    expect(await use()).toBe(302);
    await ask('DELETE', '/providers/openai/misbehaviour');
    expect(await use()).toBe(401);
    expect(await ask('POST', '/providers/openai/misbehaviour', { explode: true })).toMatchObject({
      status: 400,
      json: { error: { code: 'INVALID_REQUEST' } },
    });
  });

  it('refuses a fault that could not be acted on', async () => {
    expect((await ask('POST', '/faults', { service: 'sts', action: 'AssumeRole', nth: 1, mode: 'delay', status: 429 })).status).toBe(400);
    expect((await ask('POST', '/faults', { service: 'openai', action: 'GET /models', nth: 1, mode: 'crash' })).status).toBe(400);
    expect((await ask('POST', '/faults', { service: 'sts', action: 'AssumeRole', nth: 0, mode: 'before' })).status).toBe(400);
  });

  it('shows the calls after a number', async () => {
    for (const action of ['sts:AssumeRole', 'kms:Decrypt']) {
      cloud.journal.record({
        at: '2026-11-21T00:00:00.000Z',
        principal: 'arn:aws:iam::111122223333:user/operator',
        tags: {},
        action,
        resource: '*',
        decision: 'deny',
        statement: 'OperatorAccess/DenySecretsAndKeys',
        requestId: 'r',
        service: 's',
        operation: 'o',
      });
    }
    expect((await ask('GET', '/calls?since=1')).json).toEqual([
      expect.objectContaining({ seq: 2, action: 'kms:Decrypt', decision: 'deny', statement: 'OperatorAccess/DenySecretsAndKeys' }),
    ]);
  });

  it("shows a provider's keys and requests without any secret", async () => {
    const { organization } = world.openai;
    const project = organization.createProject('acme');
    const { secret } = organization.createKey(organization.createServiceAccount(project.id, 'cordon'), { name: 'k', origin: 'additional' });
    await fetch(`${world.openAiBaseUrl}/models`, { headers: { authorization: `Bearer ${secret}` } });
    const keys = await ask('GET', '/providers/openai/keys');
    const requests = await ask('GET', '/providers/openai/requests');
    expect(keys.json).toEqual([
      expect.objectContaining({ name: 'k', projectName: 'acme', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }),
    ]);
    expect(requests.json).toEqual([expect.objectContaining({ method: 'GET', path: '/openai/v1/models', status: 200 })]);
    expect(JSON.stringify([keys, requests])).not.toContain(secret);
  });

  it('waits until the cloud is idle, and says so when it is not', async () => {
    expect(await ask('POST', '/idle', { timeoutMs: 1000 })).toEqual({ status: 200, json: { idle: true } });
    isIdle = false;
    expect(await ask('POST', '/idle', { timeoutMs: 1 })).toMatchObject({ status: 504, json: { error: { code: 'NOT_IDLE' } } });
  });

  it('makes accounts and refuses one that exists', async () => {
    expect(await ask('POST', '/accounts')).toMatchObject({ status: 201, json: { accountId: '200000000001' } });
    expect(await ask('POST', '/accounts', { accountId: '444455556666' })).toMatchObject({
      status: 409,
      json: { error: { code: 'ACCOUNT_EXISTS' } },
    });
    expect((await ask('POST', '/accounts', { accountId: '12' })).status).toBe(400);
  });

  it('resets and answers the new credentials', async () => {
    expect(await ask('POST', '/reset')).toMatchObject({ status: 200, json: { principals: { operator: { accessKeyId: 'AKIAOPERATOR' } } } });
    expect(resets).toBe(1);
  });
});
