import { once } from 'node:events';
import type { Transform } from 'node:stream';
import type { AnswerBody } from './upstream.ts';

/** What a body comes from. */
export interface Source {
  /** Hands over nothing more, until it resumes. */
  pause(): void;
  resume(): void;
  /** Ends for good. */
  stop(error: Error): void;
}

/** A body and its other end. A stream does the same and costs more than all else that is done with a short answer. */
export interface ReceivedBody extends AnswerBody {
  /** Its memory may be used again afterwards. */
  push(piece: Buffer): void;
  /** That was all. */
  end(): void;
  /** There will be no more, although that was not all. */
  fail(error: Error): void;
}

export function createReceivedBody(source: Source): ReceivedBody {
  /** What came before it could be taken. */
  const waiting: Buffer[] = [];
  let taking = false;
  let paused = false;
  let whole = false;
  let failure: Error | undefined;
  let reader: { readonly take: (piece: Buffer) => Promise<void> | undefined; readonly settled: PromiseWithResolvers<void> } | undefined;

  function handOver(piece: Buffer): void {
    try {
      const done = reader?.take(piece);
      if (done === undefined) return;
      taking = true;
      pause();
      done.then(() => {
        taking = false;
        goOn();
      }, stop);
    } catch (error) {
      stop(error);
    }
  }

  function pause(): void {
    if (paused || whole) return;
    paused = true;
    source.pause();
  }

  function goOn(): void {
    for (let piece = next(); piece !== undefined; piece = next()) handOver(piece);
    if (reader === undefined || taking || failure !== undefined) return;
    if (whole) reader.settled.resolve();
    else if (paused) {
      paused = false;
      source.resume();
    }
  }
  const next = (): Buffer | undefined => (taking || failure !== undefined ? undefined : waiting.shift());

  function fail(error: Error): void {
    failure ??= error;
    reader?.settled.reject(failure);
  }

  function stop(reason: unknown): void {
    if (failure !== undefined) return;
    const error = reason instanceof Error ? reason : new Error('the answer could not be taken');
    fail(error);
    if (!whole) source.stop(error);
  }

  return {
    push(piece) {
      if (failure !== undefined) return;
      const own = Buffer.from(piece);
      if (reader !== undefined && !taking) return handOver(own);
      // The first piece often comes with the head, and is often the last one.
      if (waiting.push(own) > 1) pause();
    },
    end() {
      whole = true;
      if (reader !== undefined && !taking && failure === undefined) reader.settled.resolve();
    },
    fail,
    stop,
    read(take) {
      const settled = Promise.withResolvers<void>();
      reader = { take, settled };
      if (failure === undefined) goOn();
      else settled.reject(failure);
      return settled.promise;
    },
  };
}

/** A body that comes compressed, as it was before. */
export function decoded(body: AnswerBody, decoder: Transform): AnswerBody {
  const stop = (error: Error): void => {
    body.stop(error);
    decoder.destroy(error);
  };
  const plain = createReceivedBody({ pause: () => decoder.pause(), resume: () => decoder.resume(), stop });
  decoder.on('data', plain.push);
  decoder.on('end', plain.end);
  // A decoder that is fed what is none of its encoding fails, and nothing more is asked of the provider.
  decoder.on('error', plain.stop);
  body
    .read((piece) => (decoder.write(piece) ? undefined : once(decoder, 'drain').then(() => undefined)))
    .then(() => decoder.end(), plain.stop);
  return plain;
}
