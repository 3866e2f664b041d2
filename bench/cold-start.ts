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

async function milliseconds(what: 'import' | 'broker' | 'sdk', env: Readonly<Record<string, string>>): Promise<number> {
  const child = fork('bench/peers/first-call.ts', [what], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ ms: number }];
  await once(child, 'exit');
  return message.ms;
}

export const coldStart: Bench = {
  name: `Cold start of the broker, median of ${runs} processes`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'cordon-bench-'));
    const provider = await startPeer('bench/peers/stub-provider.ts', { core: 1 });
    const aws = await startPeer('bench/peers/stub-aws.ts', { core: 1 });
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
      const times = { bare: [] as number[], imported: [] as number[], broker: [] as number[], sdk: [] as number[] };
      for (let run = 0; run < runs; run += 1) {
        times.bare.push(await milliseconds('import', { ...env, BUNDLE: nothing }));
        times.imported.push(await milliseconds('import', { ...env, BUNDLE: brokerBundle() }));
        times.broker.push(await milliseconds('broker', { ...env, BUNDLE: brokerBundle() }));
        times.sdk.push(await milliseconds('sdk', { ...env, BUNDLE: sdk }));
      }
      return [
        atMost('import above bare Node', median(times.imported) - median(times.bare), 'ms', 40),
        { what: 'import to the end of the broker’s whole first call', value: median(times.broker), unit: 'ms' },
        { what: 'import to the end of one insert with the SDK', value: median(times.sdk), unit: 'ms' },
        {
          what: 'whole first call of the broker : one insert with the SDK',
          value: median(times.broker) / median(times.sdk),
          unit: 'ratio',
        },
      ];
    } finally {
      provider.stop();
      aws.stop();
      rmSync(folder, { recursive: true });
    }
  },
};
