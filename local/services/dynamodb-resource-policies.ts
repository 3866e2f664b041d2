/** A table's own policy: who else may use it. Policies of streams are not known here. Source: DynamoDB API Reference, PutResourcePolicy. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation, Scope } from '../core/service.ts';
import { existingTable } from './dynamodb-items.ts';
import { type Table, type TableStore, tableNeed } from './dynamodb-tables.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { operation } from './typed-operation.ts';

const onTable = z.strictObject({ ResourceArn: z.string().min(1).max(1283) });

export function resourcePolicyOperations(store: TableStore): Record<string, Operation> {
  const needs = (action: string) => (input: { ResourceArn: string }, scope: Scope) => [
    tableNeed(action, store.resolve(input.ResourceArn, scope)),
  ];
  const policyOf = (table: Table): NonNullable<Table['policy']> => {
    if (table.policy === undefined)
      throw new AwsError('PolicyNotFoundException', `Resource-based policy not found for the provided ResourceArn: ${table.arn}`);
    return table.policy;
  };
  return {
    PutResourcePolicy: operation(onTable.extend({ Policy: z.string().min(1).max(20_480) }), {
      needs: needs('PutResourcePolicy'),
      run(input, scope) {
        const table = existingTable(store, input.ResourceArn, scope);
        const document = parseResourcePolicy(`table ${table.name}`, input.Policy, 'ValidationException');
        table.policy = { text: input.Policy, document, revision: randomUUID() };
        return { RevisionId: table.policy.revision };
      },
    }),
    GetResourcePolicy: operation(onTable, {
      needs: needs('GetResourcePolicy'),
      run(input, scope) {
        const { text, revision } = policyOf(existingTable(store, input.ResourceArn, scope));
        return { Policy: text, RevisionId: revision };
      },
    }),
    DeleteResourcePolicy: operation(onTable, {
      needs: needs('DeleteResourcePolicy'),
      run(input, scope) {
        const table = existingTable(store, input.ResourceArn, scope);
        const { revision } = policyOf(table);
        delete table.policy;
        return { RevisionId: revision };
      },
    }),
  };
}
