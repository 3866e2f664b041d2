import { type AttributeValue, type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { fromItem } from '../../shared/attribute-values.ts';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import type { CutOffEntries } from './cut-off-entries.ts';
import { type CutOffEntry, cutOffEntry } from './cut-off-entry.ts';
import { keyOf, partition, sortableOf } from './cut-off-items.ts';

/** @param deps.client with the credentials of the writer's own role: the table holds nothing of any tenant but who it is */
export function createCutOffEntries({ client, table }: { client: DynamoDBClient; table: string }): CutOffEntries {
  function update(entry: CutOffEntry, expression: string, values: Record<string, AttributeValue>): Promise<void> {
    return aws('noting a cut-off', async () => {
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyOf(entry),
            UpdateExpression: expression,
            // The table may have forgotten it meanwhile: an update would make half an item of it.
            ConditionExpression: 'attribute_exists(pk)',
            ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
          }),
        );
      } catch (error) {
        if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
      }
    });
  }

  return {
    async live(now) {
      const found: CutOffEntry[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await aws('reading cut-offs', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: 'pk = :pk AND sk > :over',
              // What ends at `now` has an ID behind it, and so would come after `now` alone.
              ExpressionAttributeValues: { ':pk': { S: partition }, ':over': { S: sortableOf(now + 1) } },
              ConsistentRead: true,
              ExclusiveStartKey: next,
            }),
          ),
        );
        for (const item of page.Items ?? []) found.push(understood(item));
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
      return found;
    },
    applied: (entry, { appliedAt, policyVersionId }) =>
      update(entry, 'SET appliedAt = :at, policyVersionId = :version', {
        ':at': { N: String(appliedAt) },
        ':version': { S: policyVersionId },
      }),
    displaced: (entry) => update(entry, 'REMOVE appliedAt, policyVersionId', {}),
  };
}

/** One entry that cannot be read stops the writing: a policy without it might let somebody back in. */
function understood(item: Record<string, AttributeValue>): CutOffEntry {
  const parsed = cutOffEntry.safeParse(fromItem(item));
  if (!parsed.success) throw new CordonError('ITEM_NOT_UNDERSTOOD', 'a cut-off is not understood', { retryable: true });
  return parsed.data;
}
