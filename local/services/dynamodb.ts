/** The local DynamoDB: IAM, tables' settings, transactions and PartiQL in front of dynalite. Source: Amazon DynamoDB API Reference. */
import type { Kernel, LocalService, Operation } from '../core/service.ts';
import { itemOperations } from './dynamodb-items.ts';
import { partiqlOperations } from './dynamodb-partiql.ts';
import { resourcePolicyOperations } from './dynamodb-resource-policies.ts';
import { tableOperations } from './dynamodb-table-operations.ts';
import { createTableStore, type TableStore, tableNeed } from './dynamodb-tables.ts';
import { transactionOperations } from './dynamodb-transactions.ts';
import { refusedOperation } from './refused-operation.ts';

/** Operations on one table that nothing here uses: decided by IAM, then not implemented. Exports and backups carry no leading keys. */
const refusedOnTable = [
  'CreateBackup',
  'DescribeContributorInsights',
  'DescribeKinesisStreamingDestination',
  'DisableKinesisStreamingDestination',
  'EnableKinesisStreamingDestination',
  'UpdateContributorInsights',
  'DescribeTableReplicaAutoScaling',
  'UpdateTableReplicaAutoScaling',
];
/** As above, for those that name the table by `TableArn`, `ResourceArn` or `SourceTableArn`. */
const refusedOnArn = ['ExportTableToPointInTime', 'RestoreTableToPointInTime'];
const refusedOnAll = [
  'ImportTable',
  'ListBackups',
  'ListExports',
  'ListImports',
  'ListGlobalTables',
  'CreateGlobalTable',
  'DescribeLimits',
  'DescribeEndpoints',
];

/** DynamoDB for every account of the cloud, each with an engine of its own. Everything is in memory and gone with the process. */
export function createDynamoDb(kernel: Kernel): LocalService {
  const store = createTableStore(kernel);
  return {
    signingName: 'dynamodb',
    protocol: 'json',
    targetPrefix: 'DynamoDB_20120810',
    operations: {
      ...tableOperations(store),
      ...itemOperations(store),
      ...transactionOperations(store),
      ...partiqlOperations(store),
      ...resourcePolicyOperations(store),
      ...refusedOperations(store),
    },
  };
}

function refusedOperations(store: TableStore): Record<string, Operation> {
  const what = (name: string): string => `DynamoDB ${name}`;
  return Object.fromEntries([
    ...refusedOnTable.map((name) => [
      name,
      refusedOperation(what(name), (input, scope) => [tableNeed(name, store.resolve(input.TableName, scope))]),
    ]),
    ...refusedOnArn.map((name) => [
      name,
      refusedOperation(what(name), (input, scope) => [
        tableNeed(name, store.resolve(input.TableArn ?? input.ResourceArn ?? input.SourceTableArn, scope)),
      ]),
    ]),
    ...refusedOnAll.map((name) => [name, refusedOperation(what(name), () => [{ action: `dynamodb:${name}`, resource: '*' }])]),
  ]);
}
