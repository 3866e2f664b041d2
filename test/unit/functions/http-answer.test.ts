import { request } from 'node:http';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnswerHead, createHttpAnswer } from '../../../functions/shared/http-answer.ts';

interface Read {
  readonly head: AnswerHead | undefined;
  readonly body: string;
  readonly ended: boolean;
}

/** Reads the pieces, and the end of the connection after them. Throws what the reader throws. */
function read(pieces: readonly Buffer[], method = 'GET'): Read {
  let head: AnswerHead | undefined;
  let ended = false;
  const body: Buffer[] = [];
  const answer = createHttpAnswer({
    head(received) {
      expect(head).toBeUndefined();
      head = received;
    },
    piece(bytes) {
      expect([head !== undefined, ended, bytes.length > 0]).toEqual([true, false, true]);
      body.push(Buffer.from(bytes));
    },
    end() {
      ended = true;
    },
  });
  answer.begin(method);
  for (const piece of pieces) {
    // Its memory is used again: what is kept of it has to be a copy.
    const memory = Buffer.from(piece);
    answer.push(memory);
    memory.fill('?');
  }
  answer.closed();
  return { head, body: Buffer.concat(body).toString('latin1'), ended };
}

const cut = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const marks = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return marks.slice(1).flatMap((end, index) => {
    const piece = bytes.subarray(marks[index], end);
    return piece.length === 0 ? [] : [piece];
  });
};
const readText = (text: string, method?: string): Read => read([Buffer.from(text, 'latin1')], method);

describe('an HTTP answer', () => {
  it.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'abc', true],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nab\r\n1;x="y"\r\nc\r\n0\r\nt: 1\r\n\r\n', 'abc', true],
    ['that ends with its connection', 'HTTP/1.1 200 OK\r\n\r\nabc', 'abc', false],
    ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
    ['that closes', 'HTTP/1.1 200 OK\r\nconnection: Keep-Alive , Close\r\ncontent-length: 0\r\n\r\n', '', false],
    ['of an older server', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', 'a', false],
    ['after early hints', 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200\r\ncontent-length: 1\r\n\r\na', 'a', true],
  ])('%s is read however it is cut', (_what, text, body, keepAlive) => {
    const bytes = Buffer.from(text, 'latin1');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        const found = read(cut(bytes, cuts));
        expect(found).toMatchObject({ body, ended: true, head: { keepAlive } });
      }),
    );
  });

  it('to HEAD has no body, whatever length it tells', () => {
    expect(readText('HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n', 'HEAD')).toMatchObject({ body: '', ended: true });
  });

  it('has its header names in lower case and what is there twice joined', () => {
    const { head } = readText('HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\n__proto__: p\r\ncontent-length: 0\r\n\r\n');
    expect({ ...head?.headers }).toEqual(Object.assign(Object.create(null), { 'x-a': '1, 2', 'content-length': '0', ['__proto__']: 'p' }));
  });

  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an encoding before the chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['chunks twice', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['chunks of an older server', 'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nx: 1\r\n 2\r\ncontent-length: 0\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n'],
    ['half a line break in a value', 'HTTP/1.1 200 OK\r\nx: 1\ncontent-length: 5\r\ncontent-length: 0\r\n\r\n'],
    ['a zero byte in a value', 'HTTP/1.1 200 OK\r\nx: 1\0\r\ncontent-length: 0\r\n\r\n'],
    ['a chunk size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n'],
    ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n'],
    ['something after it', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab'],
    ['another answer after it', 'HTTP/1.1 204 No\r\n\r\nHTTP/1.1 204 No\r\n\r\n'],
    ['less than its length', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na'],
    ['no last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n'],
    ['no end of its head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`],
    ['a head that is too large', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\ncontent-length: 0\r\n\r\n`],
    ['no status', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['another version', 'HTTP/2 200\r\n\r\n'],
  ])('with %s is none', (_what, text) => {
    expect(() => readText(text)).toThrow(Error);
  });
});

describe('the reader of HTTP answers, beside Node’s own', () => {
  let port = 0;
  let wire: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(wire));
  });
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => void server.close());

  /** What Node.js takes the bytes for; undefined when it refuses them. */
  function byNode(bytes: Buffer): Promise<{ status: number | undefined; body: string } | undefined> {
    wire = bytes;
    return new Promise((done) => {
      const asked = request({ host: '127.0.0.1', port, agent: false }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', () => done(undefined));
        response.on('end', () => done({ status: response.statusCode, body: Buffer.concat(pieces).toString('latin1') }));
      });
      asked.on('error', () => done(undefined));
      asked.end();
    });
  }

  const line = fc.constantFrom(
    ...['content-length: 3', 'content-length: 03', 'Content-Length:3', 'content-length: 4', 'content-length: 3, 3', 'content-length:'],
    ...['transfer-encoding: chunked', 'transfer-encoding: gzip', 'transfer-encoding: chunked, identity', 'transfer-encoding: xchunked'],
    ...['connection: close', 'x: 1', 'x : 1', ' x: 1', 'x: \u0001', 'x', ': 1', 'x: a\rb', 'x: a\nb', 'content-encoding: identity'],
  );
  const first = fc.constantFrom(
    'HTTP/1.1 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No',
    'HTTP/1.1 304',
    'HTTP/1.1 100 Continue',
    'HTTP/1.1 2000 OK',
  );
  const rest = fc.constantFrom(
    'abc',
    'abcd',
    '',
    '3\r\nabc\r\n0\r\n\r\n',
    '3;x\r\nabc\r\n0\r\n\r\n',
    '3\nabc\n0\n\n',
    ' 3\r\nabc\r\n0\r\n\r\n',
    '-3\r\nabc\r\n0\r\n\r\n',
  );

  it('reads nothing else into an answer than Node does, where both take it', async () => {
    let agreed = 0;
    await fc.assert(
      fc.asyncProperty(first, fc.array(line, { maxLength: 3 }), rest, async (status, lines, body) => {
        const bytes = Buffer.from(`${[status, ...lines].join('\r\n')}\r\n\r\n${body}`, 'latin1');
        let ours: Read;
        try {
          ours = read([bytes]);
        } catch {
          return;
        }
        if (!ours.ended) return;
        const theirs = await byNode(bytes);
        expect(theirs).toEqual({ status: ours.head?.status, body: ours.body });
        agreed += 1;
      }),
      { numRuns: 1000 },
    );
    expect(agreed).toBeGreaterThan(20);
  });
});
