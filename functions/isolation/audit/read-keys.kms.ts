import {
  GetKeyPolicyCommand,
  type GrantListEntry,
  type KMSClient,
  ListAliasesCommand,
  type ListAliasesCommandOutput,
  ListGrantsCommand,
  type ListGrantsCommandOutput,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { isTenantId, type TenantId } from '../../shared/identifiers.ts';
import { inParallel } from '../../shared/in-parallel.ts';
import type { Looked } from './deployed.ts';
import { existence, type Fact } from './fact.ts';
import { lookAt } from './look-at.ts';
import { parsePolicy } from './policy-document.ts';
import { decidingTags, document, listed, nameOf } from './thing.ts';

/** ListGrants and ListResourceTags are 100/s in an account. Source: KMS Developer Guide, "Request quotas". */
const atATime = 10;

/** Keys by the aliases that the code that makes them gives them. @throws CordonError as `aws` */
export async function readDedicatedKeys(client: KMSClient): Promise<ReadonlyMap<TenantId, string>> {
  const found = new Map<TenantId, string>();
  let Marker: string | undefined;
  do {
    const page: ListAliasesCommandOutput = await aws('listing the names of keys', () =>
      client.send(new ListAliasesCommand({ Limit: 100, Marker })),
    );
    for (const { AliasName = '', TargetKeyId } of page.Aliases ?? []) {
      const id = AliasName.startsWith('alias/cordon/') ? AliasName.slice('alias/cordon/'.length) : '';
      if (isTenantId(id) && TargetKeyId !== undefined) found.set(id, TargetKeyId);
    }
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  return found;
}

export async function readKeys(client: KMSClient, keyIds: readonly string[]): Promise<Looked> {
  const looked = await inParallel(
    keyIds,
    atATime,
    () => false,
    (KeyId) => lookAt(nameOf('AWS::KMS::Key', KeyId), (of) => keyFacts(client, KeyId, of)),
  );
  return { facts: looked.flatMap(({ facts }) => facts), unread: looked.flatMap(({ unread }) => unread) };
}

async function keyFacts(client: KMSClient, KeyId: string, of: string): Promise<readonly Fact[]> {
  const Policy = await policyOf(client, KeyId);
  if (Policy === undefined) return [];
  // A key has fifty at most, which are one page.
  const { Tags = [] } = await aws('reading the tags of a key', () => client.send(new ListResourceTagsCommand({ KeyId })));
  const tags = Object.fromEntries(Tags.map(({ TagKey = '', TagValue = '' }) => [TagKey, TagValue]));
  return [
    existence(of),
    { of, aspect: 'policy', value: document(parsePolicy(Policy), 'AWS::KMS::Key') },
    { of, aspect: 'grants', value: listed((await grantsOf(client, KeyId)).map(grantText), 'added') },
    { of, aspect: 'tags', value: decidingTags(tags) },
  ];
}

/** Undefined when there is no such key. */
function policyOf(client: KMSClient, KeyId: string): Promise<string | undefined> {
  return aws('reading the policy of a key', async () => {
    try {
      return (await client.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).Policy ?? '';
    } catch (error) {
      if (isAwsError(error, 'NotFoundException')) return undefined;
      throw error;
    }
  });
}

async function grantsOf(client: KMSClient, KeyId: string): Promise<readonly GrantListEntry[]> {
  const found: GrantListEntry[] = [];
  let Marker: string | undefined;
  do {
    const page: ListGrantsCommandOutput = await aws('listing the grants of a key', () =>
      client.send(new ListGrantsCommand({ KeyId, Limit: 100, Marker })),
    );
    found.push(...(page.Grants ?? []));
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  return found;
}

function grantText({ GranteePrincipal, Operations = [] }: GrantListEntry): string {
  return `${Operations.toSorted().join(', ')} to ${GranteePrincipal}`;
}
