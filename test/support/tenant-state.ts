/** What a tenant is in the end, as facts that are the same from run to run: for comparing a run with faults to one without. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { fromItem } from '../../functions/shared/attribute-values.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { fingerprintOf } from '../../local/world/openai-organization.ts';
import type { TestCloud } from './cloud.ts';

/** What the root of the platform's account sees. It may read no tenant's secret. */
function asRoot(cloud: LocalCloud): (service: string, operation: string, input: object) => Promise<Record<string, unknown>> {
  const root = cloud.kernel.rootCaller(cloud.accountId);
  return (service, operation, input) => cloud.kernel.call(root, service, operation, input);
}

const registryItem = z.looseObject({ sk: z.string(), status: z.string() });
const attributeValue = z.custom<AttributeValue>((value) => typeof value === 'object' && value !== null);
const page = z.object({ Items: z.array(z.record(z.string(), attributeValue)) });
const tagList = z.array(z.object({ Key: z.string(), Value: z.string() }));
const described = z.object({
  Name: z.string(),
  KmsKeyId: z.string(),
  Tags: tagList,
  VersionIdsToStages: z.record(z.string(), z.array(z.string())),
});
const role = z.object({
  Role: z.object({
    AssumeRolePolicyDocument: z.string(),
    PermissionsBoundary: z.object({ PermissionsBoundaryArn: z.string() }),
    Tags: tagList,
  }),
});
const attached = z.object({ AttachedPolicies: z.array(z.object({ PolicyName: z.string() })) });
const taggedResources = z.object({ ResourceTagMappingList: z.array(z.object({ ResourceARN: z.string() })) });
const keyAnswer = z.object({ KeyMetadata: z.object({ Arn: z.string(), KeyState: z.string() }) });
const secretAnswer = z.object({ SecretString: z.string(), VersionId: z.string() });
const apiKeyText = z.object({ apiKey: z.string() });

/** Members of registry items that say how often something was tried, when, and what it was called outside. */
const runOfChance = new Set([
  'version',
  'writeId',
  'createdAt',
  'updatedAt',
  'attempt',
  'keyAttempt',
  'dueAt',
  'dueShard',
  'secretMayExist',
  'accounts',
  'rulesTime',
  'rulesEventIds',
  'keyArn',
  'keyId',
  'ownerId',
  'secretArn',
  'secretVersionId',
]);

export interface TenantState {
  /** Registry items by sort key, without what is left to chance. */
  readonly registry: Readonly<Record<string, object>>;
  readonly credentials: Readonly<Record<string, object>>;
  /** Projects of the tenant at the provider that are not archived. */
  readonly projects: number;
  /** Names of live keys without the attempt. */
  readonly liveKeys: readonly string[];
  /** Of an active dedicated tenant. */
  readonly dedicated: object | undefined;
  /** Detail types published about the tenant, each once. */
  readonly published: readonly string[];
  /** Reasons of what failed for good, and what was left of it. */
  readonly failures: readonly object[];
}

/** The registry's items of a tenant, as they are stored. */
export async function registryOf(cloud: LocalCloud, tenantId: string): Promise<readonly z.infer<typeof registryItem>[]> {
  const answer = await asRoot(cloud)('dynamodb', 'Query', {
    TableName: cloud.outputs['RegistryTable'],
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: `TENANT#${tenantId}#` } },
    ConsistentRead: true,
  });
  return page.parse(answer).Items.map((item) => registryItem.parse(fromItem(item)));
}

/** Every key that the tenant has at the provider. */
export function keysOf(cloud: LocalCloud, tenantId: string) {
  return cloud.openai.keys().filter(({ projectName }) => projectName === `cordon.${tenantId}`);
}

/** Those that the provider still accepts. */
export function liveKeysOf(cloud: LocalCloud, tenantId: string) {
  return keysOf(cloud, tenantId).filter(({ deletedAt }) => deletedAt === undefined);
}

/** @param subjects names, at the local issuer, of the users who own credentials, by user ID */
export async function tenantState(
  test: TestCloud,
  tenantId: string,
  subjects: Readonly<Record<string, string>> = {},
): Promise<TenantState> {
  const { cloud } = test;
  const items = await registryOf(cloud, tenantId);
  const anonymous = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value).replaceAll(tenantId, '{tenant}'));
  const live = liveKeysOf(cloud, tenantId);
  const issued = items.filter((item) => item['kind'] === 'CREDENTIAL' && item['source'] === 'platform-issued' && item.status === 'active');
  const credentials: Record<string, object> = {};
  for (const item of issued) credentials[item.sk] = await credentialFacts(test, tenantId, item, subjects);
  const tenant = items.find(({ sk }) => sk === 'TENANT');
  const published = await test.published(tenantId);
  return {
    registry: Object.fromEntries(
      items.map((item) => [item.sk, anonymous(Object.fromEntries(Object.entries(item).filter(([name]) => !runOfChance.has(name))))]),
    ),
    credentials: anonymous(credentials),
    projects: [...cloud.openai.organization.projects.values()].filter(
      ({ name, archivedAt }) => name === `cordon.${tenantId}` && archivedAt === undefined,
    ).length,
    liveKeys: live.map(({ name }) => anonymous(name.replace(/\.\d+$/, ''))).sort(),
    dedicated:
      tenant?.['tier'] === 'dedicated' && tenant.status === 'active' ? anonymous(await dedicatedFacts(cloud, tenantId, tenant)) : undefined,
    published: [...new Set(published.map(({ detailType }) => detailType))].sort(),
    failures: published.flatMap(({ detail }) => (detail['reason'] === undefined ? [] : [anonymous(detail)])),
  };
}

/** Whether registry, vault and provider mean the same key. Read as the tenant itself, or as the user whose credential it is. */
async function credentialFacts(
  test: TestCloud,
  tenantId: string,
  item: z.infer<typeof registryItem>,
  subjects: Readonly<Record<string, string>>,
): Promise<object> {
  const { cloud } = test;
  const { userId, secretVersionId } = item;
  const secret = described.parse(await asRoot(cloud)('secretsmanager', 'DescribeSecret', { SecretId: item['secretArn'] }));
  const session = await test.tenantSession(tenantId, typeof userId === 'string' ? subjects[userId] : undefined);
  const caller = cloud.kernel.callerOf(session.accessKeyId);
  if (caller === undefined) throw new Error('the session is not known');
  const { SecretString, VersionId } = secretAnswer.parse(
    await cloud.kernel.call(caller, 'secretsmanager', 'GetSecretValue', { SecretId: secret.Name }),
  );
  const fingerprint = fingerprintOf(apiKeyText.parse(JSON.parse(SecretString)).apiKey);
  const vaulted = liveKeysOf(cloud, tenantId).filter((key) => key.fingerprint === fingerprint);
  return {
    name: secret.Name,
    tags: Object.fromEntries(secret.Tags.map(({ Key, Value }) => [Key, Value])),
    underPoolKey: secret.KmsKeyId === cloud.outputs['TenantKeyArn'],
    vaultedKeyIsLive: vaulted.length === 1,
    registryNamesIt: vaulted[0]?.id === item['keyId'] && vaulted[0]?.serviceAccountId === item['ownerId'],
    registryNamesItsVersion: VersionId === secretVersionId,
  };
}

async function dedicatedFacts(cloud: LocalCloud, tenantId: string, tenant: z.infer<typeof registryItem>): Promise<object> {
  const root = asRoot(cloud);
  const roles = ['', '.writer'].map(async (suffix) => {
    const RoleName = `TenantAgent-${tenantId}${suffix}`;
    const { Role } = role.parse(await root('iam', 'GetRole', { RoleName }));
    const { AttachedPolicies } = attached.parse(await root('iam', 'ListAttachedRolePolicies', { RoleName }));
    return {
      trust: decodeURIComponent(Role.AssumeRolePolicyDocument),
      boundary: Role.PermissionsBoundary.PermissionsBoundaryArn,
      tags: Role.Tags,
      policies: AttachedPolicies.map(({ PolicyName }) => PolicyName).sort(),
    };
  });
  const keys = taggedResources.parse(
    await root('tagging', 'GetResources', {
      TagFilters: [{ Key: 'TenantId', Values: [tenantId] }],
      ResourceTypeFilters: ['kms:key'],
    }),
  ).ResourceTagMappingList;
  const { KeyMetadata } = keyAnswer.parse(await root('kms', 'DescribeKey', { KeyId: `alias/cordon/${tenantId}` }));
  return {
    roles: await Promise.all(roles),
    keys: keys.length,
    keyState: KeyMetadata.KeyState,
    aliasNamesTheKey: KeyMetadata.Arn === keys[0]?.ResourceARN,
    registryNamesTheKey: KeyMetadata.Arn === tenant['keyArn'],
  };
}
