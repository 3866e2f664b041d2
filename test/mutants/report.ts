/** What became of all mutants, for people. */
import { spelled } from '../proofs/model/letters.ts';
import type { Verdict } from './judge.ts';
import { redundant, ruleFor } from './redundant.ts';

export interface Report {
  readonly policy: string;
  readonly mutant: string;
  readonly verdict: Verdict;
  readonly ms: number;
}

const count = (of: readonly Report[], matches: (verdict: Verdict) => boolean): number =>
  of.filter(({ verdict }) => matches(verdict)).length;

function row(name: string, of: readonly Report[]): string {
  const killed = count(of, ({ kind }) => kind === 'killed');
  const by = (['request', 'powers', 'proof', 'text'] as const).map(
    (judge) => `${count(of, (verdict) => verdict.kind === 'killed' && verdict.by === judge)} by ${judge}`,
  );
  const others = (['redundant', 'equivalent', 'malformed'] as const).map(
    (kind) => `${count(of, (verdict) => verdict.kind === kind)} ${kind}`,
  );
  return `${name.padEnd(64)} ${killed}/${killed + count(of, ({ kind }) => kind === 'alive')} killed (${by.join(', ')}); ${others.join(', ')}`;
}

/** A line for each policy, and below it each mutant that was not killed. */
export function textOf(reports: readonly Report[]): string {
  const lines: string[] = [];
  for (const policy of [...new Set(reports.map((report) => report.policy))].sort()) {
    const those = reports.filter((report) => report.policy === policy);
    lines.push(row(policy, those));
    for (const { mutant, verdict } of those) {
      if (verdict.kind === 'alive') lines.push(`    alive: ${mutant}`, `        ${verdict.what}`);
      if (verdict.kind === 'redundant') lines.push(`    redundant: ${mutant}`);
    }
  }
  lines.push(row('all', reports), `${Math.round(reports.reduce((sum, { ms }) => sum + ms, 0) / 1000)} s in all processes`);
  return spelled(lines.join('\n'));
}

/** What makes the run fail: mutants alive, redundant ones without a name, and names (of a whole run) without a mutant. */
export function failuresOf(reports: readonly Report[], isWhole: boolean): string[] {
  const used = new Set<string>();
  const failures = reports.flatMap(({ policy, mutant, verdict }) => {
    const rule = ruleFor(policy, mutant);
    if (verdict.kind === 'redundant' && rule !== undefined) used.add(rule.name);
    if (verdict.kind === 'alive') return [`alive: ${policy} ${mutant}`];
    return verdict.kind === 'redundant' && rule === undefined ? [`redundant without a reason: ${policy} ${mutant}`] : [];
  });
  const stale = isWhole
    ? redundant.filter(({ name }) => !used.has(name)).map(({ name }) => `named redundant, and nothing of it is: ${name}`)
    : [];
  return [...failures, ...stale].map(spelled);
}
