/** ARNs as policies compare them. */
import { MalformedPolicy } from './malformed-policy.ts';
import { joinLiterals, parseTemplate, type Template, type TextMatcher, type TextOptions, templateMatcher } from './variables.ts';

const partCount = 6;

/** Splits `arn:partition:service:region:account:resource`; the resource keeps its colons. Undefined when there are fewer than six parts. */
function arnParts(arn: string): readonly string[] | undefined {
  const parts = arn.split(':');
  if (parts.length < partCount) return undefined;
  return [...parts.slice(0, partCount - 1), parts.slice(partCount - 1).join(':')];
}

/** Splits a template at its first five literal colons: a colon inside a variable's name or value separates nothing. */
function templateParts(template: Template): readonly Template[] {
  const parts: (string | Template[number])[][] = [[]];
  for (const piece of template) {
    if (typeof piece !== 'string') {
      parts.at(-1)?.push(piece);
      continue;
    }
    for (const [index, text] of piece.split(':').entries()) {
      if (index > 0 && parts.length < partCount) parts.push([]);
      else if (index > 0) parts.at(-1)?.push(':');
      if (text !== '') parts.at(-1)?.push(text);
    }
  }
  return parts.map(joinLiterals);
}

/**
 * ArnEquals and ArnLike, which behave alike: each of the six colon-delimited parts is matched by itself, so a wildcard never reaches across
 * a colon before the resource (IAM User Guide, "Condition operators", ARN). Throws `MalformedPolicy` for a pattern of fewer than six parts.
 */
export function arnMatcher(pattern: string, options: TextOptions): TextMatcher {
  const parts = templateParts(parseTemplate(pattern, options));
  if (parts.length < partCount) throw new MalformedPolicy(`${pattern} is not an ARN of six parts`);
  const matchers = parts.map((part) => templateMatcher(part, options));
  return (text, context) => {
    const found = arnParts(text);
    return found !== undefined && matchers.every((matches, index) => matches(found[index] ?? '', context));
  };
}

/**
 * A statement's `Resource`: `*` or an ARN whose wildcards reach across `/` and `:` alike. Variables may stand only after the fifth colon
 * ("Variables and tags", Resource element). Throws `MalformedPolicy` for anything else.
 */
export function resourceMatcher(pattern: string, variables: boolean): TextMatcher {
  const options: TextOptions = { wildcards: true, variables };
  const template = parseTemplate(pattern, options);
  if (pattern !== '*' && !pattern.startsWith('arn:')) throw new MalformedPolicy(`resource ${pattern} is neither * nor an ARN`);
  const before = templateParts(template).slice(0, partCount - 1);
  if (before.some((part) => part.some((piece) => typeof piece !== 'string'))) {
    throw new MalformedPolicy(`resource ${pattern} has a policy variable before its fifth colon`);
  }
  return templateMatcher(template, options);
}
