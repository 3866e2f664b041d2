import { type AttributeValue, type DynamoDBClient, QueryCommand, type QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { fromItem } from '../shared/attribute-values.ts';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { type AttributionEntry, attributionEntry } from './attribution-entry.ts';
import { partitionOf } from './attribution-item.ts';
import type { AttributionPageQuery, AttributionPages } from './attribution-pages.ts';

interface Range {
  readonly index: string | undefined;
  readonly attribute: string;
  readonly low: string;
  readonly high: string;
}

/** Every key ends in the ULID, alone or after a name; with anything behind it, it sorts after all keys of that ULID and before those of the next. */
function rangeOf({ of, after, before }: AttributionPageQuery): Range {
  if (of === undefined) return { index: undefined, attribute: 'sk', low: `${after}#~`, high: before };
  const [index, attribute, name] =
    'credentialId' in of
      ? ['byCredential', 'credentialKey', of.credentialId]
      : 'userId' in of
        ? ['byUser', 'userKey', of.userId]
        : ['bySession', 'sessionKey', of.sessionId];
  return { index, attribute, low: `${name}#${after}#`, high: `${name}#${before}` };
}

/** An agent session's name is free text and may hold the delimiter, so that another session's keys can lie in between. */
function isAskedFor({ credentialId, actor }: AttributionEntry, { of }: AttributionPageQuery): boolean {
  if (of === undefined) return true;
  if ('credentialId' in of) return credentialId === of.credentialId;
  if ('userId' in of) return actor.userId === of.userId;
  return actor.sessionId === of.sessionId;
}

/**
 * @param client a client with the credentials of a session of the tenant whose entries these are
 */
export function createAttributionPages(client: DynamoDBClient, table: string): AttributionPages {
  return {
    async page(query) {
      const { index, attribute, low, high } = rangeOf(query);
      const found: AttributionEntry[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const answer: QueryCommandOutput = await aws('reading attribution', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              IndexName: index,
              KeyConditionExpression: 'pk = :pk AND #key BETWEEN :low AND :high',
              ExpressionAttributeNames: { '#key': attribute },
              ExpressionAttributeValues: { ':pk': { S: partitionOf(query.tenantId, query.day) }, ':low': { S: low }, ':high': { S: high } },
              ConsistentRead: true,
              Limit: query.limit - found.length,
              ExclusiveStartKey: next,
            }),
          ),
        );
        found.push(...(answer.Items ?? []).map(understood).filter((entry) => entry.id < query.before && isAskedFor(entry, query)));
        next = answer.LastEvaluatedKey;
      } while (next !== undefined && found.length < query.limit);
      // Entries of one ID share an index value: their order within an index is not defined.
      const entries = found.sort((a, b) => (a.id === b.id ? a.kind.localeCompare(b.kind) : a.id < b.id ? -1 : 1));
      return { entries, more: next !== undefined };
    },
  };
}

/** An entry that cannot be read is not left out: a list with a hole would pass for the whole. */
function understood(item: Record<string, AttributeValue>): AttributionEntry {
  const parsed = attributionEntry.safeParse(fromItem(item));
  if (parsed.success) return parsed.data;
  throw new CordonError('ITEM_NOT_UNDERSTOOD', 'an attribution entry is not understood', { retryable: true });
}
