import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createClock } from '../../../local/core/clock.ts';
import type { ProviderFault } from '../../../local/world/simulator.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

const faults = new Map<string, ProviderFault>();
const clock = createClock();
let world: World;

beforeEach(async () => {
  faults.clear();
  const takeFault = (service: string, action: string): ProviderFault | undefined => {
    const fault = faults.get(`${service} ${action}`);
    faults.delete(`${service} ${action}`);
    return fault;
  };
  world = await startWorld({ clock, takeFault });
});
afterEach(() => world.close());

/** The fields of the provider's answers that these tests read; the others stay as they are. */
const answerBody = z.looseObject({
  id: z.string().default(''),
  value: z.string().default(''),
  api_key: z.looseObject({ value: z.string() }).nullish(),
  data: z.array(z.looseObject({ name: z.string().optional() })).default([]),
  has_more: z.boolean().optional(),
  last_id: z.string().nullish(),
  usage: z.looseObject({}).optional(),
  choices: z.array(z.looseObject({ message: z.looseObject({ role: z.string() }).optional() })).default([]),
  error: z.looseObject({ code: z.string().nullable() }).optional(),
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: z.infer<typeof answerBody>;
}

async function call(method: string, path: string, options: { key?: string; body?: unknown } = {}): Promise<Answer> {
  const key = options.key ?? world.openai.adminKey;
  const response = await fetch(`${world.openAiBaseUrl}${path}`, {
    method,
    headers: key === '' ? {} : { authorization: `Bearer ${key}` },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  return { status: response.status, headers: response.headers, json: answerBody.parse(await response.json()) };
}

async function makeKey(name = 'first'): Promise<{ projectId: string; accountId: string; keyId: string; secret: string }> {
  const project = await call('POST', '/organization/projects', { body: { name: 'acme' } });
  const account = await call('POST', `/organization/projects/${project.json.id}/service_accounts`, {
    body: { name: 'cordon', create_service_account_only: true },
  });
  const key = await call('POST', `/organization/projects/${project.json.id}/service_accounts/${account.json.id}/api_keys`, {
    body: { name },
  });
  return { projectId: project.json.id, accountId: account.json.id, keyId: key.json.id, secret: key.json.value };
}

describe('the OpenAI simulator, administration', () => {
  it('makes a service account without a key when asked, and with one otherwise', async () => {
    const project = await call('POST', '/organization/projects', { body: { name: 'acme' } });
    const path = `/organization/projects/${project.json.id}/service_accounts`;
    expect((await call('POST', path, { body: { name: 'a', create_service_account_only: true } })).json.api_key).toBeNull();
    expect((await call('POST', path, { body: { name: 'b' } })).json.api_key?.value).toMatch(/^sk-svcacct-/);
  });

  it('shows the secret once: neither the list nor the record of keys holds it', async () => {
    const { projectId, secret } = await makeKey();
    const list = await call('GET', `/organization/projects/${projectId}/api_keys?owner_project_access=any`);
    expect(list.json.data).toHaveLength(1);
    expect(list.json.data[0]).toMatchObject({ object: 'organization.project.api_key', name: 'first', owner: { type: 'service_account' } });
    expect(JSON.stringify([list.json, world.openai.keys(), world.openai.requests()])).not.toContain(secret);
    expect(world.openai.plantedSecrets()).toContain(secret);
  });

  it('leaves keys made one by one out of a list that does not ask for any project access', async () => {
    const { projectId } = await makeKey();
    expect((await call('GET', `/organization/projects/${projectId}/api_keys`)).json.data).toEqual([]);
  });

  it('pages by limit and after', async () => {
    for (const name of ['one', 'two', 'three']) await call('POST', '/organization/projects', { body: { name } });
    const first = await call('GET', '/organization/projects?limit=2');
    expect(first.json.data.map((project) => project.name)).toEqual(['one', 'two']);
    expect(first.json.has_more).toBe(true);
    const second = await call('GET', `/organization/projects?limit=2&after=${first.json.last_id}`);
    expect(second.json.data.map((project) => project.name)).toEqual(['three']);
    expect(second.json.has_more).toBe(false);
  });

  it('refuses a limit outside 1 to 100 and an unknown cursor', async () => {
    expect((await call('GET', '/organization/projects?limit=101')).status).toBe(400);
    expect((await call('GET', '/organization/projects?after=proj_none')).status).toBe(400);
  });

  it('ends the keys of a service account that is deleted and of a project that is archived', async () => {
    const first = await makeKey();
    await call('DELETE', `/organization/projects/${first.projectId}/service_accounts/${first.accountId}`);
    expect((await call('GET', '/models', { key: first.secret })).status).toBe(401);
    const second = await makeKey();
    await call('POST', `/organization/projects/${second.projectId}/archive`);
    expect((await call('GET', '/models', { key: second.secret })).status).toBe(401);
  });

  it('refuses a project key with 403, no key and a wrong key with 401', async () => {
    const { secret } = await makeKey();
    expect((await call('GET', '/organization/projects', { key: secret })).status).toBe(403);
    expect((await call('GET', '/organization/projects', { key: '' })).status).toBe(401);
    const wrong = await call('GET', '/organization/projects', { key: 'sk-admin-wrong' });
    expect(wrong).toMatchObject({ status: 401, json: { error: { code: 'invalid_api_key', type: 'invalid_request_error' } } });
  });

  it('limits keys and requests when told to', async () => {
    const { projectId, accountId } = await makeKey();
    world.misbehave('openai', { maxKeys: 1 });
    const path = `/organization/projects/${projectId}/service_accounts`;
    for (const [to, body] of [
      [`${path}/${accountId}/api_keys`, { name: 'second' }],
      [path, { name: 'with key' }],
    ] as const)
      expect(await call('POST', to, { body })).toMatchObject({ status: 400, json: { error: { code: 'api_key_limit_reached' } } });
    expect((await call('POST', path, { body: { name: 'without', create_service_account_only: true } })).status).toBe(200);
    expect(world.openai.liveKeys()).toHaveLength(1);
    world.misbehave('openai', { adminPerMinute: 1 });
    // What was asked before counts as well.
    clock.advance(60_000);
    expect((await call('GET', '/organization/projects')).status).toBe(200);
    const refused = await call('GET', '/organization/projects');
    expect(refused).toMatchObject({ status: 429, json: { error: { code: 'rate_limit_exceeded' } } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    clock.advance(60_000);
    expect((await call('GET', '/organization/projects')).status).toBe(200);
  });

  it('answers 404 for an account of another project', async () => {
    const one = await makeKey();
    const other = await makeKey();
    expect((await call('DELETE', `/organization/projects/${other.projectId}/api_keys/${one.keyId}`)).status).toBe(404);
    expect((await call('GET', '/models', { key: one.secret })).status).toBe(200);
  });
});

describe('the OpenAI simulator, keys in use', () => {
  it('accepts a deleted key until the deletion delay has passed', async () => {
    world.openai.settings.deletionDelayMs = 60_000;
    const { projectId, keyId, secret } = await makeKey();
    const deleted = await call('DELETE', `/organization/projects/${projectId}/api_keys/${keyId}`);
    expect(deleted.json).toMatchObject({ object: 'organization.project.api_key.deleted', id: keyId, deleted: true });
    expect((await call('GET', '/models', { key: secret })).status).toBe(200);
    clock.advance(60_000);
    expect((await call('GET', '/models', { key: secret })).json.error?.code).toBe('invalid_api_key');
  });

  it('accepts it as long as the misbehaviour says, and counts it as live as long', async () => {
    world.misbehave('openai', { deletionDelayMs: 30_000 });
    const { projectId, keyId, secret } = await makeKey('acme.main.1');
    await makeKey('other.main.1');
    await call('DELETE', `/organization/projects/${projectId}/api_keys/${keyId}`);
    expect((await call('GET', '/models', { key: secret })).status).toBe(200);
    expect(world.openai.liveKeys('acme.')).toEqual([{ name: 'acme.main.1', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    clock.advance(30_000);
    expect((await call('GET', '/models', { key: secret })).status).toBe(401);
    expect(world.openai.liveKeys()).toMatchObject([{ name: 'other.main.1' }]);
  });

  it('refuses a key that has expired', async () => {
    const { projectId, accountId } = await makeKey();
    const key = await call('POST', `/organization/projects/${projectId}/service_accounts/${accountId}/api_keys`, {
      body: { name: 'short', expires_in_seconds: 60 },
    });
    expect((await call('GET', '/models', { key: key.json.value })).status).toBe(200);
    clock.advance(60_000);
    expect((await call('GET', '/models', { key: key.json.value })).status).toBe(401);
  });

  it('says 403, not 401, when only a scope is missing', async () => {
    const { projectId, accountId } = await makeKey();
    const body = { name: 'narrow', scopes: ['model.request'] };
    const key = await call('POST', `/organization/projects/${projectId}/service_accounts/${accountId}/api_keys`, { body });
    expect((await call('GET', '/models', { key: key.json.value })).status).toBe(403);
  });

  it('answers a chat completion with usage', async () => {
    const { secret } = await makeKey();
    const answer = await call('POST', '/chat/completions', {
      key: secret,
      body: { model: 'gpt-5', messages: [{ role: 'user', content: 'one two three' }] },
    });
    expect(answer.json.usage).toEqual({ prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 });
    expect(answer.json.choices[0]?.message?.role).toBe('assistant');
  });

  it('streams a chat completion and puts usage last when asked', async () => {
    const { secret } = await makeKey();
    const response = await fetch(`${world.openAiBaseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({
        model: 'gpt-5',
        messages: [{ role: 'user', content: 'hello' }],
        stream: true,
        stream_options: { include_usage: true },
      }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const lines = (await response.text()).split('\n\n').filter((line) => line !== '');
    expect(lines.at(-1)).toBe('data: [DONE]');
    const usage = JSON.parse((lines.at(-2) ?? '').slice('data: '.length));
    expect(usage).toMatchObject({ choices: [], usage: { prompt_tokens: 1 } });
  });

  it('names an unknown model', async () => {
    const { secret } = await makeKey();
    const answer = await call('POST', '/chat/completions', {
      key: secret,
      body: { model: 'none', messages: [{ role: 'user', content: 'x' }] },
    });
    expect(answer).toMatchObject({ status: 404, json: { error: { code: 'model_not_found' } } });
  });
});

describe('the OpenAI simulator, faults', () => {
  it('does the work and loses the answer', async () => {
    faults.set('openai POST /organization/projects', { mode: 'after' });
    await expect(call('POST', '/organization/projects', { body: { name: 'lost' } })).rejects.toThrow();
    const projects = await call('GET', '/organization/projects');
    expect(projects.json.data.map((project) => project.name)).toEqual(['lost']);
    expect(world.openai.requests()[0]).toMatchObject({
      method: 'POST',
      path: '/openai/v1/organization/projects',
      status: 200,
      answerLost: true,
    });
  });

  it('fails before the work with 500, or with the status asked for', async () => {
    faults.set('openai POST /organization/projects', { mode: 'before' });
    expect((await call('POST', '/organization/projects', { body: { name: 'x' } })).status).toBe(500);
    faults.set('openai POST /organization/projects', { mode: 'before', status: 429 });
    const limited = await call('POST', '/organization/projects', { body: { name: 'x' } });
    expect(limited).toMatchObject({ status: 429, json: { error: { code: 'rate_limit_exceeded' } } });
    expect(limited.headers.get('retry-after')).toBe('1');
    expect((await call('GET', '/organization/projects')).json.data).toEqual([]);
  });

  it('addresses a path with its IDs left open, and can do the work twice', async () => {
    const { projectId, accountId } = await makeKey();
    faults.set('openai POST /organization/projects/{id}/service_accounts/{id}/api_keys', { mode: 'duplicate' });
    await call('POST', `/organization/projects/${projectId}/service_accounts/${accountId}/api_keys`, { body: { name: 'twice' } });
    expect(world.openai.keys().filter((key) => key.name === 'twice')).toHaveLength(2);
  });

  it('answers 400 for a body that is not JSON, and records it', async () => {
    const response = await fetch(`${world.openAiBaseUrl}/organization/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.openai.adminKey}` },
      body: '{',
    });
    expect(response.status).toBe(400);
    expect(world.openai.requests().at(-1)?.status).toBe(400);
  });
});
