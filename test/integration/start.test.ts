import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const repository = resolve(import.meta.dirname, '..', '..');
const attempt = z.object({
  who: z.string(),
  tries: z.string(),
  expect: z.enum(['allowed', 'denied']),
  outcome: z.string(),
  held: z.boolean(),
  statement: z.string(),
});
const report = z.object({ held: z.boolean(), attempts: z.array(attempt) });

/** Runs the command as `npm start` does, from the given copy of the repository. */
function start(args: readonly string[], root = repository): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, [join(root, 'local', 'start.ts'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString('utf8')));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done({ code, ...output }));
  });
}

describe('P1 npm start', () => {
  it('ends with 0 after more than eighty attempts that all came out as expected, each with the statement that decided', async () => {
    const { code, stdout, stderr } = await start(['--json']);
    expect(code, stderr).toBe(0);
    const { held, attempts } = report.parse(JSON.parse(stdout));
    expect(held).toBe(true);
    expect(attempts.length).toBeGreaterThan(80);
    expect(attempts.filter((one) => !one.held || one.outcome !== one.expect || one.statement === '')).toEqual([]);
    expect(attempts.filter(({ outcome }) => outcome === 'allowed').length).toBeGreaterThanOrEqual(10);
  }, 120_000);

  it('ends with 1 when an attempt comes out otherwise than the example says, and names it', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'cordon-'));
    try {
      // The example and what reads it are copied, the rest is only referred to.
      const copied = ['local', 'examples'];
      for (const name of await readdir(repository)) {
        if (copied.includes(name)) await cp(join(repository, name), join(copy, name), { recursive: true });
        else if (name !== 'cdk.out') await symlink(join(repository, name), join(copy, name));
      }
      const file = join(copy, 'examples', 'two-tenants', 'attempts.json');
      const [first] = z.array(z.looseObject({ expect: z.string() })).parse(JSON.parse(await readFile(file, 'utf8')));
      await writeFile(file, JSON.stringify([{ ...first, expect: 'denied' }]));
      const { code, stdout, stderr } = await start(['--json'], copy);
      expect(code, stderr).toBe(1);
      expect(report.parse(JSON.parse(stdout))).toMatchObject({
        held: false,
        attempts: [{ expect: 'denied', outcome: 'allowed', held: false }],
      });
      expect(stderr).toContain('NOT AS EXPECTED: acme tried to read its own secret');
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  }, 120_000);

  it('shows its usage and ends with 0 when asked for help', async () => {
    const { code, stdout } = await start(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: npm start');
  });

  it('ends with 2 and shows its usage when it is given a flag that it does not know', async () => {
    const { code, stdout, stderr } = await start(['--jsno']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: npm start');
  });
});
