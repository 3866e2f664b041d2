import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { z } from 'zod';
import { fromItem, type PlainItem, toItem } from '../shared/attribute-values.ts';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import {
  type CredentialItem,
  credentialItem,
  type Registry,
  type RegistryItem,
  type TenantItem,
  tenantItem,
  type UserItem,
  userItem,
} from './registry.ts';

/** Ends in a delimiter that no tenant ID holds, or `acme` would be a prefix of `acme-2`. */
function partitionOf(tenantId: string): string {
  return `TENANT#${tenantId}#`;
}

function keyOf(item: RegistryItem): { pk: AttributeValue; sk: AttributeValue } {
  const pk = { S: partitionOf(item.tenantId) };
  if (item.kind === 'USER') return { pk, sk: { S: `USER#${item.userId}` } };
  if (item.kind === 'CREDENTIAL') return { pk, sk: { S: `CREDENTIAL#${item.credentialId}` } };
  return { pk, sk: { S: 'TENANT' } };
}

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

export interface RegistryDeps {
  /** A client with the credentials of a session of the one tenant whose items are read and written. */
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly clock: Clock;
  readonly nextId: NextId;
}

export function createRegistry({ client, table, clock, nextId }: RegistryDeps): Registry {
  async function get<Schema extends z.ZodType>(schema: Schema, tenantId: string, sk: string): Promise<z.infer<Schema> | undefined> {
    const answer = await aws('reading the registry', () =>
      client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: partitionOf(tenantId) }, sk: { S: sk } }, ConsistentRead: true })),
    );
    return answer.Item && understood(schema, answer.Item);
  }

  /** Runs a conditional write. The SDK repeats a call whose answer was lost, and the repetition then meets its own work: that is success. */
  async function write(item: RegistryItem, send: () => Promise<unknown>): Promise<void> {
    await aws('writing the registry', async () => {
      try {
        await send();
      } catch (error) {
        if (!isAwsError(error, 'ConditionalCheckFailedException')) throw error;
        const { Item } = await client.send(new GetItemCommand({ TableName: table, Key: keyOf(item), ConsistentRead: true }));
        if (Item?.['writeId']?.S !== item.writeId) throw error;
      }
    });
  }

  const now = (): string => new Date(clock()).toISOString();
  const added = () => ({ version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() });

  async function add<Item extends RegistryItem>(item: Item): Promise<Item> {
    const command = new PutItemCommand({
      TableName: table,
      Item: { ...toItem({ ...item }), ...keyOf(item) },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    await write(item, () => client.send(command));
    return item;
  }

  async function change<Item extends RegistryItem>(item: Item, changes: PlainItem & Partial<Item>): Promise<Item> {
    const written = { ...changes, version: item.version + 1, writeId: nextId(), updatedAt: now() };
    const update = updateOf(written);
    const changed: Item = { ...item, ...written };
    const command = new UpdateItemCommand({
      TableName: table,
      Key: keyOf(item),
      UpdateExpression: update.expression,
      ConditionExpression: '#version = :read',
      ExpressionAttributeNames: update.names,
      ExpressionAttributeValues: { ...update.values, ':read': { N: String(item.version) } },
    });
    await write(changed, () => client.send(command));
    return changed;
  }

  return {
    tenant: (tenantId) => get(tenantItem, tenantId, 'TENANT'),
    user: (tenantId, userId) => get(userItem, tenantId, `USER#${userId}`),
    credential: (tenantId, credentialId) => get(credentialItem, tenantId, `CREDENTIAL#${credentialId}`),

    async credentials(tenantId) {
      const found: CredentialItem[] = [];
      let next: Record<string, AttributeValue> | undefined;
      do {
        const page = await aws('reading the registry', () =>
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
              ExpressionAttributeValues: { ':pk': { S: partitionOf(tenantId) }, ':sk': { S: 'CREDENTIAL#' } },
              ConsistentRead: true,
              ExclusiveStartKey: next,
            }),
          ),
        );
        for (const item of page.Items ?? []) found.push(understood(credentialItem, item));
        next = page.LastEvaluatedKey;
      } while (next !== undefined);
      return found;
    },

    addTenant: (item) => add({ ...item, ...added() }),
    addUser: (item) => add({ ...item, ...added() }),
    addCredential: (item) => add({ ...item, ...added() }),
    changeTenant: (item, changes) => change<TenantItem>(item, changes),
    changeUser: (item, changes) => change<UserItem>(item, changes),
    changeCredential: (item, changes) => change<CredentialItem>(item, changes),
  };
}
