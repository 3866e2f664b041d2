/** Operations on items: IAM's view of each, then dynalite's work. */
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Input, Need, Operation, Scope } from '../core/service.ts';
import { isJson, type Json, type Send } from './dynamodb-engine.ts';
import { leadingKeysOf, queryLeadingKeys, requestShape } from './dynamodb-leading-keys.ts';
import { type Table, type TableStore, tableNeed } from './dynamodb-tables.ts';

const common = ['TableName', 'ExpressionAttributeNames', 'ReturnConsumedCapacity'];
const reading = [...common, 'AttributesToGet', 'ConsistentRead', 'ProjectionExpression'];
const scanning = [
  ...reading,
  'IndexName',
  'Limit',
  'Select',
  'ExclusiveStartKey',
  'ConditionalOperator',
  'FilterExpression',
  'ExpressionAttributeValues',
];
const writing = [
  ...[...common, 'ExpressionAttributeValues', 'ConditionExpression', 'Expected', 'ConditionalOperator'],
  ...['ReturnValues', 'ReturnValuesOnConditionCheckFailure'],
];
/** The members known for each operation. dynalite drops others without a word, so they are refused before they reach it. */
const members: Readonly<Record<string, readonly string[]>> = {
  GetItem: [...reading, 'Key'],
  Query: [...scanning, 'KeyConditionExpression', 'KeyConditions', 'QueryFilter', 'ScanIndexForward'],
  Scan: [...scanning, 'ScanFilter', 'Segment', 'TotalSegments'],
  PutItem: [...writing, 'Item'],
  UpdateItem: [...writing, 'Key', 'UpdateExpression', 'AttributeUpdates'],
  DeleteItem: [...writing, 'Key'],
  BatchGetItem: ['RequestItems', 'ReturnConsumedCapacity'],
  BatchWriteItem: ['RequestItems', 'ReturnConsumedCapacity'],
};

export function itemOperations(store: TableStore): Record<string, Operation> {
  return {
    GetItem: onTable(store, 'GetItem', (input, scope) => itemNeed(store, 'GetItem', input, scope)),
    PutItem: onTable(store, 'PutItem', (input, scope) => itemNeed(store, 'PutItem', input, scope)),
    UpdateItem: onTable(store, 'UpdateItem', (input, scope) => itemNeed(store, 'UpdateItem', input, scope)),
    DeleteItem: onTable(store, 'DeleteItem', (input, scope) => itemNeed(store, 'DeleteItem', input, scope)),
    Query: onTable(store, 'Query', (input, scope) => {
      const reference = store.resolve(input.TableName, scope);
      return tableNeed('Query', reference, { ...queryLeadingKeys(reference, input), ...requestShape('Query', input) }, indexName(input));
    }),
    // A scan reads every partition: it has no leading keys to show.
    Scan: onTable(store, 'Scan', (input, scope) =>
      tableNeed('Scan', store.resolve(input.TableName, scope), requestShape('Scan', input), indexName(input)),
    ),
    BatchGetItem: onTables(store, 'BatchGetItem', (request) => (isJson(request) && Array.isArray(request.Keys) ? request.Keys : [])),
    BatchWriteItem: onTables(store, 'BatchWriteItem', (requests) => (Array.isArray(requests) ? requests.map(writtenItem) : [])),
  };
}

/** What IAM must allow for `action` on the one item that `input` names by `Key` or `Item`; also for each part of a transaction. */
export function itemNeed(store: TableStore, action: string, input: Json, scope: Scope, context: Need['context'] = {}): Need {
  const reference = store.resolve(input.TableName, scope);
  return tableNeed(action, reference, {
    ...leadingKeysOf(reference, [input.Item ?? input.Key]),
    ...requestShape(action, input),
    ...context,
  });
}

/** Only after authorisation. */
export function existingTable(store: TableStore, name: unknown, scope: Scope): Table {
  const { table } = store.resolve(name, scope);
  if (table === undefined) throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
  return table;
}

/** Runs a write; when its condition fails and the request asks for the item as it was, the error carries it (dynalite knows no such parameter). */
export async function sendWrite(send: Send, table: Table, operation: string, input: Json): Promise<Json> {
  const { ReturnValuesOnConditionCheckFailure: wanted, ...rest } = input;
  try {
    return await send(operation, { ...rest, TableName: table.name });
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException' || wanted !== 'ALL_OLD') throw error;
    const { Item } = await send('GetItem', { TableName: table.name, Key: keyOf(table, input.Key ?? input.Item), ConsistentRead: true });
    throw new AwsError(error.code, error.message, error.status, Item === undefined ? {} : { Item });
  }
}

/** The key attributes of an item or key. */
export function keyOf(table: Table, item: unknown): Json {
  const names = [table.keys.partition, ...(table.keys.sort === undefined ? [] : [table.keys.sort])];
  return Object.fromEntries(names.map((name) => [name, isJson(item) ? item[name] : undefined]));
}

function onTable(store: TableStore, name: string, need: (input: Input, scope: Scope) => Need): Operation {
  return {
    needs(input, scope) {
      onlyKnown(name, input);
      return [need(input, scope)];
    },
    run(input, scope) {
      const table = existingTable(store, input.TableName, scope);
      const { engine } = store.account(scope.accountId);
      const work = (send: Send): Promise<Json> => sendWrite(send, table, name, input);
      // The item that made a condition fail is read after the fact, so nothing may change it in between.
      return input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? engine.exclusive(work) : engine.shared(work);
    },
  };
}

function onTables(store: TableStore, name: string, itemsOf: (request: unknown) => readonly unknown[]): Operation {
  const requests = (input: Input): Json => {
    if (!isJson(input.RequestItems))
      throw new AwsError('ValidationException', "The parameter 'RequestItems' is required but was not present in the request");
    return input.RequestItems;
  };
  return {
    needs(input, scope) {
      onlyKnown(name, input);
      return Object.entries(requests(input)).map(([tableName, request]) => {
        if (tableName.startsWith('arn:')) throw notImplemented(`DynamoDB ${name} with a table named by its ARN`);
        const reference = store.resolve(tableName, scope);
        return tableNeed(name, reference, {
          ...leadingKeysOf(reference, itemsOf(request)),
          ...requestShape(name, isJson(request) ? request : {}),
        });
      });
    },
    run(input, scope) {
      for (const tableName of Object.keys(requests(input))) existingTable(store, tableName, scope);
      return store.account(scope.accountId).engine.shared((send) => send(name, input));
    },
  };
}

function writtenItem(request: unknown): unknown {
  if (!isJson(request)) return undefined;
  if (isJson(request.PutRequest)) return request.PutRequest.Item;
  return isJson(request.DeleteRequest) ? request.DeleteRequest.Key : undefined;
}

function indexName(input: Input): string | undefined {
  return typeof input.IndexName === 'string' ? input.IndexName : undefined;
}

function onlyKnown(name: string, input: Input): void {
  const unknown = Object.keys(input).find((member) => input[member] !== undefined && members[name]?.includes(member) !== true);
  if (unknown !== undefined) throw notImplemented(`DynamoDB ${name} with the parameter ${unknown}`);
}
