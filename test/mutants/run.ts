/**
 * Puts one thing wrong in the policies, time and again, and tells for each whether anything notices. Exits with 1 when a mutant that is not equivalent stays alive.
 *
 *   npm run mutants [-- part-of-a-policy's-name]
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { synthesize } from '../../local/synthesize.ts';
import { spelled } from '../proofs/model/letters.ts';
import { openSolver } from '../proofs/model/solver.ts';
import { readStack } from '../proofs/model/stack.ts';
import { templatePath } from '../support/template.ts';
import { judge, type Verdict } from './judge.ts';
import { mutantsOf } from './mutate.ts';

interface Report {
  readonly policy: string;
  readonly mutant: string;
  readonly verdict: Verdict;
}

const [, file = '', only = '', shard] = process.argv;
if (shard === undefined) await lead();
else await work(Number(shard.split('/')[0]), Number(shard.split('/')[1]));

/** Judges every n-th mutant and reports to the process that started this one. */
async function work(first: number, of: number): Promise<void> {
  const stack = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
  const solver = await openSolver();
  const mutants = [...stack.policies].flatMap(([policy, document]) =>
    policy.includes(only) ? mutantsOf(document).map((mutant) => ({ policy, mutant })) : [],
  );
  for (const [index, { policy, mutant }] of mutants.entries()) {
    if (index % of !== first) continue;
    const report: Report = { policy, mutant: mutant.name, verdict: await judge(stack, policy, mutant, solver) };
    process.send?.(report);
  }
  solver.close();
  process.disconnect();
}

async function lead(): Promise<void> {
  await synthesize();
  const reports: Report[] = [];
  const workers = Math.min(2, availableParallelism());
  await Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const child = fork(file, [only, `${index}/${workers}`]);
      child.on('message', (report: Report) => {
        reports.push(report);
        if (process.stderr.isTTY) process.stderr.write(`\r${reports.length} judged`);
      });
      return new Promise<void>((done, failed) => {
        child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`a worker ended with ${code}`))));
      });
    }),
  );
  print(reports);
  if (reports.some(({ verdict }) => verdict.kind === 'alive')) process.exitCode = 1;
}

function print(reports: readonly Report[]): void {
  const count = (of: readonly Report[], kind: Verdict['kind']): number => of.filter(({ verdict }) => verdict.kind === kind).length;
  const row = (name: string, of: readonly Report[]): string => {
    const [killed, alive, redundant, equivalent, malformed] = (['killed', 'alive', 'redundant', 'equivalent', 'malformed'] as const).map(
      (kind) => count(of, kind),
    );
    return `${name.padEnd(64)} ${killed}/${(killed ?? 0) + (alive ?? 0)} killed, ${redundant} redundant, ${equivalent} equivalent, ${malformed} malformed`;
  };
  for (const policy of [...new Set(reports.map((report) => report.policy))].sort()) {
    const those = reports.filter((report) => report.policy === policy);
    console.log(spelled(row(policy, those)));
    for (const { mutant, verdict } of those) {
      if (verdict.kind === 'alive' || verdict.kind === 'redundant') console.log(spelled(`    ${verdict.kind}: ${mutant}`));
    }
  }
  console.log(row('all', reports));
}
