import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');

/**
 * Synthesizes the CDK app in a process of its own and answers the template's path. The child runs with this process's Node, so that an older
 * one on the host's PATH does not matter. Throws with the child's output when it fails.
 *
 * Each run has a directory of its own and moves its result into place: two CDK apps that write to one directory trip over each other's half
 * made bundles, and tests, `npm start` and `npm run local` may well run at once.
 */
export async function synthesize(outputDirectory = join(repository, 'cdk.out')): Promise<string> {
  mkdirSync(outputDirectory, { recursive: true });
  const own = mkdtempSync(join(outputDirectory, '.synthesis-'));
  try {
    await runApp(own);
    moveInto(own, outputDirectory);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return join(outputDirectory, templateName);
}

const templateName = 'Cordon.template.json';

async function runApp(outputDirectory: string): Promise<void> {
  const child = spawn(process.execPath, [join(repository, 'infra', 'app.ts')], {
    cwd: repository,
    env: { ...process.env, CDK_OUTDIR: outputDirectory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code !== 0 || !existsSync(join(outputDirectory, templateName))) {
    throw new Error(`Synthesis failed (node infra/app.ts, exit code ${code}):\n${Buffer.concat(output).toString('utf8').trim()}`);
  }
}

/** Assets first, the template last: whoever reads the template finds what it names. An asset is named by its content's hash, so one that is there is the same. */
function moveInto(from: string, to: string): void {
  const isLast = (name: string): number => Number(name === templateName);
  for (const name of readdirSync(from).sort((a, b) => isLast(a) - isLast(b))) {
    const target = join(to, name);
    try {
      if (!name.startsWith('asset.') || !existsSync(target)) renameSync(join(from, name), target);
    } catch (error) {
      // Another run has put the same asset there in the meantime.
      if (!name.startsWith('asset.') || !existsSync(target)) throw error;
    }
  }
}
