/** Reads one HTTP/1.1 answer from the pieces of a connection. Source: RFC 9112, sections 4 (status line), 5 (fields), 6 (body), 7.1 (chunks). */

export interface AwsAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AnswerReader {
  /**
   * Takes the next piece.
   *
   * @returns the answer once it is whole
   * @throws Error for what is no answer of the forms that AWS uses, or is too large: the connection can't be used any more
   */
  push(piece: Buffer): { readonly answer: AwsAnswer; readonly keepAlive: boolean } | undefined;
  /** False once anything was received. */
  readonly empty: boolean;
}

/** No answer of the calls made here is larger: a page of a query has 1 MB. */
const maxBytes = 16 * 1024 * 1024;
const maxHeadBytes = 64 * 1024;

interface Head {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly bodyAt: number;
}

export function createAnswerReader(): AnswerReader {
  let bytes: Buffer = Buffer.alloc(0);
  let head: Head | undefined;
  return {
    get empty() {
      return bytes.length === 0;
    },
    push(piece) {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
      if (bytes.length > maxBytes) throw new Error('the answer is too large');
      head ??= headOf(bytes);
      if (head === undefined) return undefined;
      const { status, headers, bodyAt } = head;
      const body = headers['transfer-encoding'] === undefined ? sizedBody(bytes, head) : chunkedBody(bytes, head);
      if (body === undefined) return undefined;
      // One answer per request: more means that both sides do not speak of the same one.
      if (body.end !== bytes.length) throw new Error('the answer is followed by something else');
      return {
        answer: { status, headers, body: body.text ?? bytes.toString('utf8', bodyAt, body.end) },
        keepAlive: headers['connection']?.toLowerCase() !== 'close',
      };
    },
  };
}

function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    if (bytes.length > maxHeadBytes) throw new Error('the head of the answer is too large');
    return undefined;
  }
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw new Error('the answer is none of HTTP/1.1');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    // Also a folded line and a space before the colon.
    if (colon < 1 || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Error('the head of the answer is malformed');
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status: Number(status), headers, bodyAt: end + 4 };
}

interface Body {
  /** Where the answer ends. */
  readonly end: number;
  /** Undefined when the bytes up to the end are the body. */
  readonly text?: string;
}

function sizedBody(bytes: Buffer, { status, headers, bodyAt }: Head): Body | undefined {
  if (status === 204 || status === 304) return { end: bodyAt };
  const length = headers['content-length'];
  if (length === undefined || !/^\d{1,9}$/.test(length)) throw new Error('the answer has no length');
  const end = bodyAt + Number(length);
  return bytes.length < end ? undefined : { end };
}

function chunkedBody(bytes: Buffer, { headers, bodyAt }: Head): Body | undefined {
  if (headers['transfer-encoding']?.toLowerCase() !== 'chunked' || headers['content-length'] !== undefined)
    throw new Error('the answer has an encoding that is not known');
  const parts: Buffer[] = [];
  for (let at = bodyAt; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = /^([0-9A-Fa-f]{1,7})(?:[ \t]*;.*)?$/.exec(bytes.toString('latin1', at, lineEnd))?.[1];
    if (size === undefined) throw new Error('a chunk of the answer is malformed');
    const begin = lineEnd + 2;
    const end = begin + Number.parseInt(size, 16);
    if (end === begin) {
      // Fields after the last chunk are read over, up to the empty line.
      const over = bytes.toString('latin1', begin, begin + 2) === '\r\n' ? begin : bytes.indexOf('\r\n\r\n', begin) + 2;
      if (over < begin || bytes.length < over + 2) return undefined;
      return { end: over + 2, text: Buffer.concat(parts).toString('utf8') };
    }
    if (bytes.length < end + 2) return undefined;
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error('a chunk of the answer is malformed');
    parts.push(bytes.subarray(begin, end));
    at = end + 2;
  }
}
