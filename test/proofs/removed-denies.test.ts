import { afterAll, describe, expect, it } from 'vitest';
import type { PolicyStatement } from '../../local/iam/policy.ts';
import { inFull } from '../support/fault-points.ts';
import { list } from './model/lists.ts';
import { concerns, counterexample } from './model/question.ts';
import { everyQuestion } from './model/questions.ts';
import { openSolver } from './model/solver.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();
const solver = await openSolver();
afterAll(() => solver.close());

interface Removed {
  readonly policy: string;
  readonly statement: PolicyStatement;
}

const denies = [...stack.policies].flatMap(([policy, { Statement }]): Removed[] =>
  list(Statement).flatMap((statement) => (statement.Effect === 'Deny' ? [{ policy, statement }] : [])),
);

/** Denies that nothing here depends on, and why they stand there. */
const redundant: Readonly<Record<string, string>> = {
  'managed Revoked NothingCutOff': 'holds for nobody until a session is cut off',
};
/** A policy has at least one statement. */
const forNobody: PolicyStatement = { Effect: 'Allow', Principal: { Service: 'nobody.amazonaws.com' }, Action: '*', Resource: '*' };
/** Every third, or it would take too long: `npm run faults` takes them all, and each has an attack of its own in `test/infra`. */
const isKept = (index: number): boolean => inFull || index % 6 === 0;
const nameOf = ({ policy, statement }: Removed): string => `${policy} ${statement.Sid ?? JSON.stringify(statement.Condition)}`;

describe('I8 a Deny that is taken out lets a request through that the evaluator allows', () => {
  const needed = denies.filter((one) => redundant[nameOf(one)] === undefined).filter((_, index) => isKept(index));
  it.each(needed.map((one) => [nameOf(one), one] as const))('%s', (_, { policy, statement }) => {
    const document = stack.policies.get(policy);
    const left = list(document?.Statement).filter((one) => one !== statement);
    const Statement = left.length > 0 ? left : [forNobody];
    const without = { ...stack, policies: new Map([...stack.policies, [policy, { ...document, Statement }]]) };
    for (const question of everyQuestion(without).filter((one) => one.ask.uses.includes(policy) && concerns(one, statement))) {
      const witness = counterexample(solver, question);
      if (witness === undefined) continue;
      console.log(`Without ${statement.Sid} of ${policy}\n  ${question.name}\n  ${witness.text.replaceAll('\n', '\n  ')}`);
      expect(witness.decisions.map(({ allowed }) => allowed)).toEqual(witness.decisions.map(() => true));
      return;
    }
    expect.fail('nothing that is proven depends on it');
  });

  it('names what is redundant, and nothing else', () => {
    expect(Object.keys(redundant).filter((name) => !denies.some((one) => nameOf(one) === name))).toEqual([]);
  });
});
