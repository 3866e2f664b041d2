import { CordonError } from '../shared/errors.ts';
import type { Log, LogFields } from '../shared/log.ts';

/** To the stream itself, as Powertools does: Lambda's `console` puts time and request in front, and then no line is JSON any more. */
const toStdout = (line: string): void => void process.stdout.write(`${line}\n`);

/** Structured lines as `logger.ts` writes them, without its library. Secrets are `SecretText` and print as `[redacted]`. */
export function createConsoleLog(service: string, write: (line: string) => void = toStdout, always: LogFields = {}): Log {
  const line = (level: string, message: string, fields: object): void =>
    write(JSON.stringify({ level, message, service, timestamp: new Date().toISOString(), ...always, ...fields }));
  return {
    info: (message, fields) => line('INFO', message, { ...fields }),
    warn: (message, fields) => line('WARN', message, { ...fields }),
    error: (message, error, fields) => line('ERROR', message, { ...fields, error: described(error) }),
    with: (fields) => createConsoleLog(service, write, { ...always, ...fields }),
  };
}

function described(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { name: 'unknown' };
  return {
    name: error.name,
    ...(error instanceof CordonError && { code: error.code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && depth < 5 && { cause: described(error.cause, depth + 1) }),
  };
}
