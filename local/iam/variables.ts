/**
 * Policy variables: `${aws:PrincipalTag/TenantId}`, `${aws:username, 'nobody'}` with a default, and `${*}` `${?}` `${$}` for the characters
 * themselves. Source: IAM User Guide, "IAM policy elements: Variables and tags".
 */
import { keyCardinality } from './known-keys.ts';
import { MalformedPolicy } from './malformed-policy.ts';
import { type RequestContext, singleValue } from './request-context.ts';
import { globMatcher, globMatches, globPattern, holdsWildcardMarks } from './wildcards.ts';

interface Variable {
  readonly key: string;
  readonly fallback: string | undefined;
}
/** Policy text, parsed once: literal text (a glob where wildcards count) and variables in turn. */
export type Template = readonly (string | Variable)[];

/** What a template stands for in a request; undefined when one of its variables has no value: then it equals and is like nothing. */
type Expansion = string | undefined;

/** Matches one value of a request against policy text. */
export type TextMatcher = (text: string, context: RequestContext) => boolean;

export interface TextOptions {
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean;
  /** False for policies of language version 2008-10-17, which know no variables: `${…}` is plain text there. */
  readonly variables: boolean;
  readonly ignoreCase?: boolean;
}

/** Parses policy text. Throws `MalformedPolicy` naming a variable that is unknown, holds several values, or is not closed. */
export function parseTemplate(text: string, { wildcards, variables }: TextOptions): Template {
  if (holdsWildcardMarks(text)) throw new MalformedPolicy(`control character in ${JSON.stringify(text)}`);
  const literal = (part: string) => (wildcards ? globPattern(part) : part);
  if (!variables) return [literal(text)];
  const parts: (string | Variable)[] = [];
  let at = 0;
  for (let open = text.indexOf('${'); open >= 0; open = text.indexOf('${', at)) {
    parts.push(literal(text.slice(at, open)));
    const close = text.indexOf('}', open);
    if (close < 0) throw new MalformedPolicy(`policy variable is not closed in ${text}`);
    parts.push(parseVariable(text.slice(open + 2, close)));
    at = close + 1;
  }
  parts.push(literal(text.slice(at)));
  return joinLiterals(parts);
}

function parseVariable(body: string): string | Variable {
  if (body === '*' || body === '?' || body === '$') return body;
  const [, name = '', fallback] = /^([^,']+?)(?:, ?'([^']*)')?$/.exec(body) ?? [];
  const cardinality = keyCardinality(name);
  if (cardinality === undefined) throw new MalformedPolicy(`unknown policy variable \${${body}}`);
  // "Single-valued vs. multivalued context keys": a key with several values can't be a variable.
  if (cardinality === 'many') throw new MalformedPolicy(`policy variable \${${body}} holds several values`);
  return { key: name.toLowerCase(), fallback };
}

/** Joins adjacent literal text, so that a template without variables is one text. */
export function joinLiterals(parts: Template): Template {
  const joined: (string | Variable)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else if (part !== '') joined.push(part);
  }
  return joined;
}

function expand(template: Template, context: RequestContext): Expansion {
  let text = '';
  for (const part of template) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = singleValue(context, part.key) ?? part.fallback;
    // A value with wildcard marks could widen the pattern it becomes part of; it is treated as no value.
    if (value === undefined || holdsWildcardMarks(value)) return undefined;
    text += value;
  }
  return text;
}

/** The text of a template without variables, or undefined when it has some. */
function fixedText(template: Template): string | undefined {
  const [only = ''] = template;
  return template.length <= 1 && typeof only === 'string' ? only : undefined;
}

/** Compiles a template to a matcher. Without variables everything is prepared here; with variables nothing is compiled per request. */
export function templateMatcher(template: Template, { wildcards, ignoreCase = false }: Omit<TextOptions, 'variables'>): TextMatcher {
  const fixed = fixedText(template);
  if (fixed !== undefined) {
    const expected = ignoreCase ? fixed.toLowerCase() : fixed;
    const matches = wildcards ? globMatcher(expected) : (text: string) => text === expected;
    return ignoreCase ? (text) => matches(text.toLowerCase()) : matches;
  }
  return (text, context) => {
    const expected = expand(template, context);
    if (expected === undefined) return false;
    if (ignoreCase) return expected.toLowerCase() === text.toLowerCase();
    // Without wildcards the expansion holds no marks, and a glob without marks matches only itself.
    return globMatches(expected, text);
  };
}

/** Parses and compiles policy text in one go. */
export function textMatcher(text: string, options: TextOptions): TextMatcher {
  return templateMatcher(parseTemplate(text, options), options);
}
