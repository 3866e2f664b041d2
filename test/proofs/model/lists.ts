import type { PolicyStatement } from '../../../local/iam/policy.ts';

/** One or several, as policies write them, as several. */
export function list<T extends string | PolicyStatement>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}
const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);
