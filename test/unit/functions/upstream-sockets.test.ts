import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpstream } from '../../../functions/broker/upstream.sockets.ts';
import type { AnswerBody, UpstreamRequest } from '../../../functions/broker/upstream.ts';
import { createEgressGuard } from '../../../functions/providers/egress-guard.ts';
import { bytesOf } from '../../support/answer-bodies.ts';
import { selfSigned } from '../../support/self-signed.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Take = (socket: Socket, request: string, connection: number) => void;

/** A TCP server, or one over TLS, that hands over each connection and what comes over it. */
async function listening(take: Take, secure?: { key: string; certificate: string }): Promise<number> {
  let count = 0;
  const accept = (socket: Socket): void => {
    count += 1;
    const connection = count;
    socket.on('error', () => undefined);
    socket.on('data', (piece) => take(socket, piece.toString('latin1'), connection));
    closing.push(() => socket.destroy());
  };
  const server = secure ? createTlsServer({ key: secure.key, cert: secure.certificate }, accept) : createServer(accept);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const { lookup } = createEgressGuard({
  allowLoopback: true,
  resolve: (_name, _family, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
});
const elapsed = (): number => performance.now();
const to = (port: number, more: Partial<UpstreamRequest> = {}, origin = `http://127.0.0.1:${port}`): UpstreamRequest => ({
  method: 'POST',
  url: new URL(`${origin}/v1/x?y=1`),
  headers: { authorization: 'Bearer sk-test' },
  body: Buffer.from('{}'),
  signal: new AbortController().signal,
  ...more,
});
const inChunks = (body: string): string =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
/** As a system's resolver would, were all names here. */
const anyName: typeof lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
const text = async (body: AnswerBody): Promise<string> => (await bytesOf(body)).toString();
const ok = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe('G4 a call to a provider', () => {
  it('goes out once, as it is, and over a connection that is kept', async () => {
    const seen: [number, string][] = [];
    const port = await listening((socket, request, connection) => {
      seen.push([connection, request]);
      socket.write(ok(String(connection)));
    });
    const send = createUpstream({ lookup, elapsed });
    expect(await text((await send(to(port))).body)).toBe('1');
    expect(await text((await send(to(port))).body)).toBe('1');
    expect(seen[1]).toEqual([
      1,
      `POST /v1/x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer sk-test\r\ncontent-length: 2\r\n\r\n{}`,
    ]);
  });

  it.each([
    ['of a stated length', false, (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`],
    ['in chunks', false, inChunks],
    ['in chunks over TLS', true, inChunks],
  ])('has an answer that is whole however it comes, %s', async (_what, secure, written) => {
    const body = Array.from({ length: 20_000 }, (_, line) => `line ${line}`).join('\n');
    const own = selfSigned('provider.example');
    const inPieces = (socket: Socket): void => {
      const all = Buffer.from(written(body));
      let at = 0;
      const next = (): void => {
        if (at >= all.length) return;
        socket.write(all.subarray(at, at + 7_001));
        at += 7_001;
        setImmediate(next);
      };
      next();
    };
    const port = await listening(inPieces, secure ? own : undefined);
    const send = createUpstream({ lookup: anyName, elapsed, ca: own.certificate });
    const ask = () => send(to(port, {}, secure ? `https://provider.example:${port}` : undefined));
    const both = await Promise.all([ask(), ask()]);
    for (const answer of await Promise.all(both.map((one) => text(one.body)))) expect(answer === body).toBe(true);
    expect((await text((await ask()).body)) === body).toBe(true);
  });

  it('is not repeated when the kept connection ends instead of answering', async () => {
    let requests = 0;
    const port = await listening((socket) => {
      requests += 1;
      if (requests === 1) socket.write(ok('a'));
      else socket.destroy();
    });
    const send = createUpstream({ lookup, elapsed });
    await text((await send(to(port))).body);
    await expect(send(to(port))).rejects.toMatchObject({ code: 'UPSTREAM_BROKEN' });
    expect(requests).toBe(2);
  });

  it.each([
    ['answers more than was asked', `${ok('a')}${ok('forged')}`, 0],
    ['says something unasked later', ok('a'), 10],
  ])('has nothing to do with a connection that %s', async (_what, first, laterMs) => {
    const port = await listening((socket, _request, connection) => {
      socket.write(connection === 1 ? first : ok('b'));
      if (laterMs > 0 && connection === 1) setTimeout(() => socket.write(ok('forged')), laterMs);
    });
    const send = createUpstream({ lookup, elapsed });
    await text((await send(to(port))).body);
    await new Promise((done) => setTimeout(done, 40));
    expect(await text((await send(to(port))).body)).toBe('b');
  });

  it('does not share its connection with an answer that was left in the middle', async () => {
    const port = await listening((socket, _request, connection) => {
      socket.write(connection === 1 ? 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc' : ok('right'));
    });
    const send = createUpstream({ lookup, elapsed });
    (await send(to(port))).body.stop(new Error('left'));
    expect(await text((await send(to(port))).body)).toBe('right');
  });

  it.each([
    ['a header with a line break', { headers: { authorization: 'Bearer x\r\nx-forged: 1' } }],
    ['a header name with a colon', { headers: { 'x:y': '1' } }],
    ['a header beyond Latin-1', { headers: { 'user-agent': '\u0130' } }],
    ['a method that is none', { method: 'GET /x HTTP/1.1\r\n' }],
  ])('does not leave with %s', async (_what, more) => {
    const seen: string[] = [];
    const port = await listening((_socket, request) => void seen.push(request));
    await expect(createUpstream({ lookup, elapsed })(to(port, more))).rejects.toMatchObject({ code: 'CALL_INVALID' });
    expect(seen).toEqual([]);
  });

  it('ends where it is when it is called off, before and after the answer began', async () => {
    const port = await listening((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc'));
    const silent = await listening(() => undefined);
    const reason = new Error('called off');
    const [before, after] = [new AbortController(), new AbortController()];
    const send = createUpstream({ lookup, elapsed });
    const waiting = send(to(silent, { signal: before.signal }));
    before.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const { body } = await send(to(port, { signal: after.signal }));
    after.abort(reason);
    await expect(text(body)).rejects.toBe(reason);
  });

  it('over TLS reaches only who proves the name that was asked for', async () => {
    const [own, other] = [selfSigned('provider.example'), selfSigned('elsewhere.example')];
    const received: string[] = [];
    const take: Take = (socket, request) => {
      received.push(request);
      socket.write(ok('proven'));
    };
    const [right, wrong] = [await listening(take, own), await listening(take, other)];
    const open = { lookup: createEgressGuard({ allowLoopback: true }).lookup, elapsed };
    const at = (port: number) => to(port, {}, `https://provider.example:${port}`);
    const send = createUpstream({ ...open, lookup: anyName, ca: `${own.certificate}${other.certificate}` });
    for (const _time of [1, 2]) expect(await text((await send(at(right))).body)).toBe('proven');
    expect(received).toHaveLength(2);
    await expect(send(at(wrong))).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    await expect(createUpstream({ ...open, lookup: anyName })(at(right))).rejects.toMatchObject({ code: 'UPSTREAM_UNREACHABLE' });
    expect(received).toHaveLength(2);
  });
});
