import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { toItem } from '../../shared/attribute-values.ts';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Pair, Tellings } from './throttlings.ts';

/** After this long whoever took it is taken to have failed, in milliseconds. */
const patienceMs = 600_000;
const keptMs = 3 * 86_400_000;

/** @param deps.client with the credentials of the function's own role */
export function createTellings({ client, table, clock }: { client: DynamoDBClient; table: string; clock: Clock }): Tellings {
  const keyOf = (pair: Pair, provider: string, day: string) => toItem({ pk: `PAIR#${pair.join('#')}`, sk: `${provider}#${day}` });
  return {
    take: (pair, provider, day, eventId) =>
      aws('taking a finding', async () => {
        const now = clock();
        const isNew = 'attribute_not_exists(pk)';
        const isMineStill = '(attribute_not_exists(toldAt) AND (takenBy = :me OR takenAt < :given_up))';
        try {
          await client.send(
            new UpdateItemCommand({
              TableName: table,
              Key: keyOf(pair, provider, day),
              UpdateExpression: 'SET takenBy = :me, takenAt = :now, #ttl = :ttl',
              ConditionExpression: `${isNew} OR ${isMineStill}`,
              ExpressionAttributeNames: { '#ttl': 'ttl' },
              ExpressionAttributeValues: toItem({
                ':me': eventId,
                ':now': now,
                ':given_up': now - patienceMs,
                ':ttl': Math.ceil((now + keptMs) / 1000),
              }),
            }),
          );
          return true;
        } catch (error) {
          if (isAwsError(error, 'ConditionalCheckFailedException')) return false;
          throw error;
        }
      }),
    told: (pair, provider, day) =>
      aws('noting a finding', async () => {
        await client.send(
          new UpdateItemCommand({
            TableName: table,
            Key: keyOf(pair, provider, day),
            UpdateExpression: 'SET toldAt = :now',
            ExpressionAttributeValues: toItem({ ':now': clock() }),
          }),
        );
      }),
  };
}
