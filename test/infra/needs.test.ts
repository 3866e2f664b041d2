import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readStack } from '../proofs/model/stack.ts';
import { askerOf, readNeeds } from '../support/needs.ts';
import { concernedIn, decideIn } from '../support/stack-decisions.ts';
import { templatePath } from '../support/template.ts';

const stack = await readStack(JSON.parse(readFileSync(templatePath, 'utf8')));
const needs = readNeeds();

/** `npm run needs` records them anew. */
describe('I8 what the integration tests were seen to need is allowed', () => {
  it.each([...new Set(needs.map(({ principal }) => principal))])('to %s', (principal) => {
    const refused = needs
      .filter((need) => need.principal === principal)
      .flatMap((need) => {
        const asker = askerOf(need);
        const concerned = concernedIn(stack, asker);
        const decision = concerned && decideIn(stack, asker, concerned);
        return decision?.allowed === true
          ? []
          : [`${need.action} on ${need.resource}: ${decision?.message ?? 'the stack knows no such caller'}`];
      });
    expect(refused).toEqual([]);
  });

  it('is a request of every kind of role', () => {
    const asking = new Set(needs.map(({ principal }) => principal));
    expect(asking.size).toBeGreaterThan(25);
    expect(needs.filter(({ kind }) => kind === 'service').length).toBeGreaterThan(10);
  });
});
