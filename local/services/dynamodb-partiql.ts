/**
 * ExecuteStatement. Only INSERT does its work here; SELECT, UPDATE and DELETE are decided by IAM and then answered NotImplemented.
 * Source: DynamoDB Developer Guide, "PartiQL insert statements" and "IAM security policies with PartiQL for DynamoDB".
 */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { existingTable } from './dynamodb-items.ts';
import { attributeText, leadingKeysOf } from './dynamodb-leading-keys.ts';
import { type Parameters, parseStatement, type Statement } from './dynamodb-partiql-parser.ts';
import { type TableStore, tableNeed } from './dynamodb-tables.ts';
import { operation } from './typed-operation.ts';

const statement = { Statement: z.string().min(1).max(8192), Parameters: z.array(z.record(z.string(), z.unknown())).min(1).optional() };
const onFailure = z.enum(['ALL_OLD', 'NONE']).optional();
const statements = z
  .array(z.strictObject({ ...statement, ConsistentRead: z.boolean().optional(), ReturnValuesOnConditionCheckFailure: onFailure }))
  .min(1);

export function partiqlOperations(store: TableStore): Record<string, Operation> {
  return {
    ExecuteStatement: operation(
      z.strictObject({
        ...statement,
        ConsistentRead: z.boolean().optional(),
        NextToken: z.string().optional(),
        ReturnConsumedCapacity: z.literal('NONE').optional(),
      }),
      {
        needs: (input, scope) => [statementNeed(store, parseStatement(input.Statement, input.Parameters), scope)],
        run(input, scope) {
          const parsed = parseStatement(input.Statement, input.Parameters);
          if (parsed.kind !== 'Insert') throw notImplemented(`PartiQL ${parsed.kind.toUpperCase()}`);
          return insert(store, parsed.table, parsed.item, scope);
        },
      },
    ),
    BatchExecuteStatement: operation(z.strictObject({ Statements: statements.max(25) }), {
      needs: (input, scope) => input.Statements.map((one) => statementNeed(store, parseStatement(one.Statement, one.Parameters), scope)),
      run: () => {
        throw notImplemented('BatchExecuteStatement');
      },
    }),
    ExecuteTransaction: operation(z.strictObject({ TransactStatements: statements.max(100), ClientRequestToken: z.string().optional() }), {
      needs: (input, scope) =>
        input.TransactStatements.map((one) =>
          statementNeed(store, parseStatement(one.Statement, one.Parameters), scope, {
            'dynamodb:EnclosingOperation': 'ExecuteTransaction',
          }),
        ),
      run: () => {
        throw notImplemented('ExecuteTransaction');
      },
    }),
  };
}

function statementNeed(store: TableStore, parsed: Statement, scope: Scope, context: Need['context'] = {}): Need {
  const reference = store.resolve(parsed.table, scope);
  const action = `PartiQL${parsed.kind}`;
  if (parsed.kind === 'Insert') {
    return tableNeed(action, reference, {
      ...leadingKeysOf(reference, [parsed.item]),
      'dynamodb:Attributes': Object.keys(parsed.item),
      ...context,
    });
  }
  const keys = parsed.index === undefined ? reference.table?.keys : reference.table?.indexes.get(parsed.index);
  const pinned = keys === undefined ? [] : (parsed.pinned.get(keys.partition) ?? []);
  const values = pinned.map(attributeText);
  const isPinned = values.length > 0 && !values.includes(undefined);
  return tableNeed(
    action,
    reference,
    {
      'dynamodb:LeadingKeys': isPinned ? values.flatMap((value) => value ?? []) : undefined,
      'dynamodb:FullTableScan': parsed.kind === 'Select' ? String(!isPinned) : undefined,
      ...context,
    },
    parsed.index,
  );
}

/** One conditional put, so two inserts of one key cannot both succeed. */
async function insert(store: TableStore, tableName: string, item: Parameters[number], scope: Scope): Promise<object> {
  const table = existingTable(store, tableName, scope);
  const ConditionExpression = 'attribute_not_exists(#key)';
  const ExpressionAttributeNames = { '#key': table.keys.partition };
  try {
    await store
      .account(scope.accountId)
      .engine.shared((send) => send('PutItem', { TableName: table.name, Item: item, ConditionExpression, ExpressionAttributeNames }));
    return { Items: [] };
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') throw error;
    throw new AwsError('DuplicateItemException', 'Duplicate primary key exists in table');
  }
}
