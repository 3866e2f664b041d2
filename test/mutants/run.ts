/**
 * Puts one thing wrong in the policies, time and again, and tells for each whether anything notices. Exits with 1 when a mutant that is not equivalent stays alive, or
 * one that is redundant has no name in `redundant.ts`.
 *
 *   npm run mutants [-- policies' names as a regular expression]
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { synthesize } from '../../local/synthesize.ts';
import { spelled } from '../proofs/model/letters.ts';
import { openSolver } from '../proofs/model/solver.ts';
import { readStack } from '../proofs/model/stack.ts';
import { templatePath } from '../support/template.ts';
import { createJudge } from './judge.ts';
import { mutantsOf } from './mutate.ts';
import { failuresOf, type Report, textOf } from './report.ts';

const [, file = '', only = '', shard] = process.argv;
if (shard === undefined) await lead();
else await work(Number(shard.split('/')[0]), Number(shard.split('/')[1]));

/** Judges every n-th statement's mutants, which are judged faster one after another, and reports to the process that started this one. */
async function work(first: number, of: number): Promise<void> {
  const stack = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
  const solver = await openSolver();
  const { judge } = createJudge(stack, solver);
  const statements = new Map<string, number>();
  for (const [policy, document] of stack.policies) {
    if (!new RegExp(only).test(policy)) continue;
    for (const mutant of mutantsOf(document)) {
      const statement = `${policy} ${mutant.statement}`;
      if (!statements.has(statement)) statements.set(statement, statements.size);
      if ((statements.get(statement) ?? 0) % of !== first) continue;
      const began = performance.now();
      const verdict = judge(policy, mutant);
      const report: Report = { policy, mutant: mutant.name, verdict, ms: performance.now() - began };
      process.send?.(report);
    }
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
        const { policy, mutant, verdict } = report;
        if (verdict.kind === 'alive' || verdict.kind === 'redundant')
          process.stderr.write(spelled(`${verdict.kind}: ${policy} ${mutant}\n`));
      });
      return new Promise<void>((done, failed) => {
        child.on('exit', (code) => (code === 0 ? done() : failed(new Error(`a worker ended with ${code}`))));
      });
    }),
  );
  console.log(textOf(reports));
  const failures = failuresOf(reports, only === '');
  for (const failure of failures) console.log(failure);
  if (failures.length > 0) process.exitCode = 1;
}
