import type { z } from 'zod';

/** One line for each member that is not as its schema says: where it is, and the rule. Values are not repeated: one may be a secret in the wrong place. */
export function membersOf({ issues }: z.ZodError, nameOf: (path: readonly PropertyKey[]) => string = pathOf): string {
  return issues.map((issue) => `  ${nameOf(issue.path)}: ${ruleOf(issue)}`).join('\n');
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.map(String).join('.') || 'it';
}

/** zod's own words are for programmers where something is missing or not known. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `has members that are not known: ${issue.keys.join(', ')}`;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing';
  return issue.message;
}
