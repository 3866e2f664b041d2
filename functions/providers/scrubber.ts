/**
 * Takes secrets out of an answer as it passes. Providers repeat keys in error messages, and a tool or a server of the customer's may repeat whatever it was sent: plainly,
 * base64 or base64url (also as part of a longer text, `user:key`), URL-encoded, JSON-escaped or in hex.
 */
import { type Automaton, type Cursor, createAutomaton } from './scrubber-automaton.ts';
import { patternsOf } from './scrubber-patterns.ts';

const redacted = Buffer.from('[redacted]');
const nothing = Buffer.alloc(0);
/** An answer that breaks off inside a secret has given away what came before: from this many bytes on that goes too. */
const shortestRemainder = 16;

export interface Scrubber {
  /** What may be passed on now: everything but an end that could be the beginning of a secret. May share memory with `chunk`. */
  push(chunk: Buffer): Buffer;
  /** What was held back, after the last chunk. */
  end(): Buffer;
}

/** Prepared once for each cached secret: the work of making the automaton is shared by all its uses. */
export interface CompiledSecrets {
  scrubber(): Scrubber;
  /** For header values and messages: a whole text at once. */
  scrub(text: string): string;
}

/** @param secrets empty ones are left out: nothing is what every text contains */
export function compileSecrets(secrets: readonly string[]): CompiledSecrets {
  const automaton = createAutomaton(secrets.flatMap(patternsOf));
  const scrubber = (): Scrubber => scrubWith(automaton);
  return {
    scrubber,
    scrub(text) {
      const one = scrubber();
      return Buffer.concat([one.push(Buffer.from(text)), one.end()]).toString();
    },
  };
}

/** For a single use; `compileSecrets` where the secrets stay. */
export function createScrubber(secrets: readonly string[]): Scrubber {
  return compileSecrets(secrets).scrubber();
}

function scrubWith(automaton: Automaton): Scrubber {
  let held: Buffer = nothing;
  let threads: readonly number[] = [];
  return {
    push(chunk) {
      const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const cursor: Cursor = { threads, earliest: 0 };
      const passed: Buffer[] = [];
      /** Everything before is passed on or redacted. */
      let done = 0;
      let end = automaton.run(cursor, bytes, held.length);
      while (end < bytes.length) {
        const begin = automaton.beginOfMatch(bytes.subarray(0, end + 1), cursor.earliest) ?? cursor.earliest;
        passed.push(bytes.subarray(done, begin), redacted);
        done = end + 1;
        cursor.earliest = done;
        end = automaton.run(cursor, bytes, done);
      }
      threads = cursor.threads;
      const from = Math.max(cursor.earliest, bytes.length - automaton.longest);
      const keep = threads.length === 0 ? bytes.length : automaton.beginOfPartial(bytes, from);
      const rest = bytes.subarray(done, keep);
      // A copy: the chunk's memory is the connection's.
      held = keep === bytes.length ? nothing : Buffer.from(bytes.subarray(keep));
      return passed.length === 0 ? rest : Buffer.concat([...passed, rest]);
    },
    end() {
      const rest = held.length < shortestRemainder ? held : redacted;
      held = nothing;
      threads = [];
      return rest;
    },
  };
}
