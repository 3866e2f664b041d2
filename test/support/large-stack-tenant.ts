/** A tenant of any size in the local cloud, as thousands of events would have left it: items and provider by whoever runs them, secrets in sessions of the tenant's own. */
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { createVault } from '../../functions/credentials/vault.secrets-manager.ts';
import { keyName } from '../../functions/providers/provider.ts';
import { type PlainItem, toItem } from '../../functions/shared/attribute-values.ts';
import { credentialId as credentialIdField, tenantId as tenantIdField } from '../../functions/shared/identifier-fields.ts';
import { type UserId, userIdOf } from '../../functions/shared/identifiers.ts';
import { inParallel } from '../../functions/shared/in-parallel.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { versionIdOf } from '../../functions/tenants/provision-credential.ts';
import { credentialItem, tenantItem, userItem } from '../../functions/tenants/registry.ts';
import type { TestCloud } from './cloud.ts';
import { asRoot } from './ground-truth.ts';
import type { Size } from './large-tenant.ts';

const issuer = 'https://idp.example.com';
/** DynamoDB takes no more in one request. Source: DynamoDB API Reference, BatchWriteItem. */
const batch = 25;

/** A pool tenant; of three credentials two are a user's own. Answers its ID. */
export async function seedStackTenant(test: TestCloud, { users, credentials }: Size): Promise<string> {
  const { cloud } = test;
  const tenantId = tenantIdField.parse(test.freshTenantId('large'));
  const now = cloud.clock.now();
  const at = new Date(now).toISOString();
  const common = { tenantId, epoch: 0, version: 1, writeId: 'seed', createdAt: at, updatedAt: at, requestedBy: 'ops', announced: true };
  const held = { attempt: 1, leaseUntil: 0 };
  const { organization } = cloud.openai;
  const project = organization.createProject(`cordon.${tenantId}`);
  const items: { readonly sk: string; readonly item: PlainItem }[] = [];
  const add = (sk: string, item: PlainItem): void => void items.push({ sk, item });
  add(
    'TENANT',
    tenantItem.parse({
      ...{ ...common, ...held, kind: 'TENANT', status: 'active', displayName: 'Large', tier: 'pool', plan: [], rules: [], rulesVersion: 0 },
      ...{ rulesEventIds: [], rulesAnnounced: true, accounts: { openai: { attempt: 1, accountId: project.id } } },
    }),
  );
  const owners = Array.from({ length: users }, (_, n) => userIdOf(issuer, `user-${n}`));
  for (const [n, userId] of owners.entries())
    add(`USER#${userId}`, userItem.parse({ ...common, kind: 'USER', userId, status: 'active', issuer, subject: `user-${n}` }));
  const openWriter = await writers(test, tenantId);
  await inParallel(
    Array.from({ length: credentials }, (_, n) => n),
    16,
    () => false,
    async (n) => {
      const userId = n % 3 === 0 ? undefined : owners[n % owners.length];
      const credentialId = credentialIdField.parse(`c-${n}`);
      const name = keyName(tenantId, credentialId, 1);
      const owner = organization.createServiceAccount(project.id, `${tenantId}.${credentialId}`);
      const { key, secret } = organization.createKey(owner, { name, origin: 'additional' });
      const versionId = versionIdOf(name);
      const about = { provider: 'openai', environment: 'production', tier: 'pool', ...(userId !== undefined && { userId }) } as const;
      const vault = createVault(await openWriter(userId));
      const place = { ...about, tenantId, credentialId, kmsKeyArn: cloud.outputs['TenantKeyArn'] ?? '' };
      const { secretArn } = await vault.store(place, new SecretText(secret), versionId);
      add(
        `CREDENTIAL#${credentialId}`,
        credentialItem.parse({
          ...{
            ...common,
            ...held,
            ...about,
            kind: 'CREDENTIAL',
            credentialId,
            source: 'platform-issued',
            status: 'active',
            useCase: `u-${n}`,
          },
          ...{ secretMayExist: true, keyId: key.id, ownerId: owner.id, keyAttempt: 1, secretVersionId: versionId, secretArn },
        }),
      );
    },
  );
  const TableName = cloud.outputs['RegistryTable'] ?? '';
  for (let first = 0; first < items.length; first += batch) {
    const requests = items
      .slice(first, first + batch)
      .map(({ sk, item }) => ({ PutRequest: { Item: { ...toItem(item), pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } } } }));
    await asRoot(cloud, 'dynamodb', 'BatchWriteItem', { RequestItems: { [TableName]: requests } });
  }
  return tenantId;
}

/** Clients in sessions of TenantWriter, one for the tenant and one for each of its users. */
async function writers(
  { cloud, clients }: TestCloud,
  tenantId: string,
): Promise<(userId: UserId | undefined) => Promise<SecretsManagerClient>> {
  const { tenants } = await cloud.functionCredentials();
  if (tenants === undefined) throw new Error('There is no function tenants.');
  const { sts } = clients(tenants);
  const RoleArn = cloud.outputs['TenantWriterRoleArn'];
  const open = async (userId: UserId | undefined): Promise<SecretsManagerClient> => {
    const Tags = [{ Key: 'TenantId', Value: tenantId }, ...(userId === undefined ? [] : [{ Key: 'UserId', Value: userId }])];
    const RoleSessionName = userId === undefined ? tenantId : `${tenantId}.${userId}`;
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Tags }));
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = Credentials ?? {};
    return clients({ accessKeyId, secretAccessKey, sessionToken }).secretsmanager;
  };
  const opened = new Map<UserId | undefined, Promise<SecretsManagerClient>>();
  return (userId) => {
    const known = opened.get(userId) ?? open(userId);
    opened.set(userId, known);
    return known;
  };
}
