/** An error in the shape AWS answers: `code` becomes `__type` or `<Code>`, `status` the HTTP status. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.extra = extra;
  }
}

export function notImplemented(what: string): AwsError {
  return new AwsError('NotImplemented', `The local cloud does not implement ${what}.`, 501);
}
