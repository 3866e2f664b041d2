import { afterAll, expect, it } from 'vitest';
import { operatorOf } from './model/chains.ts';
import { other, spelled } from './model/letters.ts';
import { powersOf } from './model/powers.ts';
import { openSolver } from './model/solver.ts';
import { ownerOf } from './model/stack.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();
const solver = await openSolver();
afterAll(() => solver.close());

// A right that is added, or that is missed, is a line of a diff that somebody reads: `vitest run --project proofs -u`.
it('I8 I9 every principal may do what is written down for it, and nothing else', async () => {
  const lines: string[] = [];
  for (const principal of [...stack.principals, operatorOf()]) {
    if (ownerOf(principal) === other) continue;
    // The hash that the CDK ends a logical ID with says nothing.
    lines.push(
      spelled(principal.name).replace(/[0-9A-F]{8}$/, ''),
      ...(await powersOf(stack, principal, solver)).map((action) => `    ${action}`),
    );
  }
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('powers.txt');
});
