import { afterAll, describe, expect, it } from 'vitest';
import { counterexample } from './model/question.ts';
import { byProperty, questionsOf } from './model/questions.ts';
import { openSolver } from './model/solver.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();
const solver = await openSolver();
afterAll(() => solver.close());

describe.each([
  ['I8 I1 I2 I3 no session reaches what is another tenant’s or user’s', 'sessions'],
  ['I8 I2 I11 no session becomes another tenant’s or user’s', 'chains'],
  ['I8 I9 no standing principal reaches tenants’ data or identities', 'standing'],
] as const)('%s', (_, part) => {
  it.each([...byProperty(questionsOf[part](stack))])('%s', (_property, questions) => {
    const found: string[] = [];
    for (const question of questions) {
      const witness = counterexample(solver, question);
      if (witness !== undefined) found.push(`${question.name}\n${witness.text}`);
    }
    expect(found).toEqual([]);
  });
});
