/**
 * TransactWriteItems and TransactGetItems. A transaction has the engine to itself: it writes item after item under the item's own condition, and
 * when one fails, puts back what it found. Source: DynamoDB Developer Guide, "Managing complex workflows with DynamoDB transactions".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import type { Json, Send } from './dynamodb-engine.ts';
import { existingTable, itemNeed, keyOf, sendWrite } from './dynamodb-items.ts';
import type { Table, TableStore } from './dynamodb-tables.ts';
import { operation } from './typed-operation.ts';

const tokenLifeMs = 10 * 60_000;
const attributes = z.record(z.string(), z.unknown());
const condition = {
  TableName: z.string(),
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: attributes.optional(),
  ReturnValuesOnConditionCheckFailure: z.enum(['ALL_OLD', 'NONE']).optional(),
};
const part = z.strictObject({
  Put: z.strictObject({ ...condition, Item: attributes }).optional(),
  Update: z.strictObject({ ...condition, Key: attributes, UpdateExpression: z.string() }).optional(),
  Delete: z.strictObject({ ...condition, Key: attributes }).optional(),
  ConditionCheck: z.strictObject({ ...condition, Key: attributes, ConditionExpression: z.string() }).optional(),
});
const get = z.strictObject({
  TableName: z.string(),
  Key: attributes,
  ProjectionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
});
const writeInput = z.strictObject({
  TransactItems: z.array(part).min(1).max(100),
  ClientRequestToken: z.string().min(1).max(36).optional(),
  ReturnConsumedCapacity: z.literal('NONE').optional(),
  ReturnItemCollectionMetrics: z.literal('NONE').optional(),
});
const getInput = z.strictObject({
  TransactItems: z
    .array(z.strictObject({ Get: get }))
    .min(1)
    .max(100),
  ReturnConsumedCapacity: z.literal('NONE').optional(),
});

interface Write {
  readonly action: 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'ConditionCheckItem';
  readonly input: Json;
}
interface Undo {
  readonly table: Table;
  readonly key: Json;
  readonly before: unknown;
}

export function transactionOperations(store: TableStore): Record<string, Operation> {
  const tokens = new Map<string, { readonly request: string; readonly expiresAt: number }>();
  return {
    TransactWriteItems: operation(writeInput, {
      needs: (input, scope) =>
        input.TransactItems.map((item) => {
          const { action, input: write } = writeOf(item);
          return itemNeed(store, action, write, scope, { 'dynamodb:EnclosingOperation': 'TransactWriteItems' });
        }),
      run(input, scope) {
        const writes = input.TransactItems.map(writeOf).map((write) => ({
          ...write,
          table: existingTable(store, write.input.TableName, scope),
        }));
        onceEach(writes.map(({ table, input: write }) => [table, write.Key ?? write.Item]));
        return store.account(scope.accountId).engine.exclusive(async (send) => {
          const request = JSON.stringify(input.TransactItems);
          if (isRepeat(tokens, tokenKey(input.ClientRequestToken, scope), request, scope)) return {};
          await writeAll(send, writes);
          if (input.ClientRequestToken !== undefined)
            tokens.set(tokenKey(input.ClientRequestToken, scope), { request, expiresAt: scope.clock.now() + tokenLifeMs });
          return {};
        });
      },
    }),
    TransactGetItems: operation(getInput, {
      needs: (input, scope) =>
        input.TransactItems.map(({ Get }) => itemNeed(store, 'GetItem', Get, scope, { 'dynamodb:EnclosingOperation': 'TransactGetItems' })),
      run(input, scope) {
        const reads = input.TransactItems.map(({ Get }) => ({
          ...Get,
          TableName: existingTable(store, Get.TableName, scope).name,
          ConsistentRead: true,
        }));
        return store.account(scope.accountId).engine.exclusive(async (send) => {
          const Responses: object[] = [];
          for (const read of reads) Responses.push(await send('GetItem', read));
          return { Responses };
        });
      },
    }),
  };
}

/** Throws TransactionCanceledException with one reason per item, having changed nothing. */
async function writeAll(send: Send, writes: readonly (Write & { table: Table })[]): Promise<void> {
  const done: Undo[] = [];
  const checks: Undo[] = [];
  const reasons: Json[] = [];
  try {
    for (const { action, input, table } of writes) {
      const key = keyOf(table, input.Key ?? input.Item);
      const { Item: before } = await send('GetItem', { TableName: table.name, Key: key, ConsistentRead: true });
      const undo = { table, key, before };
      try {
        // dynalite has no condition check: an update that changes nothing tests the condition, but leaves an item where there was none.
        await sendWrite(send, table, action === 'ConditionCheckItem' ? 'UpdateItem' : action, input);
        (action === 'ConditionCheckItem' ? checks : done).push(undo);
        reasons.push({ Code: 'None' });
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
        reasons.push({ Code: 'ConditionalCheckFailed', Message: error.message, ...error.extra });
      }
    }
  } catch (error) {
    await putBack(send, [...done, ...checks]);
    throw error;
  }
  const isCancelled = reasons.some((reason) => reason.Code !== 'None');
  await putBack(send, isCancelled ? [...done, ...checks] : checks);
  if (!isCancelled) return;
  const codes = reasons.map((reason) => reason.Code).join(', ');
  throw new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    {
      CancellationReasons: reasons,
    },
  );
}

async function putBack(send: Send, undos: readonly Undo[]): Promise<void> {
  for (const { table, key, before } of undos) {
    if (before === undefined) await send('DeleteItem', { TableName: table.name, Key: key });
    else await send('PutItem', { TableName: table.name, Item: before });
  }
}

function writeOf(item: z.output<typeof part>): Write {
  const found: Write[] = [];
  if (item.Put !== undefined) found.push({ action: 'PutItem', input: item.Put });
  if (item.Update !== undefined) found.push({ action: 'UpdateItem', input: item.Update });
  if (item.Delete !== undefined) found.push({ action: 'DeleteItem', input: item.Delete });
  if (item.ConditionCheck !== undefined) found.push({ action: 'ConditionCheckItem', input: item.ConditionCheck });
  const [only, more] = found;
  if (only === undefined || more !== undefined) {
    throw new AwsError('ValidationException', 'TransactItems can only contain one of Check, Put, Update or Delete');
  }
  return only;
}

function onceEach(items: readonly (readonly [Table, unknown])[]): void {
  const keys = items.map(([table, item]) => JSON.stringify([table.name, Object.entries(keyOf(table, item))]));
  if (new Set(keys).size < keys.length)
    throw new AwsError('ValidationException', 'Transaction request cannot include multiple operations on one item');
}

/** A token stands for one request for ten minutes. Throws IdempotentParameterMismatchException when it comes back with another one. */
function isRepeat(tokens: Map<string, { request: string; expiresAt: number }>, key: string, request: string, scope: Scope): boolean {
  const now = scope.clock.now();
  for (const [old, { expiresAt }] of tokens) if (expiresAt <= now) tokens.delete(old);
  const known = tokens.get(key);
  if (known === undefined) return false;
  if (known.request === request) return true;
  throw new AwsError(
    'IdempotentParameterMismatchException',
    'The request uses the same client token as a previous, but non-identical request.',
  );
}

function tokenKey(token: string | undefined, scope: Scope): string {
  return `${scope.accountId} ${token ?? ''}`;
}
