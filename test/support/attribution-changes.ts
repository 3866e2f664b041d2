/** What would change or remove an entry of a table, in each way that DynamoDB offers. */
import * as dynamodb from '@aws-sdk/client-dynamodb';
import { ulid } from 'ulid';
import type { Call } from './decisions.ts';

export interface Entry {
  readonly table: string;
  readonly key: { readonly pk: { readonly S: string }; readonly sk: { readonly S: string } };
}

const forged = { operation: { S: 'nothing happened' } };
const where = 'WHERE "pk" = ? AND "sk" = ?';
const update = ({ table }: Entry): string => `UPDATE "${table}" SET operation = 'nothing happened' ${where}`;
const remove = ({ table }: Entry): string => `DELETE FROM "${table}" ${where}`;
const partiql = (statement: (entry: Entry) => string, entry: Entry) => ({
  Statement: statement(entry),
  Parameters: [entry.key.pk, entry.key.sk],
});

const calls: Readonly<Record<string, (entry: Entry, clients: Parameters<Call>[0]) => Promise<unknown>>> = {
  'PutItem over an entry': ({ table, key }, clients) =>
    clients.dynamodb.send(new dynamodb.PutItemCommand({ TableName: table, Item: { ...key, ...forged } })),
  'PutItem of a new entry, because it could be over an old one': ({ table, key }, clients) =>
    clients.dynamodb.send(new dynamodb.PutItemCommand({ TableName: table, Item: { pk: key.pk, sk: { S: `${ulid()}#INTENT` } } })),
  UpdateItem: ({ table, key }, clients) =>
    clients.dynamodb.send(new dynamodb.UpdateItemCommand({ TableName: table, Key: key, UpdateExpression: 'REMOVE actor' })),
  DeleteItem: ({ table, key }, clients) => clients.dynamodb.send(new dynamodb.DeleteItemCommand({ TableName: table, Key: key })),
  'BatchWriteItem with a put': ({ table, key }, clients) =>
    clients.dynamodb.send(
      new dynamodb.BatchWriteItemCommand({ RequestItems: { [table]: [{ PutRequest: { Item: { ...key, ...forged } } }] } }),
    ),
  'BatchWriteItem with a deletion': ({ table, key }, clients) =>
    clients.dynamodb.send(new dynamodb.BatchWriteItemCommand({ RequestItems: { [table]: [{ DeleteRequest: { Key: key } }] } })),
  'TransactWriteItems with a put': ({ table, key }, clients) =>
    clients.dynamodb.send(
      new dynamodb.TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: table, Item: { ...key, ...forged } } }] }),
    ),
  'TransactWriteItems with an update': ({ table, key }, clients) =>
    clients.dynamodb.send(
      new dynamodb.TransactWriteItemsCommand({
        TransactItems: [{ Update: { TableName: table, Key: key, UpdateExpression: 'REMOVE actor' } }],
      }),
    ),
  'TransactWriteItems with a deletion': ({ table, key }, clients) =>
    clients.dynamodb.send(new dynamodb.TransactWriteItemsCommand({ TransactItems: [{ Delete: { TableName: table, Key: key } }] })),
  'PartiQL UPDATE': (entry, clients) => clients.dynamodb.send(new dynamodb.ExecuteStatementCommand(partiql(update, entry))),
  'PartiQL DELETE': (entry, clients) => clients.dynamodb.send(new dynamodb.ExecuteStatementCommand(partiql(remove, entry))),
  'BatchExecuteStatement with an update': (entry, clients) =>
    clients.dynamodb.send(new dynamodb.BatchExecuteStatementCommand({ Statements: [partiql(update, entry)] })),
  'ExecuteTransaction with a deletion': (entry, clients) =>
    clients.dynamodb.send(new dynamodb.ExecuteTransactionCommand({ TransactStatements: [partiql(remove, entry)] })),
};

export const entryChanges: readonly { readonly name: string; readonly call: (entry: Entry) => Call }[] = Object.entries(calls).map(
  ([name, call]) => ({ name, call: (entry) => (clients) => call(entry, clients) }),
);

/** A PartiQL insert with these string attributes. */
export function insertInto(table: string, item: Readonly<Record<string, { readonly S: string }>>): dynamodb.ExecuteStatementCommand {
  const members = Object.keys(item).map((name) => `'${name}': ?`);
  return new dynamodb.ExecuteStatementCommand({
    Statement: `INSERT INTO "${table}" VALUE {${members.join(', ')}}`,
    Parameters: Object.values(item),
  });
}
