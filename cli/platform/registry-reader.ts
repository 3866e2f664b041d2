import { type AttributeValue, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { type Connection, connection, connectionPrefix } from '../../functions/byoc/connection.ts';
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
  };
}

async function* scanTenants(client: Cloud['dynamodb'], table: string): AsyncIterable<readonly ListedTenant[]> {
  let next: Record<string, AttributeValue> | undefined;
  do {
    const page: ScanCommandOutput = await aws('listing the tenants', () =>
      client.send(
        new ScanCommand({
          TableName: table,
          FilterExpression: 'sk = :tenant',
          ProjectionExpression: 'tenantId, displayName, tier, #status, createdAt',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':tenant': { S: 'TENANT' } },
          ExclusiveStartKey: next,
        }),
      ),
    );
    yield (page.Items ?? []).map((item) => listedTenant.parse(fromItem(item)));
    next = page.LastEvaluatedKey;
  } while (next !== undefined);
}
