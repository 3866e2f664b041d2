/**
 * Reads the HTTP/1.1 answers that come over a connection in pieces, and hands each one's body on as it comes. It is strict where readers differ: what could be understood in two ways
 * is no answer. Source: RFC 9112, sections 2.2 (line endings), 4 (status line), 5 (fields), 6 (body), 7.1 (chunks).
 */

export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; what is there more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** False when the connection ends with this answer. */
  readonly keepAlive: boolean;
}

/** Called in this order: once, any number of times, once. */
export interface AnswerSink {
  head(head: AnswerHead): void;
  /** Shares its memory with what was pushed. */
  piece(bytes: Buffer): void;
  end(): void;
}

export interface HttpAnswer {
  /**
   * From here on what comes is the answer to another request; before the first one, nothing may come.
   *
   * @param method of the request: an answer to `HEAD` has no body, whatever it says
   */
  begin(method: string): void;
  /** Takes the next piece, whose memory may be used again afterwards. Throws Error for what is no answer, or comes after it: the connection can't be used any more. */
  push(piece: Buffer): void;
  /** The connection has ended in good order, which is how some answers end. Throws Error when this one is not whole. */
  closed(): void;
  /** False once anything of this answer was received. */
  readonly empty: boolean;
}

const maxHeadBytes = 64 * 1024;
const nothing = Buffer.alloc(0);
const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');

/** Takes what it can and returns the rest; undefined when it needs more to go on. */
type Step = (bytes: Buffer) => Buffer | undefined;

/** For one connection: its answers come one after the other. */
export function createHttpAnswer(sink: AnswerSink): HttpAnswer {
  let method = '';
  let held: Buffer = nothing;
  let empty = true;
  let left = 0;
  let step: Step = over;

  function readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(headEnd);
    if (end < 0 ? bytes.length > maxHeadBytes : end > maxHeadBytes) throw new Error('the head of the answer is too large');
    if (end < 0) return undefined;
    const { status, version, headers } = headOf(bytes.toString('latin1', 0, end));
    const rest = bytes.subarray(end + headEnd.length);
    // On the way to the answer, e.g. 103. What is switched to another protocol (101) was never asked for.
    if (status < 200 && status !== 101) return rest;
    const body = status < 200 ? undefined : bodyOf(method, status, version, headers);
    if (body === undefined) throw new Error('the end of the answer cannot be told');
    const closes =
      version === '1.0' ||
      body === 'close' ||
      (headers['connection'] ?? '')
        .toLowerCase()
        .split(/[ \t]*,[ \t]*/)
        .includes('close');
    sink.head({ status, headers, keepAlive: !closes });
    if (body === 'close') step = untilClosed;
    else if (body === 'chunks') step = readChunkSize;
    else if (body === 0) finish();
    else {
      left = body;
      step = readSized;
    }
    return rest;
  }

  function readSized(bytes: Buffer): Buffer {
    const rest = pass(bytes);
    if (left === 0) finish();
    return rest;
  }

  function readChunkSize(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(lineEnd);
    if (end < 0 ? bytes.length > maxHeadBytes : end > maxHeadBytes) throw new Error('a chunk of the answer is malformed');
    if (end < 0) return undefined;
    const size = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;[^\r\n]*)?$/.exec(bytes.toString('latin1', 0, end))?.[1];
    if (size === undefined) throw new Error('a chunk of the answer is malformed');
    left = Number.parseInt(size, 16);
    step = left === 0 ? readTrailer : readChunk;
    return bytes.subarray(end + lineEnd.length);
  }

  function readChunk(bytes: Buffer): Buffer | undefined {
    if (left > 0) return pass(bytes);
    if (bytes.length < lineEnd.length) return undefined;
    if (bytes[0] !== lineEnd[0] || bytes[1] !== lineEnd[1]) throw new Error('a chunk of the answer is malformed');
    step = readChunkSize;
    return bytes.subarray(lineEnd.length);
  }

  /** Fields after the last chunk are read over, up to the empty line. */
  function readTrailer(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(lineEnd);
    if (end < 0 ? bytes.length > maxHeadBytes : end > maxHeadBytes) throw new Error('the end of the answer is too large');
    if (end < 0) return undefined;
    if (end === 0) finish();
    return bytes.subarray(end + lineEnd.length);
  }

  function untilClosed(bytes: Buffer): Buffer {
    sink.piece(bytes);
    return nothing;
  }

  /** One answer per request: more means that both sides do not speak of the same one. */
  function over(): never {
    throw new Error('the answer is followed by something else');
  }

  function pass(bytes: Buffer): Buffer {
    const taken = Math.min(left, bytes.length);
    left -= taken;
    sink.piece(bytes.subarray(0, taken));
    return bytes.subarray(taken);
  }

  function finish(): void {
    step = over;
    sink.end();
  }

  return {
    begin(asked) {
      method = asked;
      empty = true;
      step = readHead;
    },
    get empty() {
      return empty;
    },
    push(piece) {
      empty = false;
      let bytes: Buffer = held.length === 0 ? piece : Buffer.concat([held, piece]);
      held = nothing;
      while (bytes.length > 0) {
        const rest = step(bytes);
        if (rest === undefined) {
          held = Buffer.from(bytes);
          return;
        }
        bytes = rest;
      }
    },
    closed() {
      if (step === untilClosed) finish();
      else if (step !== over) throw new Error('the answer ended before it was whole');
    },
  };
}

interface Head {
  readonly status: number;
  readonly version: string;
  readonly headers: Readonly<Record<string, string>>;
}

function headOf(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const [, version, status] = /^HTTP\/(1\.[01]) ([1-5]\d\d)(?: |$)/.exec(first) ?? [];
  if (version === undefined || status === undefined) throw new Error('the answer is none of HTTP/1.1');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    // Also a folded line, a space before the colon, and a line break that is only half of one.
    if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new Error('the head of the answer is malformed');
    const known = headers[name];
    // Two lengths may be the same today; which of them holds is not for the reader to choose.
    if (known !== undefined && name === 'content-length') throw new Error('the answer has two lengths');
    headers[name] = known === undefined ? value : `${known}, ${value}`;
  }
  return { status: Number(status), version, headers };
}

/** Bytes of the body, or what else tells where it ends; undefined where nothing does. */
function bodyOf(
  method: string,
  status: number,
  version: string,
  { 'content-length': length, 'transfer-encoding': encoding }: Readonly<Record<string, string>>,
): number | 'chunks' | 'close' | undefined {
  if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || length !== undefined || version === '1.0')) return undefined;
  if (length !== undefined && !/^\d{1,12}$/.test(length)) return undefined;
  if (method === 'HEAD' || status === 204 || status === 304) return 0;
  if (encoding !== undefined) return 'chunks';
  return length === undefined ? 'close' : Number(length);
}
