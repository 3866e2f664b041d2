import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '..');

/**
 * Synthesizes the CDK app in a process of its own and answers the template's path. The child runs with this process's Node, so that an older
 * one on the host's PATH does not matter. Throws with the child's output when it fails.
 *
 * Each run has a directory of its own and moves its result into place: two CDK apps that write to one directory trip over each other's half
 * made bundles, and tests, `npm start` and `npm run local` may well run at once. Where nothing has changed that it is made from, what was made before is answered.
 */
export async function synthesize(outputDirectory = join(repository, 'cdk.out')): Promise<string> {
  const template = join(outputDirectory, templateName);
  const made = join(outputDirectory, madeFromName);
  const from = digestOf(repository);
  if (existsSync(template) && existsSync(made) && readFileSync(made, 'utf8') === markOf(from, template)) return template;
  mkdirSync(outputDirectory, { recursive: true });
  const own = mkdtempSync(join(outputDirectory, '.synthesis-'));
  try {
    await runApp(own);
    writeFileSync(join(own, madeFromName), markOf(from, join(own, templateName)));
    moveInto(own, outputDirectory);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return template;
}

const templateName = 'Cordon.template.json';
/** Beside the template: what it was made from, and which it is, because it may also be written in other ways (`npm run synth`). */
const madeFromName = '.made-from';
const inputs = ['infra', 'functions', 'cdk.json', 'openapi.yaml', 'package.json', 'package-lock.json'];

/** Of everything that a synthesis reads, and of what runs it. */
function digestOf(root: string): string {
  const digest = createHash('sha256').update(process.version);
  for (const input of inputs) {
    const path = join(root, input);
    const files = input.includes('.')
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((entry) =>
          entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
        );
    for (const file of files.sort()) digest.update(file).update(readFileSync(file));
  }
  return digest.digest('hex');
}

function markOf(from: string, template: string): string {
  return `${from} ${createHash('sha256').update(readFileSync(template)).digest('hex')}`;
}

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
