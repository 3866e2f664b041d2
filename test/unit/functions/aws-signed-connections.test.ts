import { createServer, type Socket } from 'node:net';
import aws4 from 'aws4';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createSignedSender } from '../../../functions/shared/aws-signed.ts';
import { createAnswerReader } from '../../../functions/shared/aws-signed-answer.ts';
import { createConnections } from '../../../functions/shared/aws-signed-connections.ts';
import { asciiJson } from '../../../functions/shared/aws-signed-json.ts';
import { createSign } from '../../../functions/shared/aws-signed-signature.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A TCP server that hands over each connection and what comes over it. */
async function listening(take: (socket: Socket, request: string, connection: number) => void): Promise<number> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    const connection = count;
    socket.on('error', () => undefined);
    socket.on('data', (piece) => take(socket, piece.toString(), connection));
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
const to = (port: number) => createConnections({ host: '127.0.0.1', port, secure: false });
const ok = (body: string, more = ''): string => `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
const request = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';

describe('an answer', () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 5\r\n\r\ngrüß';
  const chunked =
    'HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\ntrailer: 1\r\n\r\n';

  it.each([
    [whole.replace('5', '6'), 200, 'grüß'],
    [chunked, 400, 'abc0123456789'],
    ['HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
    ['HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', 200, ''],
  ])('is read however it is cut into pieces: %j', (text, status, body) => {
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length }), { maxLength: 8 }), (cuts) => {
        const reader = createAnswerReader();
        reader.begin();
        const marks = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
        const results = marks.slice(1).flatMap((end, index) => {
          const piece = bytes.subarray(marks[index], end);
          if (piece.length === 0) return [];
          // Its memory is used again: what is kept of it has to be a copy.
          const memory = Buffer.from(piece);
          const result = reader.push(memory);
          memory.fill('?');
          return [result];
        });
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
        expect(results.at(-1)?.answer).toMatchObject({ status, body });
      }),
    );
  });

  it.each([
    ['without a length', 'HTTP/1.1 200 OK\r\n\r\nabc'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc'],
    ['with a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['in another encoding', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['followed by another', `${ok('a')}${ok('b')}`],
    ['of another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['with a folded header', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n folded: 1\r\n\r\n'],
    ['with a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n'],
    ['with a chunk that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['with a chunk longer than it says', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n'],
    ['without an end of its head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
  ])('%s is none', (_what, text) => {
    const reader = createAnswerReader();
    reader.begin();
    expect(() => reader.push(Buffer.from(text))).toThrow(Error);
  });
});

describe('connections', () => {
  it('are kept for the next request, and not shared by two at a time', async () => {
    const seen: number[] = [];
    const port = await listening((socket, _request, connection) => {
      seen.push(connection);
      setTimeout(() => socket.write(ok(String(connection))), 10);
    });
    const connections = to(port);
    const both = await Promise.all([connections.exchange(request, 1000), connections.exchange(request, 1000)]);
    expect(both.map(({ body }) => body).sort()).toEqual(['1', '2']);
    await connections.exchange(request, 1000);
    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(2);
  });

  it('are not used again when the other side says that it closes', async () => {
    const port = await listening((socket, _request, connection) => socket.end(ok(String(connection), 'connection: close\r\n')));
    const connections = to(port);
    await connections.exchange(request, 1000);
    expect((await connections.exchange(request, 1000)).body).toBe('2');
  });

  it('carry no late answer over to the next request', async () => {
    const port = await listening(
      (socket, _request, connection) =>
        void (connection === 1 ? setTimeout(() => socket.write(ok('late')), 60) : socket.write(ok('right'))),
    );
    const connections = to(port);
    await expect(connections.exchange(request, 20)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await connections.exchange(request, 1000)).body).toBe('right');
  });

  it('take what comes unasked for no answer', async () => {
    const port = await listening((socket, _request, connection) => {
      socket.write(ok(String(connection)));
      if (connection === 1) setTimeout(() => socket.write(ok('forged')), 10);
    });
    const connections = to(port);
    await connections.exchange(request, 1000);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect((await connections.exchange(request, 1000)).body).toBe('2');
  });

  it.each([
    ['in good order', (socket: Socket) => socket.end()],
    ['at once', (socket: Socket) => socket.resetAndDestroy()],
  ])('that the other side has closed while nothing was asked, %s, are not used again', async (_how, close) => {
    const asked: number[] = [];
    const port = await listening((socket, _request, connection) => {
      asked.push(connection);
      socket.write(ok(String(connection)));
      if (connection === 1) setTimeout(() => close(socket), 5);
    });
    const connections = to(port);
    await connections.exchange(request, 1000);
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect((await connections.exchange(request, 1000)).body).toBe('2');
    expect(asked).toEqual([1, 2]);
  });

  it('carry an answer of any size, in whatever pieces it comes, beside others', async () => {
    const bodies = ['a', 'b', 'c'].map((letter) => Array.from({ length: 30_000 }, (_, line) => `${letter}${line}`).join(' '));
    const port = await listening((socket, _request, connection) => {
      const all = Buffer.from(ok(bodies[connection - 1] ?? ''));
      for (let at = 0; at < all.length; at += 9_999) setImmediate(() => socket.write(all.subarray(at, at + 9_999)));
    });
    const connections = to(port);
    const answers = await Promise.all(bodies.map(() => connections.exchange(request, 5000)));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(bodies));
  });

  it('do not send again what was answered in part', async () => {
    let requests = 0;
    const port = await listening((socket) => {
      requests += 1;
      if (requests === 1) socket.write(ok('first'));
      else socket.end('HTTP/1.1 200 OK\r\n');
    });
    const connections = to(port);
    await connections.exchange(request, 1000);
    await expect(connections.exchange(request, 1000)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(requests).toBe(2);
  });

  it('send nothing over TLS to a host that cannot prove its name', async () => {
    const received: string[] = [];
    const port = await listening((socket, text) => {
      received.push(text);
      socket.destroy();
    });
    await expect(createConnections({ host: '127.0.0.1', port, secure: true }).exchange(request, 1000)).rejects.toBeInstanceOf(Error);
    expect(received.join('')).not.toContain('POST');
  });
});

describe('a signature', () => {
  const sign = createSign();
  /** The value of a header of the request. */
  const sent = (request: string, name: string): string | undefined => new RegExp(`\r\n${name}: (.*)\r\n`).exec(request)?.[1];
  const text = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom(...'abcXYZ019-._~#/+= ') });
  it('is the one that an independent implementation makes', () => {
    fc.assert(
      fc.property(
        fc.record({
          service: fc.constantFrom('dynamodb', 'lambda', 'secretsmanager', 'sts'),
          region: fc.constantFrom('us-east-1', 'eu-central-1'),
          path: fc.constantFrom('/', '/2015-03-31/functions/broker-1/invocations', '/2015-03-31/functions/arn%3Aaws%3Alambda/invocations'),
          target: text,
          body: fc.string({ minLength: 1 }).map((value) => asciiJson({ value })),
          sessionToken: fc.option(
            text.filter((value) => value.trim() === value && !value.includes('  ')),
            { nil: undefined },
          ),
          secretAccessKey: text,
          now: fc.integer({ min: 1_700_000_000_000, max: 2_000_000_000_000 }),
        }),
        ({ service, region, path, target, body, sessionToken, secretAccessKey, now }) => {
          const headers = { 'content-type': 'application/json', 'x-amz-target': target.replaceAll(/ +/g, ' ').trim() };
          const credentials = { accessKeyId: 'AKIA', secretAccessKey, sessionToken };
          const asked = { service, region, path, host: 'h.example.com', headers, body, now };
          const ours = sign(credentials, asked);
          // What is kept of one signature, for the same credentials and headers, must not get into another.
          for (const other of [{ service: 'x' }, { region: 'x' }, { path: '/x' }, { host: 'x' }, { body: 'x' }, { now: now - 1000 }]) {
            const another = { ...asked, ...other };
            expect(sign(credentials, another)).toBe(createSign()(credentials, another));
            expect(sign(credentials, asked)).toBe(ours);
          }
          const theirs = aws4.sign(
            {
              service,
              region,
              method: 'POST',
              path,
              body,
              headers: { ...headers, host: 'h.example.com', 'x-amz-date': sent(ours, 'x-amz-date') },
              // What it would add by itself, and sign.
              extraHeadersToIgnore: { 'content-length': true },
            } as Parameters<typeof aws4.sign>[0],
            { accessKeyId: 'AKIA', secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
          );
          const named = (value: unknown): string[] => /SignedHeaders=(.*), Signature=(.*)/.exec(String(value))?.slice(1) ?? [];
          expect(named(sent(ours, 'authorization'))).toEqual(named(theirs.headers?.['Authorization']));
        },
      ),
    );
  });

  it('is made anew when the day changes', () => {
    const headers = {};
    const credentials = { accessKeyId: 'A', secretAccessKey: 's', sessionToken: undefined };
    const at = (now: number) =>
      sent(sign(credentials, { service: 'sts', region: 'r', path: '/', host: 'h', headers, body: '', now }), 'authorization');
    expect(at(Date.parse('2026-11-21T23:59:59Z'))).toContain('Credential=A/20261121/');
    expect(at(Date.parse('2026-11-22T00:00:00Z'))).toContain('Credential=A/20261122/');
  });

  it('is not made for a header that would be more than one line', async () => {
    const send = createSignedSender({ region: 'us-east-1', endpoint: 'http://127.0.0.1:9' });
    const credentials = { accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't\r\nx-forged: 1' };
    await expect(send(credentials, { service: 'sts', headers: {}, body: '', timeoutMs: 100 })).rejects.toThrow('no plain text');
  });
});

describe('JSON for AWS', () => {
  it('is ASCII and says the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const json = asciiJson({ value });
        expect(Buffer.byteLength(json)).toBe(json.length);
        expect(JSON.parse(json)).toEqual({ value });
      }),
    );
  });
});
