/** The way back to the caller. */
export interface ClientStream {
  /** A whole answer at once, in place of all that follows. */
  answer(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array | string): void;
  /** Once, before the first `write`: sends status and headers at once, so that a caller sees a stream begin. */
  begin(status: number, headers: Readonly<Record<string, string>>): void;
  /** Resolves when more may be written; undefined when at once. */
  write(chunk: Uint8Array | string): Promise<void> | undefined;
  end(): void;
  /** Instead of `end`: has the connection broken, so that the caller sees that the answer is not whole. */
  break(error: Error): void;
  /** Aborted when the caller has gone away before the end. */
  readonly gone: AbortSignal;
}
