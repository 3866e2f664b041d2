import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arnMatcher } from '../../local/iam/arn.ts';
import type { RequestContext } from '../../local/iam/request-context.ts';
import { textMatcher } from '../../local/iam/variables.ts';
import { classesOf, matches } from './model/names.ts';
import { patternOf, type TextKind } from './model/patterns.ts';
import { someCaller } from './random.ts';

const nothing: RequestContext = new Map();
/** Few characters, so that patterns and texts meet. */
const character = fc.constantFrom('a', 'A', 'b', ':', '/', '#');
const text = fc.string({ unit: character, maxLength: 14 });
const patternText = fc.string({ unit: fc.oneof({ weight: 3, arbitrary: character }, fc.constantFrom('*', '?')), maxLength: 8 });
const written = fc.oneof(
  fc.record({ kind: fc.constantFrom<TextKind>('exact', 'ignoring-case', 'like'), text: patternText }),
  fc.record({
    kind: fc.constant<TextKind>('arn'),
    text: fc.array(patternText, { minLength: 6, maxLength: 7 }).map((parts) => parts.join(':')),
  }),
);
const asked = fc.oneof(
  text,
  fc.array(text, { minLength: 6, maxLength: 7 }).map((parts) => parts.join(':')),
);

/** What the evaluator says. */
function evaluators({ kind, text }: { readonly kind: TextKind; readonly text: string }): (asked: string) => boolean {
  const matcher =
    kind === 'arn'
      ? arnMatcher(text, { wildcards: true, variables: false })
      : textMatcher(text, { wildcards: kind === 'like', variables: false, ignoreCase: kind === 'ignoring-case' });
  return (one) => matcher(one, nothing);
}
const made = ({ kind, text }: { readonly kind: TextKind; readonly text: string }) => {
  const pattern = patternOf(text, kind, someCaller);
  if (pattern === undefined) throw new Error('a pattern without variables has a value');
  return pattern;
};

describe('I8 names: every text is one of finitely many kinds', () => {
  it('matches as the evaluator matches', () => {
    fc.assert(
      fc.property(written, asked, (pattern, one) => {
        expect(matches(made(pattern), one)).toBe(evaluators(pattern)(one));
      }),
      { numRuns: 5000 },
    );
  });

  it('leaves no text out: whatever a text gets for answers, a class has', () => {
    fc.assert(
      fc.property(
        fc.array(written, { minLength: 1, maxLength: 5 }),
        fc.array(asked, { minLength: 1, maxLength: 20 }),
        (patterns, texts) => {
          const classes = new Set(classesOf(patterns.map(made)).map(({ answers }) => answers.join()));
          for (const one of texts) expect(classes).toContain(patterns.map((pattern) => evaluators(pattern)(one)).join());
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('makes no class up: the text of a class gets its answers', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 5 }), (patterns) => {
        for (const { answers, text: one } of classesOf(patterns.map(made))) {
          expect(patterns.map((pattern) => evaluators(pattern)(one))).toEqual(answers);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
