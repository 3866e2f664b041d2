import type { Log, LogFields } from '../../../functions/shared/log.ts';

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps what is logged. */
export interface MemoryLog extends Log {
  readonly lines: readonly Line[];
}

export function createMemoryLog(): MemoryLog {
  const lines: Line[] = [];
  const log = (always: LogFields): MemoryLog => ({
    lines,
    info: (message, fields) => lines.push({ level: 'info', message, fields: { ...always, ...fields } }),
    warn: (message, fields) => lines.push({ level: 'warn', message, fields: { ...always, ...fields } }),
    error: (message, _error, fields) => lines.push({ level: 'error', message, fields: { ...always, ...fields } }),
    with: (fields) => log({ ...always, ...fields }),
  });
  return log({});
}
