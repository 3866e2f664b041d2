import type { SecretText } from './secret-text.ts';

/** What a log line may carry besides its message: plain values and identifiers. Never an event, a request or a response as a whole. */
export type LogFields = Readonly<Record<string, string | number | boolean | SecretText | undefined>>;

/** The port to the log. `logger.ts` writes structured JSON with Powertools. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** `error` is written with its code and causes. `lost: true` says that nothing will bring it back by itself: an alarm counts those lines. */
  error(message: string, error: unknown, fields?: LogFields & { readonly lost?: true }): void;
  /** The same log with these fields on each line, e.g. tenant and request. */
  with(fields: LogFields): Log;
}
