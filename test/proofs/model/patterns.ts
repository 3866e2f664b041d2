/** The texts of policies as patterns, for one caller: the variables in them are filled in. */
import type { RequestPrincipal } from '../../../local/iam/policy.ts';
import { parseTemplate } from '../../../local/iam/variables.ts';
import { globPattern } from '../../../local/iam/wildcards.ts';
import { literal, type Pattern, pattern, wild } from './names.ts';

/** Who asks. What is known of the caller is given; every other key is a slot. */
export interface Caller {
  readonly principal: RequestPrincipal;
  /** Condition keys in lower case; undefined: certainly absent. */
  readonly known: ReadonlyMap<string, string | undefined>;
  readonly bounded: boolean;
}

export type TextKind = 'exact' | 'ignoring-case' | 'like' | 'arn';

const anyMark = globPattern('*');
const oneMark = globPattern('?');
const nothing = undefined;

/** Policy text with its variables filled in; undefined when one of them has no value, and the text so matches nothing. */
export function patternOf(text: string, kind: TextKind, caller: Caller): Pattern | undefined {
  const wildcards = kind === 'like' || kind === 'arn';
  const template = parseTemplate(text, { wildcards, variables: true });
  let filled = '';
  for (const piece of template) {
    if (typeof piece === 'string') filled += piece;
    else {
      if (!caller.known.has(piece.key)) throw new Error(`the variable ${piece.key} in ${text} is not known of the caller`);
      const value = caller.known.get(piece.key) ?? piece.fallback;
      if (value === undefined) return nothing;
      filled += value;
    }
  }
  let colons = 0;
  const tokens = [...filled].flatMap((character) => {
    if (character === ':') colons += 1;
    const inPart = kind === 'arn' && colons < 5;
    if (wildcards && character === anyMark) return [wild(inPart ? 'anyInPart' : 'any')];
    if (wildcards && character === oneMark) return [wild(inPart ? 'oneInPart' : 'one')];
    return literal(character);
  });
  return pattern(tokens, kind === 'ignoring-case');
}

/** How an operator compares texts; none: it compares dates or numbers. */
export const kinds: Readonly<Record<string, TextKind>> = {
  StringEquals: 'exact',
  StringNotEquals: 'exact',
  StringEqualsIgnoreCase: 'ignoring-case',
  StringNotEqualsIgnoreCase: 'ignoring-case',
  StringLike: 'like',
  StringNotLike: 'like',
  Bool: 'ignoring-case',
  ArnEquals: 'arn',
  ArnNotEquals: 'arn',
  ArnLike: 'arn',
  ArnNotLike: 'arn',
};

/** The pattern of an action: actions compare without case and hold no variables. */
export function actionPattern(text: string): Pattern {
  const tokens = [...globPattern(text)].flatMap((one) =>
    one === anyMark ? [wild('any')] : one === oneMark ? [wild('one')] : literal(one),
  );
  return pattern(tokens, true);
}
