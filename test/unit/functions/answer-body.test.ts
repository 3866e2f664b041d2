import { createGunzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createReceivedBody, decoded, type ReceivedBody, type Source } from '../../../functions/broker/answer-body.ts';
import { bytesOf } from '../../support/answer-bodies.ts';

function start(): { body: ReceivedBody; asked: string[] } {
  const asked: string[] = [];
  const source: Source = {
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    stop: (error) => void asked.push(`stop: ${error.message}`),
  };
  return { body: createReceivedBody(source), asked };
}

const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('the body of an answer', () => {
  it('is all that came before and after it was asked for, although the memory it came in is used again', async () => {
    const { body, asked } = start();
    const memory = Buffer.alloc(2);
    const push = (text: string): void => {
      memory.write(text);
      body.push(memory);
      memory.write('??');
    };
    push('ab');
    push('cd');
    const read = bytesOf(body);
    push('ef');
    push('gh');
    body.end();
    expect((await read).toString()).toBe('abcdefgh');
    expect(asked).toEqual(['pause', 'resume']);
  });

  it('comes no faster than it is taken', async () => {
    const { body, asked } = start();
    const taken: string[] = [];
    const takes: PromiseWithResolvers<void>[] = [];
    const read = body.read((piece) => {
      taken.push(piece.toString());
      const take = Promise.withResolvers<void>();
      takes.push(take);
      return take.promise;
    });
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    await settled();
    expect([taken, asked]).toEqual([['a'], ['pause']]);
    takes[0]?.resolve();
    await settled();
    expect([taken, asked]).toEqual([['a', 'b'], ['pause']]);
    takes[1]?.resolve();
    await settled();
    expect(asked).toEqual(['pause', 'resume']);
    body.push(Buffer.from('c'));
    body.end();
    let over = false;
    void read.then(() => {
      over = true;
    });
    await settled();
    expect(over).toBe(false);
    takes[2]?.resolve();
    await read;
    // What is whole came over a connection that may serve another exchange by now.
    expect(asked).toEqual(['pause', 'resume', 'pause']);
  });

  it.each([
    ['before it is read', false],
    ['while a piece of it is taken', true],
  ])('that is stopped %s ends at once, and its source with it', async (_when, reading) => {
    const { body, asked } = start();
    const never = (): Promise<void> => new Promise(() => undefined);
    const early = reading ? body.read(never) : undefined;
    early?.catch(() => undefined);
    body.push(Buffer.from('a'));
    body.stop(new Error('enough'));
    await expect(early ?? body.read(never)).rejects.toThrow('enough');
    expect(asked.at(-1)).toBe('stop: enough');
  });

  it('that is whole is stopped without touching what it came from', async () => {
    const { body, asked } = start();
    body.push(Buffer.from('a'));
    body.end();
    const read = body.read(() => new Promise(() => undefined));
    body.stop(new Error('enough'));
    await expect(read).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });

  it('that breaks off fails, and what comes afterwards is nothing', async () => {
    const { body } = start();
    const taken: string[] = [];
    const read = body.read((piece) => void taken.push(piece.toString()));
    body.push(Buffer.from('a'));
    body.fail(new Error('broken'));
    body.push(Buffer.from('b'));
    await expect(read).rejects.toThrow('broken');
    expect(taken).toEqual(['a']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('too much');
      },
    ],
    ['fails', () => Promise.reject(new Error('too much'))],
  ])('ends when taking it %s', async (_what, take) => {
    const { body, asked } = start();
    const read = body.read(take);
    body.push(Buffer.from('a'));
    await expect(read).rejects.toThrow('too much');
    expect(asked.at(-1)).toBe('stop: too much');
  });
});

describe('a compressed body', () => {
  const text = Array.from({ length: 50_000 }, (_, line) => `line ${line}`).join('\n');
  const gzipped = gzipSync(text);

  it('is what it was before, however slowly it is taken', async () => {
    const { body } = start();
    const plain = decoded(body, createGunzip());
    const pieces: Buffer[] = [];
    const read = plain.read((piece) => {
      pieces.push(piece);
      return settled();
    });
    for (let at = 0; at < gzipped.length; at += 500) body.push(gzipped.subarray(at, at + 500));
    body.end();
    await read;
    expect(Buffer.concat(pieces).toString()).toBe(text);
  });

  it.each([
    ['is cut short', gzipped.subarray(0, gzipped.length - 9)],
    ['is none', Buffer.from('plain')],
  ])('that %s fails', async (_what, bytes) => {
    const { body } = start();
    const read = bytesOf(decoded(body, createGunzip()));
    body.push(bytes);
    body.end();
    await expect(read).rejects.toThrow(/unexpected end|incorrect header/);
  });

  it('that breaks off, or is stopped, ends its reading', async () => {
    const [broken, left] = [start(), start()];
    const reads = [broken, left].map(({ body }) => decoded(body, createGunzip())).map((body) => ({ body, read: bytesOf(body) }));
    broken.body.fail(new Error('broken'));
    await expect(reads[0]?.read).rejects.toThrow('broken');
    reads[1]?.body.stop(new Error('enough'));
    await expect(reads[1]?.read).rejects.toThrow('enough');
    expect(left.asked).toEqual(['stop: enough']);
  });

  it('that has come to its end is still stopped while it is taken', async () => {
    const { body } = start();
    const plain = decoded(body, createGunzip());
    const taken = Promise.withResolvers<void>();
    const read = plain.read(() => {
      taken.resolve();
      return new Promise(() => undefined);
    });
    body.push(gzipped);
    body.end();
    await taken.promise;
    plain.stop(new Error('enough'));
    await expect(read).rejects.toThrow('enough');
  });
});
