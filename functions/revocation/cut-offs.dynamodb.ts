import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromItem, toItem } from '../shared/attribute-values.ts';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import { type CutOffEntry, cutOffEntry } from './cut-off/cut-off-entry.ts';
import { keyOf, ttlOf } from './cut-off/cut-off-items.ts';
import type { CutOffs } from './cut-offs.ts';

const shown = cutOffEntry.pick({ appliedAt: true, policyVersionId: true });
/** One text for all: what is to be done stands in the table and nowhere else. */
const nudge = 'write';

/** @param deps.client and `sqs` with the credentials of the function's own role */
export function createCutOffs(deps: {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly clock: Clock;
  readonly log: Log;
}): CutOffs {
  const { client, table, sqs, queueUrl, clock, log } = deps;
  return {
    async request({ id, tenantId, userId, before }) {
      const entry: CutOffEntry = { id, tenantId, ...(userId !== undefined && { userId }), before, requestedAt: clock() };
      await aws('asking for a cut-off', async () => {
        try {
          await client.send(
            new PutItemCommand({
              TableName: table,
              Item: { ...toItem({ ...entry, ttl: ttlOf(entry) }), ...keyOf(entry) },
              ConditionExpression: 'attribute_not_exists(pk)',
            }),
          );
        } catch (error) {
          if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
        }
      });
      try {
        await aws('calling the writer of the cut-off', () => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: nudge })));
      } catch (error) {
        // The entry is there, and the writer looks every minute: a call that is lost costs no more than that.
        log.error('the writer of the cut-off could not be called', error, { cutOffId: id, tenantId });
      }
    },
    state: (cutOff) =>
      aws('reading a cut-off', async () => {
        const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(cutOff), ConsistentRead: true }));
        return Item && shown.parse(fromItem(Item));
      }),
  };
}
