import { type AnswerHead, createHttpAnswer } from './http-answer.ts';

export interface AwsAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AnswerReader {
  /** From here on what comes is the answer to another request. */
  begin(): void;
  /**
   * Takes the next piece, whose memory may be used again afterwards.
   *
   * @returns the answer once it is whole
   * @throws Error for what is no answer of the forms that AWS uses, or is too large: the connection can't be used any more
   */
  push(piece: Buffer): { readonly answer: AwsAnswer; readonly keepAlive: boolean } | undefined;
  /** False once anything of this answer was received. */
  readonly empty: boolean;
}

/** No answer of the calls made here is larger: a page of a query has 1 MB. */
const maxBytes = 16 * 1024 * 1024;

/** For one connection: collects each answer of AWS as a text. One that ends with its connection is none: AWS says how long its answers are. */
export function createAnswerReader(): AnswerReader {
  let pieces: Buffer[] = [];
  let size = 0;
  let head: AnswerHead | undefined;
  let whole = false;
  const reader = createHttpAnswer({
    head(received) {
      head = received;
    },
    piece(bytes) {
      pieces.push(Buffer.from(bytes));
      size += bytes.length;
      if (size > maxBytes) throw new Error('the answer is too large');
    },
    end() {
      whole = true;
    },
  });
  return {
    begin() {
      pieces = [];
      size = 0;
      head = undefined;
      whole = false;
      reader.begin('POST');
    },
    get empty() {
      return reader.empty;
    },
    push(piece) {
      reader.push(piece);
      if (head === undefined) return undefined;
      const { status, headers, keepAlive } = head;
      if (!whole && headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
        throw new Error('the answer has no length');
      if (!whole) return undefined;
      const [only] = pieces;
      const body = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
      pieces = [];
      return { answer: { status, headers, body: body.toString('utf8') }, keepAlive };
    },
  };
}
