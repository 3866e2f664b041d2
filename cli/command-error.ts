/** How a command ends. Scripts rely on these: they do not change. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Done, but for something that a provider did not confirm. */
  unconfirmed: 3,
  /** Not seen to the end in the time given. What is in force stays so. */
  timedOut: 4,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Why a command ends early, in words for the one who gave it: what is wrong, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: { readonly exitCode?: ExitCode; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** What was typed cannot be meant. */
export function usageError(message: string): CommandError {
  return new CommandError('USAGE', message, { exitCode: exitCodes.usage });
}
