import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import type { z } from 'zod';
import { fromItem, type PlainItem, toItem } from '../shared/attribute-values.ts';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { afterSupply } from '../tenants/rotation-plan.ts';
import { type DoorStore, doorKey, type NonceItem, nonceItem } from './door-store.ts';

/** How long an item outlives its use before DynamoDB may delete it: long enough to look into what happened. Seconds. */
const keepSeconds = 7 * 86_400;

export interface DoorStoreDeps {
  /** A client with the credentials of a TenantSupplier session of the one tenant. */
  readonly client: DynamoDBClient;
  /** The registry. */
  readonly table: string;
  readonly clock: Clock;
  readonly nextId: NextId;
}

/** Items beside the registry's own: `DOORKEY#{month}`, `NONCE#{value}`. `ttl` is for DynamoDB's time to live; nothing here relies on it. */
export function createDoorStore({ client, table, clock, nextId }: DoorStoreDeps): DoorStore {
  const keyOf = (tenantId: string, sk: string): Record<string, AttributeValue> => ({ pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } });

  async function get(tenantId: string, sk: string): Promise<Record<string, AttributeValue> | undefined> {
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(tenantId, sk), ConsistentRead: true }));
    return Item;
  }

  /** Adds an item unless there is one; false when there is. */
  async function add(tenantId: string, sk: string, item: PlainItem): Promise<boolean> {
    try {
      const Item = { ...toItem(item), ...keyOf(tenantId, sk) };
      await client.send(new PutItemCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
      return true;
    } catch (error) {
      if (isAwsError(error, 'ConditionalCheckFailedException')) return false;
      throw error;
    }
  }

  /** Lays `change` over an item of the version that was read. */
  function update(tenantId: string, sk: string, read: number, change: PlainItem): TransactWriteItem {
    const values = toItem({ ...change, version: read + 1 });
    return {
      Update: {
        TableName: table,
        Key: keyOf(tenantId, sk),
        UpdateExpression: `SET ${Object.keys(values)
          .map((name) => `#${name} = :${name}`)
          .join(', ')}`,
        ConditionExpression: '#version = :read',
        ExpressionAttributeNames: Object.fromEntries(Object.keys(values).map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
          ':read': { N: String(read) },
        },
      },
    };
  }

  /** The token makes a call whose answer was lost the same call when the SDK repeats it. Source: DynamoDB API Reference, TransactWriteItems, "Idempotency". */
  async function changeBoth(doing: string, nonce: NonceItem, nonceChange: PlainItem, credential: CredentialItem, change: PlainItem) {
    const TransactItems = [
      update(nonce.tenantId, `NONCE#${nonce.value}`, nonce.version, nonceChange),
      update(credential.tenantId, `CREDENTIAL#${credential.credentialId}`, credential.version, change),
    ];
    await aws(doing, async () => {
      try {
        await client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken: randomUUID() }));
      } catch (error) {
        if (!isAwsError(error, 'TransactionCanceledException')) throw error;
        throw new CordonError('CONFLICT', `${doing} met another change`, { retryable: true, cause: error });
      }
    });
  }

  const written = () => ({ writeId: nextId(), updatedAt: new Date(clock()).toISOString() });

  return {
    doorKey: (tenantId, month) => aws('reading the door key', async () => understood(doorKey, await get(tenantId, `DOORKEY#${month}`))),

    addDoorKey: (key) =>
      aws('keeping the door key', async () => {
        const sk = `DOORKEY#${key.month}`;
        const ttl = Math.floor(clock() / 1000) + 62 * 86_400;
        if (await add(key.tenantId, sk, { ...key, kind: 'DOORKEY', ttl })) return key;
        const first = understood(doorKey, await get(key.tenantId, sk));
        if (!first) throw new CordonError('AWS_UNAVAILABLE', 'the door key is there and cannot be read', { retryable: true });
        return first;
      }),

    nonce: (tenantId, value) => aws('reading a nonce', async () => understood(nonceItem, await get(tenantId, `NONCE#${value}`))),

    addNonce: (nonce) =>
      aws('keeping a nonce', async () => {
        const ttl = Math.floor(nonce.expiresAt / 1000) + keepSeconds;
        await add(nonce.tenantId, `NONCE#${nonce.value}`, { ...nonce, kind: 'NONCE', ttl });
      }),

    isRevoked: (tenantId, { agentId, sessionId }) =>
      aws('reading revocations', async () => {
        const tombstones = [
          ...(agentId === undefined ? [] : [`REVOKED#AGENT#${agentId}`]),
          ...(sessionId === undefined ? [] : [`REVOKED#SESSION#${sessionId}`]),
        ];
        const found = await Promise.all(tombstones.map((sk) => get(tenantId, sk)));
        return found.some((item) => item !== undefined);
      }),

    async claim(nonce, credential, { digest, leaseUntil }) {
      const attempt = credential.attempt + 1;
      const nonceChange = { status: 'claimed', claim: { digest, credentialId: credential.credentialId, attempt } } as const;
      const change = { attempt, leaseUntil, ...written() };
      await changeBoth('claiming a nonce', nonce, nonceChange, credential, change);
      return {
        nonce: { ...nonce, ...nonceChange, version: nonce.version + 1 },
        credential: { ...credential, ...change, version: credential.version + 1 },
      };
    },

    async settle({ nonce, credential }, settlement) {
      const stored =
        settlement.result === 'stored'
          ? {
              status: 'active' as const,
              secretMayExist: true,
              secretArn: settlement.secretArn,
              secretVersionId: settlement.secretVersionId,
              suppliedAt: settlement.at,
              ...afterSupply(credential, settlement),
              announced: false,
            }
          : {};
      const change = { ...stored, leaseUntil: 0, ...written() };
      await changeBoth('settling a supply', nonce, { status: 'used' }, credential, change);
      return { ...credential, ...change, version: credential.version + 1 };
    },
  };
}

function understood<Schema extends z.ZodType>(
  schema: Schema,
  item: Record<string, AttributeValue> | undefined,
): z.infer<Schema> | undefined {
  if (item === undefined) return undefined;
  const parsed = schema.safeParse(fromItem(item));
  if (parsed.success) return parsed.data;
  throw new CordonError('ITEM_NOT_UNDERSTOOD', 'an item of the door is not understood', { retryable: true });
}
