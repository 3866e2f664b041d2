/** Sends a simulator's answer, well or as badly as a test asks for. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { echoed, type Misbehaviour } from './misbehaviour.ts';

/** `pieces` are written one by one: the events of a stream, or one body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly (string | Uint8Array)[];
}

export function jsonAnswer(status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, pieces: [JSON.stringify(json)] };
}

/** Server-sent events: each entry the whole text of one, without its empty line. */
export function eventsAnswer(events: readonly string[]): Answer {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
  return { status: 200, headers, pieces: events.map((event) => `${event}\n\n`) };
}

/** How a request ended. `aborted`: the client went before it had the whole answer. */
export type Delivered = 'answered' | 'aborted' | 'broken-off';

/** Resolves when the answer is sent, or will not be. */
export async function deliver(response: ServerResponse, answer: Answer, how: Misbehaviour, secret: string | undefined): Promise<Delivered> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: gone.signal });
  try {
    if (how.hang === true) await wait(2 ** 30);
    if (how.firstByteDelayMs !== undefined) await wait(how.firstByteDelayMs);
    if (how.redirectTo !== undefined) {
      response.writeHead(302, { location: how.redirectTo, 'content-length': '0' }).end();
      return 'answered';
    }
    const echo = how.echo !== undefined && secret !== undefined ? echoed(how.echo, secret) : undefined;
    const pieces = bodyOf(answer, how, echo);
    const headers: Record<string, string> = { ...answer.headers };
    if (echo !== undefined && how.echoIn === 'header') headers['x-echo'] = echo;
    if (how.compress !== undefined) headers['content-encoding'] = how.compress === 'unknown' ? 'x-unheard-of' : how.compress;
    // A body in one piece has its length named, as a server that knows it does; then a half of it is recognizably one.
    if (answer.pieces.length === 1) headers['content-length'] = String(pieces.reduce((sum, piece) => sum + piece.length, 0));
    response.writeHead(answer.status, headers);
    const half = how.halfClose === true ? Math.ceil(pieces.length / 2) : pieces.length;
    for (const [index, piece] of pieces.slice(0, half).entries()) {
      if (index > 0 && how.chunkGapMs !== undefined) await wait(how.chunkGapMs);
      if (gone.signal.aborted) return 'aborted';
      if (!response.write(piece)) await drained(response, gone.signal);
    }
    if (how.halfClose === true) {
      // What was written is to arrive before the end does.
      await sleep(20);
      response.destroy();
      return 'broken-off';
    }
    await new Promise<void>((resolve) => response.end(resolve));
    return gone.signal.aborted && !response.writableFinished ? 'aborted' : 'answered';
  } catch (error) {
    if (gone.signal.aborted) return 'aborted';
    throw error;
  }
}

function bodyOf(answer: Answer, how: Misbehaviour, echo: string | undefined): readonly Buffer[] {
  let pieces: readonly Buffer[] = answer.pieces.map((piece) => Buffer.from(piece));
  if (echo !== undefined && how.echoIn !== 'header') pieces = withEcho(pieces, echo, answer.headers['content-type'] ?? '');
  if (how.oversizedBytes !== undefined) {
    const count = Math.ceil(how.oversizedBytes / 65_536);
    const last = how.oversizedBytes - (count - 1) * 65_536;
    pieces = [...pieces, ...Array.from({ length: count }, (_, index) => Buffer.alloc(index === count - 1 ? last : 65_536, ' '))];
  }
  if (how.compress !== undefined) pieces = [compressed(Buffer.concat(pieces), how.compress)];
  const { chunkBytes } = how;
  const size = chunkBytes ?? (how.halfClose === true && pieces.length === 1 ? Math.ceil((pieces[0]?.length ?? 0) / 2) : undefined);
  if (size === undefined || size === 0) return pieces;
  const whole = Buffer.concat(pieces);
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size));
}

/** As a first member of a JSON object, or as a first event that clients pass over: the answer stays what clients understand. */
function withEcho(pieces: readonly Buffer[], echo: string, contentType: string): readonly Buffer[] {
  if (contentType.startsWith('text/event-stream')) return [Buffer.from(`: ${echo}\n\n`), ...pieces];
  const [first = Buffer.alloc(0), ...rest] = pieces;
  const text = first.toString();
  return [Buffer.from(text.startsWith('{') ? `{"echo":"${echo}",${text.slice(1)}` : `${echo}${text}`), ...rest];
}

function compressed(body: Buffer, how: NonNullable<Misbehaviour['compress']>): Buffer {
  if (how === 'br') return brotliCompressSync(body);
  if (how === 'deflate') return deflateSync(body);
  if (how === 'zstd') return zstdCompressSync(body);
  return gzipSync(body);
}

function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off('drain', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    response.once('drain', end);
    signal.addEventListener('abort', end);
  });
}
