/** What a new environment of the broker waits for, beside a function that does nothing but one insert with the SDK's client. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { brokerBundle, brokerEnv } from './broker.ts';
import { atMost, type Bench } from './figures.ts';
import { startPeer } from './peer.ts';

const runs = 11;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

interface FirstCall {
  readonly startedAt: number;
  readonly ms: number;
}

async function firstCall(what: 'import' | 'call', env: Readonly<Record<string, string>>): Promise<FirstCall> {
  const child = fork('bench/peers/first-call.ts', [what], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [FirstCall];
  await once(child, 'exit');
  return message;
}

export const coldStart: Bench = {
  name: `Cold start of the broker, median of ${runs} processes`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'cordon-bench-'));
    const provider = await startPeer('bench/peers/stub-provider.ts');
    const aws = await startPeer('bench/peers/stub-aws.ts');
    try {
      const nothing = join(folder, 'nothing.mjs');
      writeFileSync(nothing, 'export const handler = async () => {};\n');
      const sdk = join(folder, 'sdk.mjs');
      buildSync({
        entryPoints: ['bench/peers/sdk-handler.ts'],
        outfile: sdk,
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'esm',
        mainFields: ['module', 'main'],
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      });
      const env = brokerEnv(`http://127.0.0.1:${aws.port}`, `http://127.0.0.1:${provider.port}`);
      const counts = `http://127.0.0.1:${aws.port}/counts`;
      /** From the start of the import until the first insert was answered. */
      const untilInsert = async (bundle: string): Promise<number> => {
        await fetch(counts, { method: 'POST' });
        const { startedAt } = await firstCall('call', { ...env, BUNDLE: bundle });
        const { firstInsertAt = Number.NaN } = (await (await fetch(counts)).json()) as { firstInsertAt?: number };
        return firstInsertAt - startedAt;
      };
      const times = { bare: [] as number[], imported: [] as number[], broker: [] as number[], sdk: [] as number[] };
      for (let run = 0; run < runs; run += 1) {
        times.bare.push((await firstCall('import', { ...env, BUNDLE: nothing })).ms);
        times.imported.push((await firstCall('import', { ...env, BUNDLE: brokerBundle() })).ms);
        times.broker.push(await untilInsert(brokerBundle()));
        times.sdk.push(await untilInsert(sdk));
      }
      return [
        atMost('import above bare Node', median(times.imported) - median(times.bare), 'ms', 40),
        { what: 'import to the first durable write, broker (with session, gate, rules, secret)', value: median(times.broker), unit: 'ms' },
        { what: 'import to the first durable write, one insert with the SDK', value: median(times.sdk), unit: 'ms' },
        atMost('import to the first durable write, broker : SDK', median(times.broker) / median(times.sdk), 'ratio', 0.5),
      ];
    } finally {
      provider.stop();
      aws.stop();
      rmSync(folder, { recursive: true });
    }
  },
};
