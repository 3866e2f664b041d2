/** Session tags and how they pass along a role chain. Source: IAM User Guide, "Pass session tags in AWS STS", "Chaining roles with session tags". */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';

const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export const sessionTag = z.strictObject({
  Key: z.string().min(1).max(128).regex(characters),
  // An empty value is allowed: a policy that asks for a tag must ask for `?*`.
  Value: z.string().max(256).regex(characters),
});

/** Throws AwsError InvalidParameterValue: keys compare without case, and `aws:` is AWS's own. */
export function passedTags(tags: readonly z.infer<typeof sessionTag>[] | undefined): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  for (const { Key } of tags ?? []) {
    const folded = Key.toLowerCase();
    if (folded.startsWith('aws:')) throw invalid(`The tag key ${Key} is reserved for AWS.`);
    if (seen.has(folded)) throw invalid(`Duplicate tag keys found: ${Key}. Please note that Tag keys are case insensitive.`);
    seen.add(folded);
  }
  return new Map((tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

/** The session's tags: passed ones, and the transitive ones of the session it is assumed from. A key of the latter may not be passed again. */
export function withInherited(
  passed: ReadonlyMap<string, string>,
  transitiveKeys: readonly string[],
  inherited: Readonly<Record<string, string>>,
): { tags: Record<string, string>; transitiveTags: Record<string, string> } {
  const inheritedKeys = new Set(Object.keys(inherited).map((key) => key.toLowerCase()));
  for (const key of passed.keys()) {
    if (inheritedKeys.has(key.toLowerCase())) {
      throw invalid(`The tag key ${key} can't be set because it conflicts with a transitive tag key from the calling session.`);
    }
  }
  const transitive = new Set(transitiveKeys.map((key) => key.toLowerCase()));
  const passedKeys = new Set([...passed.keys()].map((key) => key.toLowerCase()));
  for (const key of transitiveKeys) {
    if (!passedKeys.has(key.toLowerCase())) throw invalid(`The transitive tag key ${key} must be among the tags that are passed.`);
  }
  const passedOn = [...passed].filter(([key]) => transitive.has(key.toLowerCase()));
  const tags = { ...inherited, ...Object.fromEntries(passed) };
  if (Object.keys(tags).length > 50) throw invalid('A session carries at most 50 tags.');
  return { tags, transitiveTags: { ...inherited, ...Object.fromEntries(passedOn) } };
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', message);
}
