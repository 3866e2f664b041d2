/** Resource tags: how they are kept, checked and shown to IAM. Source: AWS Tagging Best Practices; Service Authorization Reference. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel } from '../core/service.ts';

export type Tags = ReadonlyMap<string, string>;
export type ConditionContext = Record<string, string | readonly string[] | undefined>;

const tagKey = z.string().min(1).max(128);
const tagValue = z.string().max(256);
export const tagList = z.array(z.strictObject({ Key: tagKey, Value: tagValue.default('') })).max(50);
/** KMS spells its tag members differently from everyone else. */
export const kmsTagList = z.array(z.strictObject({ TagKey: tagKey, TagValue: tagValue })).max(50);
export const tagKeys = z.array(tagKey).max(50);

export function tagsOf(list: readonly { Key: string; Value: string }[] | undefined): Tags {
  return new Map((list ?? []).map((tag) => [tag.Key, tag.Value]));
}

export function tagListOf(tags: Tags): { Key: string; Value: string }[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

/** `aws:RequestTag/…` and `aws:TagKeys` of a request that sets tags. Both are absent when it sets none. */
export function requestTagContext(tags: Tags): ConditionContext {
  if (tags.size === 0) return {};
  return { ...prefixed('aws:RequestTag/', tags), 'aws:TagKeys': [...tags.keys()] };
}

/** `aws:ResourceTag/…`, and the service's own spelling where it has one (`secretsmanager:ResourceTag/…`). */
export function resourceTagContext(tags: Tags | undefined, service?: string): ConditionContext {
  if (tags === undefined) return {};
  return { ...prefixed('aws:ResourceTag/', tags), ...(service === undefined ? {} : prefixed(`${service}:ResourceTag/`, tags)) };
}

/** The tags after a TagResource. Throws `code` when there would be more than 50. */
export function withTags(current: Tags, added: Tags, code: string): Tags {
  const next = new Map([...current, ...added]);
  if (next.size > 50) throw new AwsError(code, 'A resource carries at most 50 tags.');
  return next;
}

export function withoutTags(current: Tags, keys: readonly string[]): Tags {
  return new Map([...current].filter(([key]) => !keys.includes(key)));
}

function prefixed(prefix: string, tags: Tags): ConditionContext {
  return Object.fromEntries([...tags].map(([key, value]) => [`${prefix}${key}`, value]));
}

/** What a service shows of its resources to the Resource Groups Tagging API. */
export interface TagSource {
  /** As in ResourceTypeFilters, e.g. `kms:key`. */
  readonly resourceType: string;
  list(
    accountId: string,
  ): Iterable<{ readonly arn: string; readonly tags: Tags }> | Promise<Iterable<{ readonly arn: string; readonly tags: Tags }>>;
}

const sources = new WeakMap<Kernel, TagSource[]>();

/** Makes a service's tags findable. Sources are kept per kernel, so that reading them costs no call of the service and leaves no trace in the journal. */
export function offerTags(kernel: Kernel, source: TagSource): void {
  sources.set(kernel, [...tagSources(kernel), source]);
}

export function tagSources(kernel: Kernel): readonly TagSource[] {
  return sources.get(kernel) ?? [];
}
