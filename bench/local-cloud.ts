/** How long the local cloud takes to be ready, and `npm start` as a whole process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { startCloud } from '../local/cloud.ts';
import { templatePath } from '../test/support/template.ts';
import { atMost, type Bench } from './figures.ts';

const runs = 5;

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function start(): Promise<void> {
  const child = spawn(process.execPath, [resolve('local/start.ts'), '--json'], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`npm start ended with ${code}`);
}

export const localCloud: Bench = {
  name: `Local cloud, median of ${runs} runs`,
  async run() {
    const ready: number[] = [];
    const whole: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      ready.push(
        await seconds(async () => {
          const cloud = await startCloud({ templatePath: resolve(templatePath) });
          await cloud.close();
        }),
      );
      whole.push(await seconds(start));
    }
    return [
      atMost('started, template loaded, stopped', median(ready), 's', 5),
      atMost('npm start, synthesis to exit', median(whole), 's', 30),
    ];
  },
};
