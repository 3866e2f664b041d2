import { type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { partitionOf } from '../attribution/attribution-item.ts';
import { createConnectionStore } from '../byoc/connection-store.dynamodb.ts';
import { createDoorStore } from '../credentials/door-store.dynamodb.ts';
import { aws } from '../shared/aws-errors.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import { createRegistry } from '../tenants/registry.dynamodb.ts';
import type { TenantView } from './tenant-view.ts';

export interface TenantViewDeps {
  /** A client with the credentials of a session of that tenant, which may read and nothing else. */
  readonly client: DynamoDBClient;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly clock: Clock;
  readonly nextId: NextId;
}

/** The operation under which the broker records that a credential was used; storing and checking it have others. */
const useOperation = 'provider.call';
/** Entries read at a time: the newest one is nearly always a use. */
const pageSize = 10;

export function createTenantView(deps: TenantViewDeps, tenantId: TenantId): TenantView {
  const { client, attributionTable } = deps;
  const registryDeps = { client, table: deps.registryTable, clock: deps.clock, nextId: deps.nextId };
  const connections = createConnectionStore(registryDeps);
  const registry = createRegistry(registryDeps);
  const door = createDoorStore(registryDeps);
  return {
    connections: () => connections.connections(tenantId),
    connection: (customerAccountId) => connections.connection(tenantId, customerAccountId),
    credentials: () => registry.credentials(tenantId),
    isRevoked: (by) => door.isRevoked(tenantId, by),
    async newestUse(credentialId, day) {
      let next: QueryCommandOutput['LastEvaluatedKey'];
      do {
        const page: QueryCommandOutput = await aws('reading attribution', () =>
          client.send(
            new QueryCommand({
              TableName: attributionTable,
              IndexName: 'byCredential',
              KeyConditionExpression: 'pk = :pk AND begins_with(credentialKey, :credential)',
              ExpressionAttributeValues: { ':pk': { S: partitionOf(tenantId, day) }, ':credential': { S: `${credentialId}#` } },
              ScanIndexForward: false,
              Limit: pageSize,
              ExclusiveStartKey: next,
            }),
          ),
        );
        const use = page.Items?.find((item) => item['operation']?.S === useOperation);
        if (use?.['at']?.S !== undefined) return use['at'].S;
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
      return undefined;
    },
  };
}
