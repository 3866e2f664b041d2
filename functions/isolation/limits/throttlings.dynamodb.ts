import { type AttributeValue, type DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { z } from 'zod';
import { providerName } from '../../providers/provider-name.ts';
import { fromItem, toItem } from '../../shared/attribute-values.ts';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import { credentialId, tenantId } from '../../shared/identifier-fields.ts';
import { spanMs } from './decide-shared.ts';
import type { Period, Throttling, Throttlings } from './throttlings.ts';
import { togetherMs, windowOf } from './together.ts';

const kept = z.object({ tenantId, provider: providerName, credentialId, at: z.int() });
/** As long as it can matter to anything that is delivered late, in milliseconds. */
const keptMs = 6 * spanMs;
/** One partition of "all of a provider" holds so many milliseconds: a DynamoDB partition takes 1,000 writes/s. */
const partitionMs = 60_000;

/**
 * Each is kept twice: under its tenant, for the tenant's last hour, and under its time, for who else it happened to. The second write is what makes it seen by others: a run
 * that dies between the two is repeated.
 *
 * @param deps.client with the credentials of the function's own role: the table holds nothing of a tenant but that it was throttled
 */
export function createThrottlings({ client, table }: { client: DynamoDBClient; table: string }): Throttlings {
  async function put(throttling: Throttling, key: { readonly pk: string; readonly sk: string }): Promise<void> {
    try {
      await client.send(
        new PutItemCommand({
          TableName: table,
          Item: toItem({ ...throttling, ...key, ttl: Math.ceil((throttling.at + keptMs) / 1000) }),
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (error) {
      // The window has one already: an earlier delivery's, or another environment's.
      if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
    }
  }

  async function query(pk: string, { from, to }: Period): Promise<readonly Throttling[]> {
    const found: Throttling[] = [];
    let next: Record<string, AttributeValue> | undefined;
    do {
      const page = await aws('reading throttlings', () =>
        client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
            ExpressionAttributeValues: toItem({ ':pk': pk, ':from': sortable(windowOf(from)), ':to': `${sortable(windowOf(to))}~` }),
            ConsistentRead: true,
            ExclusiveStartKey: next,
          }),
        ),
      );
      for (const item of page.Items ?? []) found.push(understood(item));
      next = page.LastEvaluatedKey;
    } while (next !== undefined);
    return found.filter(({ at }) => from <= at && at <= to).toSorted((a, b) => a.at - b.at);
  }

  return {
    keep: (throttling) =>
      aws('keeping a throttling', async () => {
        const { tenantId, provider, at } = throttling;
        const window = sortable(windowOf(at));
        await put(throttling, { pk: ofTenant(tenantId, provider), sk: window });
        await put(throttling, { pk: ofMinute(provider, windowOf(at) * togetherMs), sk: `${window}#${tenantId}` });
      }),
    of: (tenantId, provider, period) => query(ofTenant(tenantId, provider), period),
    async ofAll(provider, period) {
      const found: Throttling[] = [];
      const first = windowOf(period.from) * togetherMs;
      for (let minute = first - (first % partitionMs); minute <= period.to; minute += partitionMs)
        found.push(...(await query(ofMinute(provider, minute), period)));
      return found;
    },
  };
}

function ofTenant(tenantId: string, provider: string): string {
  return `THROTTLED#${tenantId}#${provider}`;
}

function ofMinute(provider: string, at: number): string {
  return `MINUTE#${provider}#${Math.floor(at / partitionMs)}`;
}

function sortable(window: number): string {
  return String(window).padStart(12, '0');
}

function understood(item: Record<string, AttributeValue>): Throttling {
  const parsed = kept.safeParse(fromItem(item));
  if (!parsed.success) throw new CordonError('ITEM_NOT_UNDERSTOOD', 'a throttling is not understood');
  return parsed.data;
}
