import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpstream } from '../../../functions/broker/upstream.sockets.ts';
import { createEgressGuard } from '../../../functions/providers/egress-guard.ts';
import { bytesOf } from '../../support/answer-bodies.ts';
import { createBrokerWorld, createClient, startProvider, type TestProvider } from './broker-world.ts';

const open: TestProvider[] = [];
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.close();
});

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void, watchEveryMs?: number) {
  const provider = await startProvider(answer);
  open.push(provider);
  return { provider, world: createBrokerWorld({ providerUrl: provider.url, ...(watchEveryMs !== undefined && { watchEveryMs }) }) };
}

const sse = (response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'text/event-stream' });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const key = 'sk-canary-main-0001';

describe('G4 a stream', () => {
  it('reaches the caller piece by piece: the first is there before the provider sends the last', async () => {
    const order: string[] = [];
    const { world } = await start(async (_request, response) => {
      sse(response);
      response.write('data: {"n":1}\n\n');
      await pause(60);
      order.push('sends the last');
      response.end('data: {"usage":{"prompt_tokens":2,"completion_tokens":4}}\n\ndata: [DONE]\n\n');
    });
    const client = createClient();
    client.onChunk((text) => order.push(text.includes('"n":1') ? 'has the first' : 'has more'));
    await world.run({}, {}, client);
    expect(order.slice(0, 2)).toEqual(['has the first', 'sends the last']);
    expect(client.text).toBe('data: {"n":1}\n\ndata: {"usage":{"prompt_tokens":2,"completion_tokens":4}}\n\ndata: [DONE]\n\n');
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'succeeded', usage: { inputTokens: 2, outputTokens: 4 } } });
  });

  it('is no faster than the caller takes it', async () => {
    const pieces = Array.from({ length: 10 }, (_, count) => String(count).repeat(64 * 1024));
    const { world } = await start((_request, response) => {
      sse(response);
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const client = createClient({ slow: true });
    await world.run({}, {}, client);
    expect(client.text === pieces.join('')).toBe(true);
  });

  it.each([
    ['short', 40_000],
    ['long', 400_000],
  ])('is whole when a %s answer comes in pieces, and another one meanwhile', async (_what, length) => {
    const bodies = new Map(['one', 'two'].map((name) => [name, name.repeat(length / 3)]));
    const { world } = await start(async (request, response) => {
      const body = bodies.get(String(request.headers['x-request-id'])) ?? '';
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length });
      for (let at = 0; at < body.length; at += body.length / 4) {
        response.write(body.slice(at, at + body.length / 4));
        await pause(5);
      }
      response.end();
    });
    const ask = (name: string) => world.run({ headers: { ...world.callOf().headers, 'x-request-id': name } });
    await ask('one');
    const names = [...bodies.keys()];
    const clients = await Promise.all(names.map(ask));
    for (const [index, name] of names.entries()) expect(clients[index]?.text === bodies.get(name), name).toBe(true);
  });

  it('ends, and the provider’s connection with it, when the credential is revoked on the way', async () => {
    const { world, provider } = await start((_request, response) => {
      sse(response);
      response.write('data: first\n\n');
    }, 40);
    const client = createClient();
    client.onChunk(() => world.state.standing.set('main', { status: 'revoked', epoch: 1, version: 2, secretVersionId: 'v1' }));
    await world.run({}, {}, client);
    await provider.closed;
    expect(client.seen.ended).toBe(true);
    expect(client.text).toMatch(
      /^data: first\n\n\n\nevent: error\ndata: \{"error":\{"code":"CREDENTIAL_REVOKED",.*"requestId":"r-1"\}\}\n\n$/,
    );
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'cut', code: 'CREDENTIAL_REVOKED', statusCode: 200 } });
  });

  it('ends also when the credential was revoked and is active again at the next look', async () => {
    const { world } = await start((_request, response) => {
      sse(response);
      response.write('data: first\n\n');
    }, 40);
    const client = createClient();
    client.onChunk(() => world.state.standing.set('main', { status: 'active', epoch: 1, version: 3, secretVersionId: 'v1' }));
    await world.run({}, {}, client);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'cut' } });
  });

  it('goes on when the credential is rotated on the way', async () => {
    const { world } = await start(async (_request, response) => {
      sse(response);
      response.write('data: first\n\n');
      await pause(120);
      response.end('data: last\n\n');
    }, 20);
    const client = createClient();
    client.onChunk(() => world.state.standing.set('main', { status: 'active', epoch: 0, version: 2, secretVersionId: 'v2' }));
    await world.run({}, {}, client);
    expect(world.calls.filter((name) => name === 'watch').length).toBeGreaterThan(1);
    expect(client.text).toBe('data: first\n\ndata: last\n\n');
  });

  it.each([
    ['goes on when the registry fails once', 1, 'succeeded'],
    ['ends when the registry cannot be asked twice in a row', 2, 'cut'],
  ])('%s', async (_what, failures, result) => {
    const { world } = await start(async (_request, response) => {
      sse(response);
      response.write('data: first\n\n');
      await pause(150);
      response.end('data: last\n\n');
    }, 30);
    let left = failures;
    const { CordonError } = await import('../../../functions/shared/errors.ts');
    world.hooks.push((port) => {
      if (port !== 'watch' || left === 0) return;
      left -= 1;
      throw new CordonError('GATE_UNAVAILABLE', 'down', { retryable: true });
    });
    await world.run();
    expect(world.entries[1]).toMatchObject({ outcome: { result } });
  });

  it('is refused with a status when the revocation comes before the provider’s answer begins', async () => {
    const { world } = await start(() => undefined, 30);
    world.hooks.push((port) => {
      if (port === 'INTENT') world.state.revokedSessions.add('s-1');
    });
    const client = await world.run();
    expect([client.seen.status, client.error.code]).toEqual([401, 'SESSION_REVOKED']);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'cut', code: 'SESSION_REVOKED' } });
  });

  it('ends at the provider when the caller goes away, and is recorded as aborted', async () => {
    const { world, provider } = await start((_request, response) => {
      sse(response);
      response.write('data: first\n\n');
    });
    const client = createClient();
    client.onChunk(() => client.leave());
    await world.run({}, {}, client);
    await provider.closed;
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'aborted', code: 'CLIENT_GONE', bytes: 13 } });
  });

  it('is not begun for a caller that has gone away meanwhile', async () => {
    const { world, provider } = await start((_request, response) => void response.end('{}'));
    const client = createClient();
    world.hooks.push((port) => {
      if (port === 'INTENT') client.leave();
    });
    await world.run({}, {}, client);
    expect([client.seen.status, provider.requests.length]).toEqual([0, 0]);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'aborted', code: 'CLIENT_GONE', bytes: 0 } });
  });

  it('is over before the function’s time is, with its outcome recorded', async () => {
    const { world } = await start((_request, response) => {
      sse(response);
      response.write('data: first\n\n');
    });
    const client = await world.run({}, { remainingMs: 5_050 });
    expect(client.text).toContain('"code":"UPSTREAM_TIMEOUT"');
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code: 'UPSTREAM_TIMEOUT' } });
  });
});

describe('G3 an answer that holds the key', () => {
  const base64 = Buffer.from(key).toString('base64');
  it.each([
    ['plain', key],
    ['base64', base64],
    ['inside basic authentication', Buffer.from(`user:${key}`).toString('base64')],
    ['URL-encoded', [...key].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('')],
  ])('is passed on without it: %s, also in pieces', async (_what, text) => {
    const { world } = await start(async (_request, response) => {
      sse(response);
      response.write(`data: ${text.slice(0, 7)}`);
      await pause(20);
      response.end(`${text.slice(7)}\n\ndata: end\n\n`);
    });
    const client = await world.run();
    expect(client.text).toContain('[redacted]');
    expect(client.text).toContain('data: end');
    expect(client.text).not.toContain(text);
    expect(client.text).not.toContain(text.slice(0, 7) + text.slice(7));
  });

  it('is whole when it ends in what could have become the key', async () => {
    const { world } = await start((_request, response) => void response.end(`the key begins ${key.slice(0, 6)}`));
    expect((await world.run()).text).toBe(`the key begins ${key.slice(0, 6)}`);
  });

  it('has it taken out of headers, and is passed on without headers that lead to the provider or keep its state', async () => {
    const { world } = await start((_request, response) => {
      const headers = {
        'x-echo': `key ${key}`,
        'set-cookie': 'a=b',
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        'x-request-id': 'req-1',
        'content-length': '2',
      };
      response.writeHead(400, headers).end('no');
    });
    const { seen } = await world.run();
    expect(seen.headers).toMatchObject({ 'x-echo': 'key [redacted]', 'x-request-id': 'req-1' });
    for (const name of ['set-cookie', 'x-hop', 'connection', 'content-length']) expect(seen.headers[name], name).toBeUndefined();
  });

  it('is uncompressed first when the provider compresses although it was asked not to', async () => {
    const { world } = await start((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(`{"echo":"${key}"}`));
    });
    const client = await world.run();
    expect(client.text).toBe('{"echo":"[redacted]"}');
    expect(client.seen.headers['content-encoding']).toBeUndefined();
  });
});

describe('a provider that misbehaves', () => {
  const outcomes: [string, (response: ServerResponse) => void, number, string][] = [
    ['closes without an answer', (response) => void response.destroy(), 502, 'UPSTREAM_BROKEN'],
    [
      'compresses in a way nobody knows',
      (response) => void response.writeHead(200, { 'content-encoding': 'x-secret' }).end('?'),
      502,
      'UPSTREAM_ENCODING',
    ],
    [
      'redirects to another place',
      (response) => void response.writeHead(307, { location: 'https://evil.example.com/' }).end(),
      502,
      'UPSTREAM_REDIRECT',
    ],
  ];
  it.each(outcomes)(
    'which %s is answered with an error, recorded as failed, and not asked again',
    async (_what, misbehave, status, code) => {
      const { world, provider } = await start((_request, response) => misbehave(response));
      const client = await world.run();
      expect([client.seen.status, client.error.code]).toEqual([status, code]);
      expect(provider.requests).toHaveLength(1);
      expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code } });
    },
  );

  const broken: [string, (response: ServerResponse) => void | Promise<void>, string][] = [
    [
      'breaks off in the middle',
      async (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(70 * 1024) }).write('{"half":');
        await pause(20);
        response.destroy();
      },
      'UPSTREAM_BROKEN',
    ],
    [
      'answers without end',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.alloc(2 * 1024 * 1024, 'x')),
      'UPSTREAM_TOO_LARGE',
    ],
    [
      'is silent after the beginning',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
      'UPSTREAM_TIMEOUT',
    ],
    [
      'compresses and breaks off',
      (response) =>
        void response
          .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
          .end(gzipSync('{"a":1}').subarray(0, 15)),
      'UPSTREAM_BROKEN',
    ],
  ];
  it.each(broken)('which %s breaks the answer visibly and is recorded as failed', async (_what, misbehave, code) => {
    const { world, provider } = await start((_request, response) => void misbehave(response));
    const client = await world.run();
    expect(client.seen.broken).toMatchObject({ code });
    expect(client.seen.ended).toBe(false);
    await provider.closed;
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code, statusCode: 200 } });
  });

  it('which breaks off in a short answer is answered with an error in its place', async () => {
    const { world } = await start(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"half":');
      await pause(20);
      response.destroy();
    });
    const client = await world.run();
    expect([client.seen.status, client.error.code, client.seen.broken]).toEqual([502, 'UPSTREAM_BROKEN', undefined]);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code: 'UPSTREAM_BROKEN', statusCode: 200 } });
  });

  it('which cannot be reached is told apart from one that broke off', async () => {
    const { world, provider } = await start(() => undefined);
    await provider.close();
    const client = await world.run();
    expect([client.seen.status, client.error.code]).toEqual([502, 'UPSTREAM_UNREACHABLE']);
    expect(world.entries[1]).toMatchObject({ outcome: { result: 'failed', code: 'UPSTREAM_UNREACHABLE' } });
  });

  it('which redirects within its own host is passed on without the place', async () => {
    const { world } = await start((_request, response) => void response.writeHead(301, { location: '/v1/other' }).end());
    const { seen } = await world.run();
    expect([seen.status, seen.headers['location']]).toEqual([301, undefined]);
  });
});

describe('connections to a provider', () => {
  it('are kept, and not used again after a while: they may have been closed unnoticed, and nothing is sent twice', async () => {
    const ports: (number | undefined)[] = [];
    const { provider } = await start((request, response) => {
      ports.push(request.socket.remotePort);
      response.end('{}');
    });
    let now = 0;
    const guard = createEgressGuard({ allowLoopback: true });
    const send = createUpstream({ lookup: guard.lookup, elapsed: () => now });
    const ask = async (): Promise<void> => {
      const common = { method: 'GET', headers: {}, body: Buffer.alloc(0), signal: new AbortController().signal };
      const { body } = await send({ ...common, url: new URL(provider.url) });
      await bytesOf(body);
      await pause(5);
    };
    for (const wait of [0, 4000, 6000]) {
      now += wait;
      await ask();
    }
    expect(ports[1]).toBe(ports[0]);
    expect(ports[2]).not.toBe(ports[0]);
  });
});

describe('E2 an outcome', () => {
  it('is on record when the caller has the end of the answer', async () => {
    for (const write of [
      (response: ServerResponse) => response.end('{}'),
      (response: ServerResponse) => response.write('{') && response.end('}'),
    ]) {
      const { world } = await start((_request, response) => void write(response));
      const client = createClient();
      const recorded: boolean[] = [];
      const ending = (): void => void recorded.push(world.entries.some(({ kind }) => kind === 'OUTCOME'));
      Object.assign(client.stream, { end: ending, answer: ending });
      await world.run({}, {}, client);
      expect(recorded).toEqual([true]);
    }
  });

  it('does not hold the answer up when recording it takes long', async () => {
    const { world } = await start((_request, response) => void response.end('{}'));
    const order: string[] = [];
    world.hooks.push(async (port) => {
      if (port !== 'OUTCOME') return;
      await pause(400);
      order.push('recorded');
    });
    const client = createClient();
    client.stream.answer = () => void order.push('ended');
    await world.run({}, {}, client);
    expect(order).toEqual(['ended', 'recorded']);
  });

  it('is tried again until it is recorded: the call is over either way', async () => {
    const { world } = await start((_request, response) => void response.end('{}'));
    const { CordonError } = await import('../../../functions/shared/errors.ts');
    let left = 3;
    world.hooks.push((port) => {
      if (port === 'OUTCOME' && left-- > 0) throw new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
    });
    const client = await world.run();
    expect(client.text).toBe('{}');
    expect(world.entries.map(({ kind }) => kind)).toEqual(['INTENT', 'OUTCOME']);
  });

  it('that cannot be recorded is in the log and fails nothing', async () => {
    const { world } = await start((_request, response) => void response.end('{}'));
    const { CordonError } = await import('../../../functions/shared/errors.ts');
    world.hooks.push((port) => {
      if (port === 'OUTCOME') throw new CordonError('AWS_UNAVAILABLE', 'down', { retryable: true });
    });
    const client = await world.run();
    expect([client.seen.status, client.seen.ended]).toEqual([200, true]);
    expect(world.lines).toMatchObject([{ level: 'error', message: 'an outcome could not be recorded', fields: { lost: true } }]);
  });
});
