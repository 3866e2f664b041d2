/** Tenants that are there and nothing else: written into the registry as onboarding leaves them, by the account's root, because thousands of onboardings would take hours. */
import { toItem } from '../../functions/shared/attribute-values.ts';
import { tenantId as tenantIdField, userId as userIdField } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { credentialDueShard } from '../../functions/sweep/due-shard.ts';
import { credentialItem, tenantItem, userItem } from '../../functions/tenants/registry.ts';
import type { LocalCloud } from '../../local/cloud.ts';
import { asRoot } from './ground-truth.ts';

const issuer = 'https://idp.example.com';
const quarterMs = 90 * 86_400_000;
/** DynamoDB takes no more in one request. Source: DynamoDB API Reference, BatchWriteItem. */
const batch = 25;

/** Each with a user and an active credential that falls due in three months: its own items, and one in the index of what is due. Tenants `crowd-{from}` up to `crowd-{to - 1}`. */
export async function seedCrowd(cloud: LocalCloud, from: number, to: number): Promise<void> {
  const now = cloud.clock.now();
  const items = Array.from({ length: to - from }, (_, n) => itemsOf(`crowd-${from + n}`, now)).flat();
  const TableName = cloud.outputs['RegistryTable'] ?? '';
  for (let first = 0; first < items.length; first += batch) {
    const requests = items.slice(first, first + batch).map((Item) => ({ PutRequest: { Item } }));
    await asRoot(cloud, 'dynamodb', 'BatchWriteItem', { RequestItems: { [TableName]: requests } });
  }
}

function itemsOf(name: string, now: number): readonly object[] {
  const tenantId = tenantIdField.parse(name);
  const at = new Date(now).toISOString();
  const written = { tenantId, epoch: 0, version: 1, writeId: name, createdAt: at, updatedAt: at, requestedBy: 'ops', announced: true };
  const held = { attempt: 1, leaseUntil: 0 };
  const userId = userIdField.parse(userIdOf(issuer, name));
  const all = {
    TENANT: tenantItem.parse({
      ...{ ...written, ...held, kind: 'TENANT', status: 'active', displayName: name, tier: 'pool', plan: [], rules: [], rulesVersion: 0 },
      ...{ rulesEventIds: [], rulesAnnounced: true, accounts: { openai: { attempt: 1, accountId: `proj_${name}` } } },
    }),
    [`USER#${userId}`]: userItem.parse({ ...written, kind: 'USER', userId, status: 'active', issuer, subject: name }),
    'CREDENTIAL#openai-main': credentialItem.parse({
      ...{ ...written, ...held, kind: 'CREDENTIAL', credentialId: 'openai-main', provider: 'openai', source: 'platform-issued' },
      ...{ environment: 'production', tier: 'pool', status: 'active', secretMayExist: true, keyId: `key_${name}`, keyAttempt: 1 },
      ...{ secretVersionId: name.padStart(32, '0'), dueShard: credentialDueShard('openai', tenantId), dueAt: now + quarterMs },
    }),
  };
  return Object.entries(all).map(([sk, item]) => ({ ...toItem(item), pk: { S: `TENANT#${name}#` }, sk: { S: sk } }));
}
