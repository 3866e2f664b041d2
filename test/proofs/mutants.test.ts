import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { createJudge } from '../mutants/judge.ts';
import { mutantsOf } from '../mutants/mutate.ts';
import { failuresOf, type Report } from '../mutants/report.ts';
import { list } from './model/lists.ts';
import { openSolver } from './model/solver.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();
const solver = await openSolver();
afterAll(() => solver.close());

/** Another seed, other mutants: each is taken or not by its own name, whatever else there is. `npm run mutants` takes them all. */
const seed = 7;
const oneOf = 200;
const isTaken = (name: string): boolean => createHash('sha256').update(`${seed} ${name}`).digest().readUInt32BE() % oneOf === 0;

describe('I8 a policy with one thing wrong in it is noticed', () => {
  const mutants = [...stack.policies].flatMap(([policy, document]) => mutantsOf(document).map((mutant) => ({ policy, mutant })));
  const sample = mutants.filter(({ policy, mutant }) => isTaken(`${policy} ${mutant.name}`));

  it(`each of a sample of all that can be wrong: ${sample.length}`, () => {
    expect(sample.length).toBeGreaterThan(5);
    const { judge } = createJudge(stack, solver);
    const reports: Report[] = [];
    for (const { policy, mutant } of sample) reports.push({ policy, mutant: mutant.name, verdict: judge(policy, mutant), ms: 0 });
    expect(failuresOf(reports, false)).toEqual([]);
    expect(reports.filter(({ verdict }) => verdict.kind === 'killed').length).toBeGreaterThan(sample.length / 2);
  });

  it('and one that nothing looks at is said to be alive, with a request that is decided otherwise', () => {
    const policy = 'managed OperatorAccess';
    const planted = {
      Sid: 'Planted',
      Effect: 'Deny' as const,
      Action: 'sqs:*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:SourceVpc': ['one', 'two'] } },
    };
    const document = { Version: '2012-10-17', Statement: [...list(stack.policies.get(policy)?.Statement), planted] };
    const { judge } = createJudge({ ...stack, policies: new Map([...stack.policies, [policy, document]]) }, solver);
    const weaker = mutantsOf(document).filter(({ name }) => name === 'Planted: Condition StringEquals aws:SourceVpc without two');
    expect(weaker).toHaveLength(1);
    for (const mutant of weaker)
      expect(judge(policy, mutant)).toMatchObject({ kind: 'alive', what: expect.stringContaining('aws:sourcevpc = two') });
  });
});
