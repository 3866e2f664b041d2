/** The members that IAM's inputs have in common, tags and pages. Source: IAM API Reference. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';

export const roleName = z.string().regex(/^[\w+=,.@-]{1,64}$/, 'The specified value for roleName is invalid');
export const userName = z.string().regex(/^[\w+=,.@-]{1,64}$/, 'The specified value for userName is invalid');
export const policyName = z.string().regex(/^[\w+=,.@-]{1,128}$/, 'The specified value for policyName is invalid');
export const policyArn = z.string().min(20).max(2048);
export const policyText = z.string().min(1).max(131_072);
export const path = z
  .string()
  .max(512)
  .regex(/^\/(?:[\u0021-\u007E]+\/)?$/, 'The specified value for path is invalid');
export const pathPrefix = z
  .string()
  .max(512)
  .regex(/^\/[\u0021-\u007E]*$/, 'The specified value for pathPrefix is invalid');
/** Query-protocol numbers and booleans come as strings, in-process ones as themselves. */
export const sessionSeconds = z.coerce.number().int().min(3600).max(43_200);
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
export const page = { MaxItems: z.coerce.number().int().min(1).max(1000).optional(), Marker: z.string().optional() };

const tagCharacters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const tagKey = z.string().min(1).max(128).regex(tagCharacters);
export const tagList = z.array(z.strictObject({ Key: tagKey, Value: z.string().max(256).regex(tagCharacters) })).max(50);
export const tagKeys = z.array(tagKey).max(50);

/** Throws AwsError InvalidInput for a key given twice (without regard to case) or reserved. */
export function tagMap(tags: z.infer<typeof tagList> | undefined): Map<string, string> {
  const seen = new Set<string>();
  for (const { Key } of tags ?? []) {
    const folded = Key.toLowerCase();
    if (folded.startsWith('aws:')) throw new AwsError('InvalidInput', `The tag key ${Key} is reserved for AWS.`);
    if (seen.has(folded)) throw new AwsError('InvalidInput', `Duplicate tag keys found: ${Key}. Tag keys are case insensitive.`);
    seen.add(folded);
  }
  return new Map((tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

/** Keys compare without case: setting `team` replaces `Team`. Throws AwsError LimitExceeded past 50. */
export function setTags(current: Map<string, string>, added: ReadonlyMap<string, string>): void {
  const folded = new Set([...added.keys()].map((key) => key.toLowerCase()));
  const next = new Map([...[...current].filter(([key]) => !folded.has(key.toLowerCase())), ...added]);
  if (next.size > 50) throw new AwsError('LimitExceeded', 'The number of tags has reached the maximum limit.', 409);
  current.clear();
  for (const [key, value] of next) current.set(key, value);
}

export function removeTags(current: Map<string, string>, keys: readonly string[]): void {
  const folded = new Set(keys.map((key) => key.toLowerCase()));
  for (const key of [...current.keys()]) if (folded.has(key.toLowerCase())) current.delete(key);
}

export function tagsShown(tags: ReadonlyMap<string, string>): { Key: string; Value: string }[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/** One page of `items` in the order of their names; `Marker` is the last name of the page before. */
export function paged<T>(
  items: Iterable<T>,
  nameOf: (item: T) => string,
  { MaxItems = 100, Marker }: { MaxItems?: number | undefined; Marker?: string | undefined },
): { items: T[]; IsTruncated: boolean; Marker: string | undefined } {
  const after = Marker === undefined ? undefined : Buffer.from(Marker, 'base64url').toString();
  const sorted = [...items].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).filter((item) => after === undefined || nameOf(item) > after);
  const shown = sorted.slice(0, MaxItems);
  const last = shown.at(-1);
  const isTruncated = sorted.length > shown.length && last !== undefined;
  return { items: shown, IsTruncated: isTruncated, Marker: isTruncated ? Buffer.from(nameOf(last)).toString('base64url') : undefined };
}
