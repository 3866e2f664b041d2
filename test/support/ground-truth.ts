/** The platform's account as its root user sees it: what there is, whoever may see it. For looking, and for planting what no event brings about. */
import { z } from 'zod';
import type { LocalCloud } from '../../local/cloud.ts';

export const asRoot = (cloud: LocalCloud, service: string, operation: string, input: object = {}): Promise<Record<string, unknown>> =>
  cloud.kernel.call(cloud.kernel.rootCaller(cloud.accountId), service, operation, input);

const attribute = z.record(z.string(), z.unknown());
const item = z.looseObject({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) });
export type Item = z.infer<typeof item>;
const itemPage = z.object({ Items: z.array(item).default([]), LastEvaluatedKey: attribute.optional() });
const secretPage = z.object({ SecretList: z.array(z.looseObject({ Name: z.string() })), NextToken: z.string().optional() });
const keyList = z.object({ Keys: z.array(z.object({ KeyId: z.string() })) });

/** Every item of a table, by its keys. */
export async function itemsOf(cloud: LocalCloud, table: 'RegistryTable' | 'AttributionTable'): Promise<readonly Item[]> {
  const found: Item[] = [];
  let next: Record<string, unknown> | undefined;
  do {
    const input = { TableName: cloud.outputs[table], ConsistentRead: true, ...(next && { ExclusiveStartKey: next }) };
    const page = itemPage.parse(await asRoot(cloud, 'dynamodb', 'Scan', input));
    found.push(...page.Items);
    next = page.LastEvaluatedKey;
  } while (next !== undefined);
  const keyOf = ({ pk, sk }: Item): string => `${pk.S} ${sk.S}`;
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Sets string attributes of an item that exists, e.g. a tenant's `status`. Rejects when there is none. */
export async function plant(
  cloud: LocalCloud,
  key: { pk: string; sk: string },
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  const names = Object.keys(attributes);
  await asRoot(cloud, 'dynamodb', 'UpdateItem', {
    TableName: cloud.outputs['RegistryTable'],
    Key: { pk: { S: key.pk }, sk: { S: key.sk } },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(Object.entries(attributes).map(([name, S]) => [`:${name}`, { S }])),
  });
}

export const plantTenantStatus = (cloud: LocalCloud, tenantId: string, status: string): Promise<void> =>
  plant(cloud, { pk: `TENANT#${tenantId}#`, sk: 'TENANT' }, { status });

export const plantUserStatus = (cloud: LocalCloud, tenantId: string, userId: string, status: string): Promise<void> =>
  plant(cloud, { pk: `TENANT#${tenantId}#`, sk: `USER#${userId}` }, { status });

/** Every secret without its value: name, tags, versions, dates. */
export async function secretsWithoutValues(cloud: LocalCloud): Promise<readonly { readonly Name: string }[]> {
  const found: { readonly Name: string }[] = [];
  let next: string | undefined;
  do {
    const page = secretPage.parse(await asRoot(cloud, 'secretsmanager', 'ListSecrets', { IncludePlannedDeletion: true, NextToken: next }));
    found.push(...page.SecretList);
    next = page.NextToken;
  } while (next !== undefined);
  return found;
}

const logPage = z.object({ events: z.array(z.object({ message: z.string() })), nextToken: z.string().optional() });
const publishedEvent = z.object({ source: z.string(), 'detail-type': z.string(), detail: z.record(z.string(), z.unknown()) });

/** What Cordon has published since a moment of the cloud's clock, oldest first. */
export async function publishedSince(
  cloud: LocalCloud,
  startTime: number,
): Promise<readonly { detailType: string; detail: Record<string, unknown> }[]> {
  const found: { detailType: string; detail: Record<string, unknown> }[] = [];
  let nextToken: string | undefined;
  do {
    const input = { logGroupName: cloud.outputs['EventLogGroup'], startTime, nextToken };
    const page = logPage.parse(await asRoot(cloud, 'logs', 'FilterLogEvents', input));
    for (const { message } of page.events) {
      const { source, detail, 'detail-type': detailType } = publishedEvent.parse(JSON.parse(message));
      if (source === 'cordon') found.push({ detailType, detail });
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

/** Whatever an event can change, to be compared with `toEqual`: a difference is a change. */
export async function everything(cloud: LocalCloud): Promise<object> {
  const { organization } = cloud.openai;
  return {
    // These are the simulator's own objects, which change: what counts is what they are now.
    provider: structuredClone({ projects: organization.projects, accounts: organization.serviceAccounts, keys: cloud.openai.keys() }),
    // When a secret was last read is no change of the secret.
    secrets: (await secretsWithoutValues(cloud)).map((secret) => ({ ...secret, LastAccessedDate: undefined })),
    registry: await itemsOf(cloud, 'RegistryTable'),
    attribution: await itemsOf(cloud, 'AttributionTable'),
    keys: keyList.parse(await asRoot(cloud, 'kms', 'ListKeys', { Limit: 1000 })).Keys,
    roles: [...(cloud.kernel.identities.account(cloud.accountId)?.roles.keys() ?? [])],
  };
}
