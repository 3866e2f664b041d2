import { type AttributeValue, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { type Connection, connection, connectionPrefix } from '../../functions/byoc/connection.ts';
import type { ProviderName } from '../../functions/providers/provider-name.ts';
import { type Revocation, revocation, revocationPrefix } from '../../functions/revocation/revocation.ts';
import { fromItem } from '../../functions/shared/attribute-values.ts';
import { aws } from '../../functions/shared/aws-errors.ts';
import { createIds } from '../../functions/shared/clock.ts';
import type { CredentialId, TenantId, UserId } from '../../functions/shared/identifiers.ts';
import { createRegistryItems } from '../../functions/shared/registry-items.dynamodb.ts';
import {
  type CredentialItem,
  credentialItem,
  type TenantItem,
  tenantItem,
  type UserItem,
  userItem,
} from '../../functions/tenants/registry.ts';
import type { Cloud } from '../cloud/cloud.ts';

/** What a list of tenants shows; a status that a later version knows is shown as it is. */
const listedTenant = z.object({
  tenantId: z.string(),
  displayName: z.string(),
  tier: z.string(),
  status: z.string(),
  createdAt: z.string(),
});
export type ListedTenant = z.infer<typeof listedTenant>;

/** The registry as the operator may see it: everything, and only to look at. Operations throw CordonError as `aws`, and ITEM_NOT_UNDERSTOOD. */
export interface RegistryReader {
  /** Every tenant, in no order; a page at a time, because reading them all takes as long as there are many. */
  tenants(): AsyncIterable<readonly ListedTenant[]>;
  tenant(tenantId: TenantId): Promise<TenantItem | undefined>;
  users(tenantId: TenantId): Promise<readonly UserItem[]>;
  user(tenantId: TenantId, userId: UserId): Promise<UserItem | undefined>;
  credentials(tenantId: TenantId): Promise<readonly CredentialItem[]>;
  credential(tenantId: TenantId, credentialId: CredentialId): Promise<CredentialItem | undefined>;
  connections(tenantId: TenantId): Promise<readonly Connection[]>;
  connection(tenantId: TenantId, customerAccountId: string): Promise<Connection | undefined>;
  /** In the order of their IDs. */
  revocations(tenantId: TenantId): Promise<readonly Revocation[]>;
  revocation(tenantId: TenantId, revocationId: string): Promise<Revocation | undefined>;
  /** IDs of the tenants whose account at a provider this is; every tenant is looked at. */
  tenantsAt(provider: ProviderName, accountId: string): Promise<readonly string[]>;
}

export function createRegistryReader({
  dynamodb: client,
  registryTable: table,
}: Pick<Cloud, 'dynamodb' | 'registryTable'>): RegistryReader {
  // Clock and IDs are for writing, which the operator may not.
  const clock = (): number => Date.now();
  const items = createRegistryItems({ client, table, clock, nextId: createIds(clock) });
  return {
    tenants: () => scanTenants(client, table),
    tenant: (tenantId) => items.get(tenantItem, tenantId, 'TENANT'),
    users: (tenantId) => items.list(userItem, tenantId, 'USER#'),
    user: (tenantId, userId) => items.get(userItem, tenantId, `USER#${userId}`),
    credentials: (tenantId) => items.list(credentialItem, tenantId, 'CREDENTIAL#'),
    credential: (tenantId, credentialId) => items.get(credentialItem, tenantId, `CREDENTIAL#${credentialId}`),
    connections: (tenantId) => items.list(connection, tenantId, connectionPrefix),
    connection: (tenantId, customerAccountId) => items.get(connection, tenantId, `${connectionPrefix}${customerAccountId}`),
    revocations: (tenantId) => items.list(revocation, tenantId, revocationPrefix),
    revocation: (tenantId, revocationId) => items.get(revocation, tenantId, `${revocationPrefix}${revocationId}`),
    async tenantsAt(provider, accountId) {
      const holders: string[] = [];
      const pages = tenantItems(client, table, {
        filter: '#accounts.#provider.accountId = :account',
        show: 'tenantId',
        names: { '#accounts': 'accounts', '#provider': provider },
        values: { ':account': { S: accountId } },
      });
      for await (const page of pages) holders.push(...page.map((item) => holder.parse(item).tenantId));
      return holders;
    },
  };
}

const holder = z.object({ tenantId: z.string() });

async function* scanTenants(client: Cloud['dynamodb'], table: string): AsyncIterable<readonly ListedTenant[]> {
  const show = 'tenantId, displayName, tier, #status, createdAt';
  for await (const page of tenantItems(client, table, { show, names: { '#status': 'status' } }))
    yield page.map((item) => listedTenant.parse(item));
}

/** A page of tenants' own items at a time, those members of them that are to be shown. */
async function* tenantItems(
  client: Cloud['dynamodb'],
  table: string,
  of: {
    readonly show: string;
    readonly names: Readonly<Record<string, string>>;
    readonly filter?: string;
    readonly values?: Readonly<Record<string, AttributeValue>>;
  },
): AsyncIterable<readonly unknown[]> {
  let next: Record<string, AttributeValue> | undefined;
  do {
    const page: ScanCommandOutput = await aws('listing the tenants', () =>
      client.send(
        new ScanCommand({
          TableName: table,
          FilterExpression: ['sk = :tenant', ...(of.filter === undefined ? [] : [of.filter])].join(' AND '),
          ProjectionExpression: of.show,
          ExpressionAttributeNames: of.names,
          ExpressionAttributeValues: { ':tenant': { S: 'TENANT' }, ...of.values },
          ExclusiveStartKey: next,
        }),
      ),
    );
    yield (page.Items ?? []).map((item) => fromItem(item));
    next = page.LastEvaluatedKey;
  } while (next !== undefined);
}
