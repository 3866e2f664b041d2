import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { z } from 'zod';
import { fromItem, type PlainItem, toItem } from '../../shared/attribute-values.ts';
import { aws, isAwsError } from '../../shared/aws-errors.ts';
import { CordonError } from '../../shared/errors.ts';
import { rotationShown, type VerificationReader, type VerificationStore, verification } from './verification.ts';

interface StoreDeps {
  /** With the credentials of the verifying function's own role; for reading, of a session of the one tenant. */
  readonly client: DynamoDBClient;
  readonly table: string;
}

/** Days that a run is kept for; evidence that is to last longer is the signed file. */
const keptDays = 400;
const daySeconds = 86_400;

/** The partition ends in a delimiter that no tenant ID holds, or `acme` would be a prefix of `acme-2`. */
const keyOf = (pk: string, sk: string): Record<string, AttributeValue> => ({ pk: { S: pk }, sk: { S: sk } });
const runKey = (tenantId: string, id: string): Record<string, AttributeValue> => keyOf(`TENANT#${tenantId}#`, `RUN#${id}`);
const place = keyOf('PLACE', 'RUN');
const lastRotation = keyOf('ROTATION', 'LATEST');
const listed = verification.pick({
  verificationId: true,
  requestedBy: true,
  startedAt: true,
  finishedAt: true,
  status: true,
  counts: true,
});

export function createVerificationReader({ client, table: TableName }: StoreDeps): VerificationReader {
  return {
    run: (tenantId, id) =>
      aws('reading an isolation run', async () => {
        const { Item } = await client.send(new GetItemCommand({ TableName, Key: runKey(tenantId, id), ConsistentRead: true }));
        return Item && understood(verification, Item);
      }),
    latest: (tenantId, limit) =>
      aws('reading isolation runs', async () => {
        const { Items = [] } = await client.send(
          new QueryCommand({
            ...{ TableName, IndexName: 'byStart', ConsistentRead: true, ScanIndexForward: false, Limit: limit },
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': { S: `TENANT#${tenantId}#` } },
          }),
        );
        return Items.map((item) => understood(listed, item));
      }),
  };
}

export function createVerificationStore(deps: StoreDeps): VerificationStore {
  const { client, table: TableName } = deps;
  const put = async (what: string, key: Record<string, AttributeValue>, item: PlainItem): Promise<void> => {
    await aws(what, () => client.send(new PutItemCommand({ TableName, Item: { ...toItem(item), ...key } })));
  };
  return {
    ...createVerificationReader(deps),

    take: (holder, { now, until }) =>
      aws('taking the place of an isolation run', async () => {
        try {
          await client.send(
            new UpdateItemCommand({
              ...{ TableName, Key: place, UpdateExpression: 'SET holder = :holder, heldUntil = :until' },
              ConditionExpression: 'attribute_not_exists(heldUntil) OR heldUntil <= :now',
              ExpressionAttributeValues: { ':holder': { S: holder }, ':until': { N: String(until) }, ':now': { N: String(now) } },
            }),
          );
          return true;
        } catch (error) {
          if (isAwsError(error, 'ConditionalCheckFailedException')) return false;
          throw error;
        }
      }),

    release: (holder) =>
      aws('leaving the place of an isolation run', async () => {
        try {
          await client.send(
            new UpdateItemCommand({
              ...{ TableName, Key: place, UpdateExpression: 'REMOVE heldUntil', ConditionExpression: 'holder = :holder' },
              ExpressionAttributeValues: { ':holder': { S: holder } },
            }),
          );
        } catch (error) {
          // It was held too long, and somebody else holds it now.
          if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
        }
      }),

    save: (run) =>
      put('writing an isolation run', runKey(run.tenantId, run.verificationId), {
        ...run,
        ttl: Math.floor(Date.parse(run.startedAt) / 1000) + keptDays * daySeconds,
      }),

    rotationShown: () =>
      aws('reading what the last rotation has shown', async () => {
        const { Item } = await client.send(new GetItemCommand({ TableName, Key: lastRotation, ConsistentRead: true }));
        return Item && understood(rotationShown, Item);
      }),

    saveRotation: (shown) => put('writing what a rotation has shown', lastRotation, shown),
  };
}

function understood<Schema extends z.ZodType>(schema: Schema, item: Record<string, AttributeValue>): z.infer<Schema> {
  const parsed = schema.safeParse(fromItem(item));
  if (parsed.success) return parsed.data;
  const members = parsed.error.issues.map(({ path }) => path.map(String).join('.')).slice(0, 5);
  throw new CordonError('ITEM_NOT_UNDERSTOOD', `an isolation run is not understood (${members.join(', ')})`, { retryable: true });
}
