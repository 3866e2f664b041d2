import { type AttributeValue, type DynamoDBClient, ExecuteStatementCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { fromItem, toItem } from '../shared/attribute-values.ts';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import { type AttributionEntry, attributionEntry } from './attribution-entry.ts';
import { itemOf, partitionOf } from './attribution-item.ts';
import type { AttributionQuery, AttributionStore } from './attribution-store.ts';

function indexOf(query: AttributionQuery): { index: string; attribute: string; prefix: string } | undefined {
  if (query.of === undefined) return undefined;
  if ('credentialId' in query.of) return { index: 'byCredential', attribute: 'credentialKey', prefix: `${query.of.credentialId}#` };
  if ('userId' in query.of) return { index: 'byUser', attribute: 'userKey', prefix: `${query.of.userId}#` };
  return { index: 'bySession', attribute: 'sessionKey', prefix: `${query.of.sessionId}#` };
}

/** An agent session's name is free text and may hold the delimiter: by the prefix alone, `s-1` would also find `s-1#other`. */
function isAskedFor({ credentialId, actor }: AttributionEntry, { of }: AttributionQuery): boolean {
  if (of === undefined) return true;
  if ('credentialId' in of) return credentialId === of.credentialId;
  if ('userId' in of) return actor.userId === of.userId;
  return actor.sessionId === of.sessionId;
}

/**
 * Writes with PartiQL INSERT only: it fails on an existing key where PutItem would overwrite, and `dynamodb:PartiQLInsert` is all that a tenant
 * session is granted. Source: DynamoDB Developer Guide, "PartiQL insert statements" and "IAM policies with PartiQL".
 *
 * @param client a client with the credentials of a session of the tenant whose entries these are
 */
export function createAttributionStore(client: DynamoDBClient, table: string): AttributionStore {
  return {
    async record(entry) {
      const item = toItem(itemOf(entry));
      // The names are ours, only values are parameters.
      const members = Object.keys(item).map((name) => `'${name}': ?`);
      const insert = new ExecuteStatementCommand({
        Statement: `INSERT INTO "${table}" VALUE {${members.join(', ')}}`,
        Parameters: Object.values(item),
      });
      await aws('recording attribution', async () => {
        try {
          await client.send(insert);
        } catch (error) {
          // The ULID is made once per entry, so what is there is this very entry, recorded by an attempt whose answer was lost.
          if (!isAwsError(error, 'DuplicateItemException')) throw error;
        }
      });
    },

    async entries(query) {
      const by = indexOf(query);
      const found: AttributionEntry[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await aws('reading attribution', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              ...(by && { IndexName: by.index }),
              KeyConditionExpression: by ? 'pk = :pk AND begins_with(#key, :prefix)' : 'pk = :pk',
              ...(by && { ExpressionAttributeNames: { '#key': by.attribute } }),
              ExpressionAttributeValues: {
                ':pk': { S: partitionOf(query.tenantId, query.day) },
                ...(by && { ':prefix': { S: by.prefix } }),
              },
              ConsistentRead: true,
              ExclusiveStartKey: next,
            }),
          ),
        );
        const entries = (page.Items ?? []).map((item) => attributionEntry.parse(fromItem(item)));
        found.push(...entries.filter((entry) => isAskedFor(entry, query)));
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
      // Entries of one ID share an index value: their order within an index is not defined.
      return found.sort((a, b) => (a.id === b.id ? a.kind.localeCompare(b.kind) : a.id < b.id ? -1 : 1));
    },
  };
}
