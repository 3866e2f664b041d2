import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialSettings } from '../../../functions/providers/egress-adapter.ts';
import type { EgressAnswer, EgressCall } from '../../../functions/providers/egress-request.ts';
import { type ProviderName, providerName } from '../../../functions/providers/provider-name.ts';
import { createValidateKey } from '../../../functions/providers/validate-key.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { createClock } from '../../../local/core/clock.ts';
import type { ProviderFault } from '../../../local/world/simulator.ts';
import { startWorld, type World } from '../../../local/world/world.ts';

const settings: Readonly<Partial<Record<ProviderName, CredentialSettings>>> = {
  'azure-openai': { resource: 'acme-prod' },
  bedrock: { region: 'us-east-1' },
  vertex: { project: 'acme-123456', location: 'europe-west4' },
  'self-hosted': { host: 'llm.acme.com' },
};

/** A database is asked by connecting, and an AWS account is connected by a role. */
const keyless: readonly ProviderName[] = ['postgres', 'aws'];
const keyed = providerName.options.filter((name) => !keyless.includes(name));

let world: World;
let fault: ProviderFault | undefined;
beforeEach(async () => {
  fault = undefined;
  world = await startWorld({ clock: createClock(), takeFault: () => fault });
});
afterEach(() => world.close());

function validate(provider: ProviderName, key: string): Promise<string> {
  const baseUrls = Object.fromEntries(Object.entries(world.providers).map(([name, { baseUrl }]) => [name, baseUrl]));
  return createValidateKey({ baseUrls, allowLoopback: true })(provider, settings[provider] ?? {}, new SecretText(key));
}

/** A provider whose answers are these, one after the other. */
function answering(...answers: readonly EgressAnswer[]) {
  const calls: EgressCall[] = [];
  const validateKey = createValidateKey({
    baseUrls: {},
    allowLoopback: false,
    send: async (call) => {
      calls.push(call);
      return answers[Math.min(calls.length, answers.length) - 1] ?? { status: 500, json: undefined };
    },
  });
  return { calls, ask: (provider: ProviderName) => validateKey(provider, settings[provider] ?? {}, new SecretText('key-canary')) };
}

describe('B4 validation of a key', () => {
  it.each(keyed)('tells a good key from a bad and a revoked one at %s', async (provider) => {
    const key = world.issueKey(provider);
    expect(await validate(provider, key)).toBe('valid');
    expect(await validate(provider, `${key}x`)).toBe('refused');
    world.simulators[provider]?.revokeKey(key);
    expect(await validate(provider, key)).toBe('refused');
  });

  it.each(keyed)('leaves it open when %s is in trouble', async (provider) => {
    const key = world.issueKey(provider);
    fault = { mode: 'before', status: 503 };
    await expect(validate(provider, key)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
    fault = { mode: 'after' };
    await expect(validate(provider, key)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE', retryable: true });
  });

  it.each([
    [200, 'valid'],
    [401, 'refused'],
    [403, 'valid'],
    [429, 'valid'],
    [404, 'unknown'],
    [400, 'unknown'],
    [302, 'unknown'],
  ] as const)('takes %s for %s', async (status, verdict) => {
    for (const provider of ['openai', 'anthropic', 'azure-openai', 'mistral', 'groq', 'openrouter'] as const)
      expect(await answering({ status, json: undefined }).ask(provider)).toBe(verdict);
  });

  it('takes a success that says nothing for none', async () => {
    expect(await answering({ status: 200, json: undefined }).ask('cohere')).toBe('unknown');
    expect(await answering({ status: 400, json: { error: { status: 'INVALID_ARGUMENT' } } }).ask('gemini')).toBe('unknown');
    expect(await answering({ status: 403, json: { error: { status: 'PERMISSION_DENIED' } } }).ask('gemini')).toBe('valid');
    expect(
      await answering({ status: 403, json: { message: 'User is not authorized to perform bedrock:InvokeModel' } }).ask('bedrock'),
    ).toBe('valid');
  });

  it('does not believe a server that answers everybody', async () => {
    expect(await answering({ status: 200, json: {} }, { status: 200, json: {} }).ask('self-hosted')).toBe('unknown');
    const { ask, calls } = answering({ status: 200, json: {} }, { status: 401, json: {} });
    expect(await ask('self-hosted')).toBe('valid');
    expect(calls.map(({ headers }) => 'authorization' in headers)).toEqual([true, false]);
  });

  it('never puts the key into a URL or a body', async () => {
    for (const provider of keyed) {
      const { ask, calls } = answering({ status: 200, json: { valid: true } });
      await ask(provider);
      for (const { url, body } of calls) expect(`${url.href}${Buffer.from(body ?? [])}`).not.toContain('canary');
    }
  });

  it.each(keyless)('is not asked for %s, which takes no key', async (provider) => {
    const { ask, calls } = answering({ status: 200, json: {} });
    await expect(ask(provider)).rejects.toMatchObject({ code: 'CREDENTIAL_NOT_SUPPLIED' });
    expect(calls).toEqual([]);
  });

  it('is not asked of a host that the settings do not name properly', async () => {
    const validateKey = createValidateKey({ baseUrls: {}, allowLoopback: false });
    const key = new SecretText('k');
    await expect(validateKey('self-hosted', { host: '169.254.169.254' }, key)).rejects.toMatchObject({ code: 'EGRESS_NOT_CONFIGURED' });
    await expect(validateKey('azure-openai', {}, key)).rejects.toMatchObject({ code: 'EGRESS_NOT_CONFIGURED' });
    await expect(validateKey('vertex', { project: '../x', location: 'global' }, key)).rejects.toMatchObject({
      code: 'EGRESS_NOT_CONFIGURED',
    });
  });
});
