import { type Difference, documentChange } from './compare-facts.ts';
import type { Value } from './fact.ts';
import type { PolicyChecks } from './policy-checks.ts';
import { type NormalStatement, normalStatements, type PolicyDocument, statementsOf } from './policy-document.ts';

/**
 * `changed`: it is not what was synthesized, and gives nobody more. `grants`: somebody may do what they could not, or a refusal has gone. `crosses`: it reaches from one
 * tenant into another's, or lets in whoever asks.
 */
export type Severity = 'changed' | 'grants' | 'crosses';

export interface Judgement {
  readonly severity: Severity;
  /** What is different, in words: statements by their names. */
  readonly what: string;
}

export interface Judging {
  readonly checks: PolicyChecks;
  /** ARNs of managed policies with a Deny in them: taking one off a role takes a refusal away. */
  readonly refusing: ReadonlySet<string>;
}

/**
 * Decides what a difference means. What can be seen in the documents is decided here; whether an Allow is wider than what it replaces is Access Analyzer's to say.
 *
 * @throws CordonError when Access Analyzer does not answer
 */
export async function judge(deps: Judging, { aspect, expected, actual }: Difference): Promise<Judgement> {
  const value = expected?.value ?? actual?.value;
  if (aspect === 'existence')
    return actual === undefined
      ? { severity: 'changed', what: 'is missing' }
      : { severity: 'grants', what: 'was made by nobody of Cordon' };
  if (value?.kind === 'document')
    return judgeDocument(deps.checks, documentIn(expected?.value), documentIn(actual?.value), value.checkedAs);
  if (value?.kind === 'list') return judgeList(deps, value.grantsWhen, membersOf(expected?.value), membersOf(actual?.value));
  const [should, is] = [numberIn(expected?.value), numberIn(actual?.value)];
  return { severity: is > should ? 'grants' : 'changed', what: `is ${is} instead of ${should}` };
}

async function judgeDocument(
  checks: PolicyChecks,
  expected: PolicyDocument | undefined,
  actual: PolicyDocument | undefined,
  checkedAs: Parameters<PolicyChecks['newAccess']>[2],
): Promise<Judgement> {
  const { added, removed, isOtherVersion } = documentChange(expected, actual);
  const what = [
    actual === undefined ? 'is missing' : expected === undefined ? 'was synthesized nowhere' : undefined,
    named('was added', added),
    named('was taken out or changed', removed),
    isOtherVersion ? 'is of another version of the policy language' : undefined,
  ];
  const judgement = (severity: Severity, ...why: readonly string[]): Judgement => ({
    severity,
    what: [...what, ...why].filter((part) => part !== undefined).join('; '),
  });
  if (actual !== undefined && added.some(({ effect }) => effect !== 'Deny')) {
    if (await checks.isPublic(withoutOthers(actual, added), checkedAs)) return judgement('crosses', 'lets in whoever asks');
    const wildcards = newWildcards(expected, added, checkedAs);
    if (wildcards.length > 0) return judgement('grants', `allows ${wildcards.join(', ')}, which was synthesized nowhere`);
    const reasons = await checks.newAccess(expected, actual, checkedAs);
    if (reasons.length > 0) return judgement('grants', ...reasons);
  }
  if (isOtherVersion || removed.some(({ effect }) => effect === 'Deny')) return judgement('grants', 'a refusal is gone or weaker');
  return judgement('changed', 'nothing more is allowed than was');
}

const named = (verb: string, statements: readonly NormalStatement[]): string | undefined =>
  statements.length === 0 ? undefined : `${statements.map(({ name, effect }) => `${name} (${effect})`).join(', ')} ${verb}`;

/** What was added, under all that the policy refuses: whether *it* is public is the question, for one policy is public on purpose. */
function withoutOthers(actual: PolicyDocument, added: readonly NormalStatement[]): PolicyDocument {
  const kept = new Set(added.map(({ statement }) => statement));
  return { ...actual, Statement: statementsOf(actual).filter((one) => one.Effect === 'Deny' || kept.has(one)) };
}

/** Values with `*` in what an added Allow is about that no Allow of the reference has. In a resource's own policy the resource `*` is that resource. */
function newWildcards(
  expected: PolicyDocument | undefined,
  added: readonly NormalStatement[],
  checkedAs: Parameters<PolicyChecks['newAccess']>[2],
): readonly string[] {
  const known = new Set(expected === undefined ? [] : normalStatements(expected).filter(isAllow).flatMap(patternsOf));
  if (checkedAs !== 'IDENTITY_POLICY') known.add('*');
  const found = added.filter(isAllow).flatMap(patternsOf);
  return [...new Set(found.filter((pattern) => pattern.includes('*') && !known.has(pattern)))];
}

const isAllow = ({ effect }: NormalStatement): boolean => effect !== 'Deny';

function patternsOf({ statement }: NormalStatement): readonly string[] {
  const { Action, NotAction, Resource, NotResource, Principal } = statement;
  const principals = typeof Principal === 'object' && Principal !== null ? Object.values(Principal) : [Principal];
  const everythingBut = [NotAction === undefined ? undefined : 'NotAction *', NotResource === undefined ? undefined : 'NotResource *'];
  return [Action, Resource, ...principals, ...everythingBut].flat().flatMap((one) => (typeof one === 'string' ? [one] : []));
}

function judgeList(
  { refusing }: Judging,
  grantsWhen: 'added' | 'removed' | 'changed',
  expected: readonly string[],
  actual: readonly string[],
): Judgement {
  const added = actual.filter((member) => !expected.includes(member));
  const removed = expected.filter((member) => !actual.includes(member));
  const grants =
    (added.length > 0 && grantsWhen !== 'removed') ||
    (removed.length > 0 && grantsWhen !== 'added') ||
    removed.some((member) => refusing.has(member));
  const what = [added.length > 0 ? `${added.join(', ')} is too much` : '', removed.length > 0 ? `${removed.join(', ')} is missing` : ''];
  return { severity: grants ? 'grants' : 'changed', what: what.filter((part) => part !== '').join('; ') };
}

const documentIn = (value: Value | undefined): PolicyDocument | undefined => (value?.kind === 'document' ? value.document : undefined);
const membersOf = (value: Value | undefined): readonly string[] => (value?.kind === 'list' ? value.members : []);
const numberIn = (value: Value | undefined): number => (value?.kind === 'number' ? value.value : 0);
