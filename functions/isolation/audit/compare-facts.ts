import { isCutOffPolicy } from './cut-off-form.ts';
import type { Fact, Unread, Value } from './fact.ts';
import { canonical, type NormalStatement, normalStatements, type PolicyDocument, versionOf } from './policy-document.ts';

/** What was synthesized and what is there do not say the same. */
export interface Difference {
  readonly of: string;
  readonly aspect: string;
  readonly expected: Fact | undefined;
  readonly actual: Fact | undefined;
}

/** Statements that are in one document and not in the other. */
export interface DocumentChange {
  readonly added: readonly NormalStatement[];
  readonly removed: readonly NormalStatement[];
  readonly isOtherVersion: boolean;
}

/**
 * What is missing, what is too much, and what is different. A thing that is missing or unexpected as a whole is one difference, not one for each of its facts; what could
 * not be read is none.
 */
export function compareFacts(expected: readonly Fact[], actual: readonly Fact[], unread: readonly Unread[]): readonly Difference[] {
  const [wanted, found] = [byKey(expected), byKey(actual)];
  const [wantedThings, foundThings] = [thingsOf(expected), thingsOf(actual)];
  const hidden = new Set(unread.map(({ of, aspect }) => keyOf({ of, aspect: aspect ?? '' })));
  const isHidden = ({ of, aspect }: Fact): boolean => hidden.has(keyOf({ of, aspect })) || hidden.has(keyOf({ of, aspect: '' }));
  return [...new Map([...wanted, ...found]).values()].flatMap((fact) => {
    const { of, aspect } = fact;
    const [should, is] = [wanted.get(keyOf(fact)), found.get(keyOf(fact))];
    if (isHidden(fact) || (should !== undefined && is !== undefined && isSame(should.value, is.value))) return [];
    if (aspect !== 'existence' && wantedThings.has(of) !== foundThings.has(of)) return [];
    return [{ of, aspect, expected: should, actual: is }];
  });
}

/** Pure. Whatever is not spelled alike but means the same is no change. */
export function documentChange(expected: PolicyDocument | undefined, actual: PolicyDocument | undefined): DocumentChange {
  const [should, is] = [expected === undefined ? [] : normalStatements(expected), actual === undefined ? [] : normalStatements(actual)];
  const [wanted, found] = [new Set(should.map(({ key }) => key)), new Set(is.map(({ key }) => key))];
  return {
    added: is.filter(({ key }) => !wanted.has(key)),
    removed: should.filter(({ key }) => !found.has(key)),
    isOtherVersion: expected !== undefined && actual !== undefined && versionOf(expected) !== versionOf(actual),
  };
}

function isSame(expected: Value, actual: Value): boolean {
  if (expected.kind === 'document' && actual.kind === 'document') {
    const { added, removed, isOtherVersion } = documentChange(expected.document, actual.document);
    if (added.length === 0 && removed.length === 0 && !isOtherVersion) return true;
    return expected.mayCutOff === true && isCutOffPolicy(actual.document);
  }
  if (expected.kind === 'list' && actual.kind === 'list') return canonical(sorted(expected.members)) === canonical(sorted(actual.members));
  return expected.kind === 'number' && actual.kind === 'number' && expected.value === actual.value;
}

const sorted = (members: readonly string[]): readonly string[] => [...new Set(members)].sort();

function byKey(facts: readonly Fact[]): Map<string, Fact> {
  return new Map(facts.map((fact) => [keyOf(fact), fact]));
}

function thingsOf(facts: readonly Fact[]): ReadonlySet<string> {
  return new Set(facts.filter(({ aspect }) => aspect === 'existence').map(({ of }) => of));
}

const keyOf = ({ of, aspect }: Pick<Fact, 'of' | 'aspect'>): string => `${of}\n${aspect}`;
