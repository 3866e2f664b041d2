import { afterEach, describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { createBrokerWorld, createClient, facts, ruleTo, startProvider, type TestProvider } from './broker-world.ts';

let provider: TestProvider;
afterEach(() => provider.close());

/** A provider that answers with this, at once or in pieces. */
async function answering(status: number, headers: Record<string, string> = {}) {
  provider = await startProvider((_request, response) => void response.writeHead(status, { 'content-length': '2', ...headers }).end('no'));
  return createBrokerWorld({ providerUrl: provider.url });
}

const told = { token: 'jwt-of-ann', provider: 'openai', credentialId: 'main', at: '2026-11-21T12:00:00.000Z' };

describe('T4 a provider that throttles', () => {
  it.each([200, 401, 403, 500, 503, 529])('is not told of when it answers %s', async (status) => {
    const world = await answering(status);
    await world.run();
    expect([world.throttlings, world.calls.includes('throttled')]).toEqual([[], false]);
  });

  it('is told of with the caller’s token, the credential and the time', async () => {
    const world = await answering(429);
    await world.run();
    expect(world.throttlings).toEqual([told]);
  });

  it('is told of once in five seconds, however often it throttles', async () => {
    const world = await answering(429);
    for (let call = 0; call < 5; call += 1) await world.run();
    world.time.now += 4999;
    await world.run();
    expect(world.throttlings).toEqual([told]);
    world.time.now += 1;
    await world.run();
    expect(world.throttlings).toEqual([told, { ...told, at: '2026-11-21T12:00:05.000Z' }]);
  });

  it('is told of for each credential', async () => {
    const world = await answering(429);
    await world.run();
    const other = credentialId.parse('other');
    world.state.credentials.push(facts({ credentialId: other }));
    world.state.standing.set('other', { status: 'active', epoch: 0, version: 1, secretVersionId: 'v1' });
    world.keys.set('other/v1', 'sk-canary-other-0001');
    world.state.rules = [ruleTo('other')];
    world.state.rulesVersion = 2;
    await world.run();
    expect(world.throttlings.map((one) => one.credentialId)).toEqual(['main', 'other']);
  });

  it('costs a warm use what it did, and one call more when it throttles', async () => {
    const world = await answering(429);
    await world.run();
    world.calls.length = 0;
    await world.run();
    expect(world.calls).toEqual(['INTENT', 'gate', 'OUTCOME']);
    world.calls.length = 0;
    world.time.now += 5000;
    await world.run();
    expect(world.calls.toSorted()).toEqual(['INTENT', 'OUTCOME', 'gate', 'throttled']);
  });

  it.each([
    ['whole', {}],
    ['as it comes', { 'content-length': '100000' }],
  ])('has its answer passed on %s before telling is over, and on record', async (_how, headers) => {
    provider = await startProvider((_request, response) => {
      response.writeHead(429, { 'content-length': '2', ...headers }).end('no'.padEnd(Number(Object.values(headers)[0] ?? 2)));
    });
    const world = createBrokerWorld({ providerUrl: provider.url });
    const [slow, client] = [Promise.withResolvers<void>(), createClient()];
    world.hooks.push((port) => (port === 'throttled' ? slow.promise : undefined));
    const call = world.run({}, {}, client);
    while (!client.seen.ended) await new Promise((resolve) => setTimeout(resolve, 5));
    expect([client.seen.status, world.entries.at(-1)]).toMatchObject([429, { kind: 'OUTCOME', outcome: { statusCode: 429 } }]);
    expect(world.throttlings).toEqual([]);
    slow.resolve();
    await call;
    expect(world.throttlings).toEqual([told]);
  });

  it('leaves the call as it is when it cannot be told, which is in the log without the token', async () => {
    const world = await answering(429);
    world.hooks.push((port) => {
      if (port === 'throttled') throw new CordonError('SESSION_UNAVAILABLE', 'down', { retryable: true });
    });
    const client = await world.run();
    expect([client.seen.status, client.text]).toEqual([429, 'no']);
    expect(world.lines).toEqual([
      {
        level: 'warn',
        message: 'that a provider throttles could not be told',
        fields: { requestId: 'r-1', provider: 'openai', credentialId: 'main', code: 'SESSION_UNAVAILABLE' },
      },
    ]);
  });

  it('does not keep the environment for telling that never ends', async () => {
    const world = await answering(429);
    world.hooks.push((port) => (port === 'throttled' ? new Promise(() => undefined) : undefined));
    const startedAt = performance.now();
    await world.run();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
