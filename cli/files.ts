import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError, usageError } from './command-error.ts';
import type { Io } from './io.ts';

/** A file that was named on the command line, as text. @throws CommandError USAGE */
export function readFile({ directory }: Pick<Io, 'directory'>, name: string): string {
  try {
    return readFileSync(resolve(directory, name), 'utf8');
  } catch {
    // Whatever the reason, what is to be done is the same.
    throw usageError(`${name} cannot be read.`);
  }
}

/** Writes over what is there. @throws CommandError NOT_WRITTEN */
export function saveFile({ directory }: Pick<Io, 'directory'>, name: string, text: string): void {
  try {
    writeFileSync(resolve(directory, name), text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError('NOT_WRITTEN', `${name} cannot be written: ${why}`, { cause: error });
  }
}
