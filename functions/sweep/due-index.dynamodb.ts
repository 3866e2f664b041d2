import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { aws } from '../shared/aws-errors.ts';
import { CordonError } from '../shared/errors.ts';
import { isTenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { DueIndex, DueItem } from './due-item.ts';

const pageSize = 1000;

/** The sparse index `due` of the registry: only what has a due time is in it. Source: DynamoDB Developer Guide, "Take advantage of sparse indexes". */
export function createDueIndex(client: DynamoDBClient, table: string, log: Log): DueIndex {
  return {
    async *pages(shard, now) {
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await aws('reading what is due', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              IndexName: 'due',
              KeyConditionExpression: 'dueShard = :shard AND dueAt <= :now',
              ExpressionAttributeValues: { ':shard': { S: shard }, ':now': { N: String(now) } },
              Limit: pageSize,
              ExclusiveStartKey: next,
            }),
          ),
        );
        yield (page.Items ?? []).flatMap((item) => {
          const due = dueItemOf(item);
          if (due) return due;
          log.error(
            'what is due is not understood',
            new CordonError('ITEM_NOT_UNDERSTOOD', 'a key of the index due is not one of Cordon'),
            { shard },
          );
          return [];
        });
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
    },
  };
}

function dueItemOf({ pk, sk, dueAt }: Record<string, AttributeValue>): DueItem | undefined {
  const tenantId = /^TENANT#([^#]+)#$/.exec(pk?.S ?? '')?.[1] ?? '';
  if (!isTenantId(tenantId) || sk?.S === undefined || dueAt?.N === undefined) return undefined;
  return { tenantId, sk: sk.S, dueAt: Number(dueAt.N) };
}
