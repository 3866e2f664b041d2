import {
  type AttributeValue,
  type ConditionCheck,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { z } from 'zod';
import { fromItem, type PlainItem, toItem } from './attribute-values.ts';
import { aws, isAwsError } from './aws-errors.ts';
import type { Clock, NextId } from './clock.ts';
import { CordonError } from './errors.ts';

/** What every item of the registry carries for its writers: `version` is the optimistic lock, `writeId` marks the write that made it. */
export interface WrittenItem {
  readonly tenantId: string;
  readonly version: number;
  readonly writeId: string;
}

export interface RegistryItemsDeps {
  /** A client with the credentials of a session of the one tenant whose items are read and written. */
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly nextId: NextId;
}

/** One part of a write that is done whole or not at all. */
export type WritePart =
  /** Adds an item that is not there yet. */
  | { readonly add: WrittenItem & PlainItem; readonly sk: string }
  /** Lays a change over an item, if it is as it was read. */
  | { readonly change: PlainItem; readonly read: number; readonly sk: string }
  /** Demands something of an item that is not written. `unmet` is what is thrown otherwise. */
  | {
      readonly demand: 'absent' | 'not in force' | { readonly status: readonly string[] };
      readonly sk: string;
      readonly unmet: CordonError;
    };

/** `SET` for what has a value, `REMOVE` for what was named without one. Names are passed as placeholders: some are reserved words. */
function updateOf(change: PlainItem): { expression: string; names: Record<string, string>; values: Record<string, AttributeValue> } {
  const values = toItem(change);
  const set = Object.keys(values).map((name) => `#${name} = :${name}`);
  const removed = Object.keys(change).filter((name) => values[name] === undefined);
  return {
    expression: `SET ${set.join(', ')}${removed.length > 0 ? ` REMOVE ${removed.map((name) => `#${name}`).join(', ')}` : ''}`,
    names: Object.fromEntries(Object.keys(change).map((name) => [`#${name}`, name])),
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
  };
}

/** A later version may have written what this one does not know, e.g. a status: then nothing is concluded from the item, least of all that it is active. */
function understood<Schema extends z.ZodType>(schema: Schema, item: Record<string, AttributeValue>): z.infer<Schema> {
  const parsed = schema.safeParse(fromItem(item));
  if (parsed.success) return parsed.data;
  const members = parsed.error.issues.map(({ path }) => path.map(String).join('.')).slice(0, 5);
  throw new CordonError('ITEM_NOT_UNDERSTOOD', `a registry item is not understood (${members.join(', ')})`, { retryable: true });
}

/** The partition ends in a delimiter that no tenant ID holds, or `acme` would be a prefix of `acme-2`. */
function keyOf(tenantId: string, sk: string): { pk: AttributeValue; sk: AttributeValue } {
  return { pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } };
}

type Demand = Extract<WritePart, { readonly unmet: CordonError }>['demand'];
type Demanded = Pick<ConditionCheck, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>;

/** A tombstone that was lifted is as good as none. */
function demandOf(demand: Demand): Demanded {
  if (demand === 'absent') return { ConditionExpression: 'attribute_not_exists(pk)' };
  if (demand === 'not in force') {
    return {
      ConditionExpression: 'attribute_not_exists(pk) OR #lifted = :lifted',
      ExpressionAttributeNames: { '#lifted': 'lifted' },
      ExpressionAttributeValues: { ':lifted': { BOOL: true } },
    };
  }
  const values = Object.fromEntries(demand.status.map((status, index) => [`:status${index}`, { S: status }]));
  return {
    ConditionExpression: `#status IN (${Object.keys(values).join(', ')})`,
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: values,
  };
}

function partOf(table: string, tenantId: string, part: WritePart): TransactWriteItem {
  const Key = keyOf(tenantId, part.sk);
  if ('add' in part)
    return { Put: { TableName: table, Item: { ...toItem(part.add), ...Key }, ConditionExpression: 'attribute_not_exists(pk)' } };
  if ('demand' in part) return { ConditionCheck: { TableName: table, Key, ...demandOf(part.demand) } };
  const update = updateOf(part.change);
  return {
    Update: {
      TableName: table,
      Key,
      UpdateExpression: update.expression,
      ConditionExpression: '#version = :read',
      ExpressionAttributeNames: update.names,
      ExpressionAttributeValues: { ...update.values, ':read': { N: String(part.read) } },
    },
  };
}

/** Reads and conditional writes of registry items of any kind; `sk` says which item. What they promise is written at `Registry`. */
export function createRegistryItems({ client, table, clock, nextId }: RegistryItemsDeps) {
  /** Runs a conditional write. The SDK repeats a call whose answer was lost, and the repetition then meets its own work: that is success. */
  async function write(item: WrittenItem, sk: string, send: () => Promise<unknown>): Promise<void> {
    await aws('writing the registry', async () => {
      try {
        await send();
      } catch (error) {
        if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
        const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(item.tenantId, sk), ConsistentRead: true }));
        if (Item?.['writeId']?.S !== item.writeId) throw error;
      }
    });
  }

  const now = (): string => new Date(clock()).toISOString();

  return {
    /** The members that writing fills in, of a new item. */
    added: () => ({ version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() }),

    async get<Schema extends z.ZodType>(schema: Schema, tenantId: string, sk: string): Promise<z.infer<Schema> | undefined> {
      const { Item } = await aws('reading the registry', () =>
        client.send(new GetItemCommand({ TableName: table, Key: keyOf(tenantId, sk), ConsistentRead: true })),
      );
      return Item && understood(schema, Item);
    },

    /** All whose sort key begins with `prefix`, in the order of it. */
    async list<Schema extends z.ZodType>(schema: Schema, tenantId: string, prefix: string): Promise<z.infer<Schema>[]> {
      const found: z.infer<Schema>[] = [];
      const { pk } = keyOf(tenantId, prefix);
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await aws('reading the registry', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
              ExpressionAttributeValues: { ':pk': pk, ':sk': { S: prefix } },
              ConsistentRead: true,
              ExclusiveStartKey: next,
            }),
          ),
        );
        for (const item of page.Items ?? []) found.push(understood(schema, item));
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
      return found;
    },

    async add<Item extends WrittenItem & PlainItem>(sk: string, item: Item): Promise<Item> {
      const command = new PutItemCommand({
        TableName: table,
        Item: { ...toItem(item), ...keyOf(item.tenantId, sk) },
        ConditionExpression: 'attribute_not_exists(pk)',
      });
      await write(item, sk, () => client.send(command));
      return item;
    },

    /**
     * Writes all parts or none, in one call. The token makes a repetition after a lost answer the same call (DynamoDB API Reference, TransactWriteItems).
     *
     * @throws what the first demand that is not met says; CordonError CONFLICT when an item is there already or is not as it was read
     */
    async writeAll(tenantId: string, parts: readonly WritePart[]): Promise<void> {
      const command = new TransactWriteItemsCommand({
        TransactItems: parts.map((part) => partOf(table, tenantId, part)),
        ClientRequestToken: nextId(),
      });
      await aws('writing the registry', async () => {
        try {
          await client.send(command);
        } catch (error) {
          throw refusalOf(error, parts);
        }
      });
    },

    /** Moves an item's due time without reading or understanding it; false when it is due at another time by now, or not at all. */
    postpone(tenantId: string, sk: string, { dueAt, until }: { readonly dueAt: number; readonly until: number }): Promise<boolean> {
      return aws('postponing what is due', async () => {
        const postponed = new UpdateItemCommand({
          TableName: table,
          Key: keyOf(tenantId, sk),
          UpdateExpression: 'SET dueAt = :until',
          ConditionExpression: 'dueAt = :dueAt',
          ExpressionAttributeValues: { ':dueAt': { N: String(dueAt) }, ':until': { N: String(until) } },
        });
        try {
          await client.send(postponed);
          return true;
        } catch (error) {
          if (isAwsError(error, 'ConditionalCheckFailedException')) return false;
          throw error;
        }
      });
    },

    /** What a change writes besides, for `writeAll`. */
    written: (item: WrittenItem) => ({ version: item.version + 1, writeId: nextId(), updatedAt: now() }),

    async change<Item extends WrittenItem>(sk: string, item: Item, changes: PlainItem & Partial<Item>): Promise<Item> {
      const written = { ...changes, version: item.version + 1, writeId: nextId(), updatedAt: now() };
      const update = updateOf(written);
      const changed: Item = { ...item, ...written };
      const command = new UpdateItemCommand({
        TableName: table,
        Key: keyOf(item.tenantId, sk),
        UpdateExpression: update.expression,
        ConditionExpression: '#version = :read',
        ExpressionAttributeNames: update.names,
        ExpressionAttributeValues: { ...update.values, ':read': { N: String(item.version) } },
      });
      await write(changed, sk, () => client.send(command));
      return changed;
    },
  };
}

/** Which part stood in the way: the reasons are in the order of the parts. Anything but an unmet condition is another write at the same time. */
function refusalOf(error: unknown, parts: readonly WritePart[]): unknown {
  if (!(error instanceof TransactionCanceledException)) return error;
  const reasons = error.CancellationReasons ?? [];
  for (const [index, part] of parts.entries()) if ('demand' in part && reasons[index]?.Code === 'ConditionalCheckFailed') return part.unmet;
  const isOurs = reasons.every(({ Code = 'None' }) => ['None', 'ConditionalCheckFailed', 'TransactionConflict'].includes(Code));
  return isOurs ? new CordonError('CONFLICT', 'writing the registry met another change', { retryable: true, cause: error }) : error;
}
