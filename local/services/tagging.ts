/** The local Resource Groups Tagging API: finds resources by their tags. Source: Resource Groups Tagging API Reference, GetResources. */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Kernel, LocalService } from '../core/service.ts';
import { type Tags, tagListOf, tagSources } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const tagFilters = z
  .array(z.strictObject({ Key: z.string().min(1).max(128), Values: z.array(z.string().max(256)).max(20).default([]) }))
  .max(50);
const getResources = z.strictObject({
  TagFilters: tagFilters.optional(),
  ResourceTypeFilters: z.array(z.string()).max(100).optional(),
  ResourcesPerPage: z.number().int().min(1).max(100).default(50),
  PaginationToken: z.string().regex(/^\d*$/).optional(),
});
const roles = z.object({ Roles: z.array(z.object({ RoleName: z.string(), Arn: z.string() })) });
const roleTags = z.object({ Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).default([]) });

/** Finds the tagged resources of services registered with the same kernel: `kms:key`, `secretsmanager:secret`, `dynamodb:table`, `iam:role`. */
export function createTagging(kernel: Kernel): LocalService {
  return {
    signingName: 'tagging',
    protocol: 'json',
    targetPrefix: 'ResourceGroupsTaggingAPI_20170126',
    operations: {
      GetResources: operation(getResources, {
        needs: () => [{ action: 'tag:GetResources', resource: '*' }],
        async run(input, scope) {
          const found: { arn: string; tags: Tags }[] = [];
          for (const type of input.ResourceTypeFilters ?? ['kms', 'secretsmanager', 'dynamodb', 'iam'])
            found.push(...(await resourcesOf(kernel, type, scope.accountId)));
          // Only what carries a tag is in the API's sight, whatever the filters.
          const matching = found.filter(({ tags }) => tags.size > 0 && matches(tags, input.TagFilters ?? []));
          const start = Number(input.PaginationToken ?? 0);
          const end = start + input.ResourcesPerPage;
          return {
            ResourceTagMappingList: matching.slice(start, end).map(({ arn, tags }) => ({ ResourceARN: arn, Tags: tagListOf(tags) })),
            PaginationToken: end < matching.length ? String(end) : '',
          };
        },
      }),
    },
  };
}

/** `type` is a service (`kms`) or a resource type (`kms:key`). Throws NotImplemented for one the local cloud cannot look into. */
async function resourcesOf(kernel: Kernel, type: string, accountId: string): Promise<{ arn: string; tags: Tags }[]> {
  if (!/^[a-z0-9-]+(:[a-z0-9-]+)?$/.test(type)) throw new AwsError('InvalidParameterException', `${type} is not a valid resource type`);
  if (type === 'iam' || type === 'iam:role') return await taggedRoles(kernel, accountId);
  const sources = tagSources(kernel).filter(({ resourceType }) => resourceType === type || resourceType.startsWith(`${type}:`));
  if (sources.length === 0) throw notImplemented(`GetResources for the resource type ${type}`);
  const lists = await Promise.all(sources.map(async (source) => [...(await source.list(accountId))]));
  return lists.flat();
}

async function taggedRoles(kernel: Kernel, accountId: string): Promise<{ arn: string; tags: Tags }[]> {
  const root = kernel.rootCaller(accountId);
  const { Roles } = roles.parse(await kernel.call(root, 'iam', 'ListRoles', {}));
  const found: { arn: string; tags: Tags }[] = [];
  for (const { RoleName, Arn } of Roles) {
    const { Tags } = roleTags.parse(await kernel.call(root, 'iam', 'ListRoleTags', { RoleName }));
    found.push({ arn: Arn, tags: new Map(Tags.map(({ Key, Value }) => [Key, Value])) });
  }
  return found;
}

/** Every filter must match: its key, with any of its values, or with whatever value when it names none. */
function matches(tags: Tags, filters: z.output<typeof tagFilters>): boolean {
  return filters.every(({ Key, Values }) => {
    const value = tags.get(Key);
    return value !== undefined && (Values.length === 0 || Values.includes(value));
  });
}
