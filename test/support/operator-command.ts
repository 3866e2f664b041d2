/** The operators' command line, run against the test cloud as `npm run cordon` runs it, with nothing of the connection file but what is an operator's. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { run } from '../../cli/run.ts';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { connectionOf } from '../../local/connection.ts';
import type { TestCloud } from './cloud.ts';
import { pause } from './settle.ts';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  /** Stdout as the one document that it has to be. */
  json(): Record<string, unknown>;
}

export interface OperatorCommand {
  /** Where it is run, and files are named from. */
  readonly directory: string;
  /**
   * Runs one command line in this process.
   *
   * @param options.stepMs by how much the clock moves in each pause, beside the pause itself
   * @param options.answers what the person types; nobody sits there when left out
   */
  cordon(line: readonly string[], options?: { readonly answers?: readonly string[]; readonly stepMs?: number }): Promise<Ran>;
  /** Everything that was printed by all of them. */
  printed(): string;
}

/** A directory with a connection file that holds the operator's credentials, or `credentials`, and no other's, gone after the last test of the file. */
export async function operatorCommand(
  test: TestCloud,
  credentials?: Pick<AwsCredentials, 'accessKeyId' | 'secretAccessKey'>,
): Promise<OperatorCommand> {
  const directory = mkdtempSync(join(tmpdir(), 'cordon-cli-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const connection = await connectionOf(test.cloud, { url: 'http://127.0.0.1:9', token: 'none', close: async () => undefined });
  const operator = credentials ?? connection.principals.operator;
  mkdirSync(join(directory, '.cordon'));
  const file = { ...connection, principals: { operator, functions: {} }, customers: [] };
  writeFileSync(join(directory, '.cordon', 'local.json'), JSON.stringify(file), { mode: 0o600 });
  let printed = '';

  return {
    directory,
    printed: () => printed,
    async cordon(line, { answers, stepMs = 0 } = {}) {
      const left = [...(answers ?? [])];
      let out = '';
      let err = '';
      const exitCode = await run(line, {
        out(text) {
          out += text;
        },
        err(text) {
          err += text;
        },
        interactive: answers !== undefined,
        ask: async () => left.shift() ?? '',
        async pause(ms) {
          await pause(test.cloud);
          test.cloud.clock.advance(ms + stepMs);
          await pause(test.cloud);
        },
        clock: () => Date.now(),
        directory,
      });
      printed += out + err;
      return { exitCode, out, err, json: () => JSON.parse(out) };
    },
  };
}
