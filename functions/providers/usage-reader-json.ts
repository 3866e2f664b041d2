/**
 * Picks the named members out of a JSON text as it passes, at its top or at the top of the objects of a top-level array (Gemini's stream without
 * `alt=sse`). Only what is picked is kept and parsed, so that an answer of any size costs the same memory.
 */
const maxMemberBytes = 64 * 1024;
/** No member looked for has a longer name. */
const maxNameBytes = 64;

const quote = 0x22;
const backslash = 0x5c;
const [openObject, closeObject, openArray, closeArray, colon, comma] = [0x7b, 0x7d, 0x5b, 0x5d, 0x3a, 0x2c];

export interface JsonMembers {
  push(chunk: Uint8Array): void;
}

/** `onMember` gets each named member's value as soon as it is complete. Text that is no JSON yields nothing. */
export function createJsonMembers(names: ReadonlySet<string>, onMember: (name: string, value: unknown) => void): JsonMembers {
  /** One character per open bracket, as far as it matters: members are looked for at `{` and at `[{`. */
  let open = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** The string read last at a depth where members are, until a colon makes it a name. */
  let name: number[] | undefined;
  let nameEnded = false;
  let picking: { name: string; bytes: number[]; depth: number } | undefined;

  const atMembers = (): boolean => (depth === 1 && open === '{') || (depth === 2 && open === '[{');
  const close = (): void => {
    if (picking === undefined) return;
    const { name: picked, bytes } = picking;
    picking = undefined;
    if (bytes.length > maxMemberBytes) return;
    try {
      onMember(picked, JSON.parse(Buffer.from(bytes).toString('utf8')));
    } catch {
      // Not JSON after all: nothing to read from it.
    }
  };

  const take = (byte: number): void => {
    if (picking !== undefined && picking.depth === depth && !inString && (byte === comma || byte === closeObject)) close();
    if (picking !== undefined && picking.bytes.length <= maxMemberBytes) picking.bytes.push(byte);
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) {
        inString = false;
        nameEnded = true;
        return;
      }
      // Too long for any of the names: a value, most likely.
      if (name !== undefined && name.push(byte) > maxNameBytes) name = undefined;
      return;
    }
    switch (byte) {
      case quote:
        inString = true;
        nameEnded = false;
        name = picking === undefined && atMembers() ? [] : undefined;
        return;
      case colon: {
        if (name === undefined || !nameEnded || picking !== undefined) return;
        const text = Buffer.from(name).toString('utf8');
        name = undefined;
        if (names.has(text)) picking = { name: text, bytes: [], depth };
        return;
      }
      case openObject:
      case openArray:
        depth += 1;
        if (depth <= 2) open += byte === openObject ? '{' : '[';
        return;
      case closeObject:
      case closeArray:
        if (depth <= 2) open = open.slice(0, -1);
        depth -= 1;
        return;
      case comma:
        name = undefined;
    }
  };

  return {
    push(chunk) {
      for (let index = 0; index < chunk.length; index += 1) {
        // Inside a string or a structure that nobody asked for, only its end matters: most of an answer is read here.
        if (name === undefined && picking === undefined && !escaped) {
          if (inString) index = skipString(chunk, index);
          else if (depth > 2) index = skipPlain(chunk, index);
          if (index >= chunk.length) return;
        }
        take(chunk[index] ?? 0);
      }
    },
  };
}

/** The next quote or backslash, or the chunk's length. */
function skipString(chunk: Uint8Array, from: number): number {
  const end = chunk.indexOf(quote, from);
  const stop = end < 0 ? chunk.length : end;
  const slash = chunk.subarray(from, stop).indexOf(backslash);
  return slash < 0 ? stop : from + slash;
}

/** The next quote or bracket, or the chunk's length. */
function skipPlain(chunk: Uint8Array, from: number): number {
  for (let index = from; index < chunk.length; index += 1) {
    const byte = chunk[index] ?? 0;
    if (byte === quote || (byte | 0x20) === openObject || (byte | 0x20) === closeObject) return index;
  }
  return chunk.length;
}
