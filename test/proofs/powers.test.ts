import { afterAll, expect, it } from 'vitest';
import { spelled } from './model/letters.ts';
import { powersOf } from './model/powers.ts';
import { openSolver } from './model/solver.ts';
import { thingsOf } from './model/things.ts';
import { viewsOf } from './model/views.ts';
import { linesOf, shortName } from './model/written-powers.ts';
import { synthesizedStack } from './synthesized.ts';

const stack = await synthesizedStack();
const solver = await openSolver();
afterAll(() => solver.close());

// A right that is added, or that is missed, is a line of a diff that somebody reads: `vitest run --project proofs -u`.
it('I8 I9 everybody may do what is written down, on what is written down, and nothing else', async () => {
  const things = thingsOf(stack);
  /** By subject: what may be done, and by whom. */
  const subjects = new Map<string, Map<string, string[]>>();
  for (const view of viewsOf(stack)) {
    const lines = linesOf(powersOf(view, things, solver), things);
    if (lines.length === 0 && view.who !== undefined) continue;
    const subject = subjects.get(view.subject) ?? new Map<string, string[]>();
    const text = lines.map((line) => `    ${line}\n`).join('');
    // No more without the boundary than with it.
    if (subject.get(text)?.length === 0) continue;
    subject.set(text, [...(subject.get(text) ?? []), ...(view.who === undefined ? [] : [shortName(spelled(view.who))])]);
    subjects.set(view.subject, subject);
  }
  const text = [...subjects].map(([subject, said]) => {
    const parts = [...said].map(([lines, whos]) => (whos.length === 0 ? lines : `  ${whos.join(' ')}\n${lines}`));
    return `${shortName(spelled(subject))}\n${parts.join('')}`;
  });
  await expect(text.join('')).toMatchFileSnapshot('powers.txt');
});
