/** Tables: made and changed in dynalite, their settings and tags kept here. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import { isJson, type Json, type Send } from './dynamodb-engine.ts';
import { existingTable } from './dynamodb-items.ts';
import { describeTable, schemaOf, type Table, type TableStore, tableNeed } from './dynamodb-tables.ts';
import { requestTagContext, tagKeys, tagList, tagListOf, tagsOf, withoutTags, withTags } from './tagging-context.ts';
import { operation } from './typed-operation.ts';

const dayMs = 86_400_000;
const tableName = z.string();
const onlyTable = z.strictObject({ TableName: tableName });
/** Read and refused by dynalite itself where it is wrong. */
const forDynalite = {
  AttributeDefinitions: z.unknown().optional(),
  BillingMode: z.string().optional(),
  ProvisionedThroughput: z.unknown().optional(),
};
/** Without effect on what is stored, so recorded and shown. Streams are not: a table that says it has one but has none would mislead. */
const settings = {
  DeletionProtectionEnabled: z.boolean().optional(),
  SSESpecification: z
    .strictObject({ Enabled: z.boolean().optional(), SSEType: z.enum(['AES256', 'KMS']).optional(), KMSMasterKeyId: z.string().optional() })
    .optional(),
  TableClass: z.enum(['STANDARD', 'STANDARD_INFREQUENT_ACCESS']).optional(),
  OnDemandThroughput: z.record(z.string(), z.number()).optional(),
  StreamSpecification: z.strictObject({ StreamEnabled: z.literal(false) }).optional(),
};
const indexOnly = { IndexName: z.string(), KeySchema: z.unknown(), Projection: z.unknown() };
const createInput = z.strictObject({
  TableName: tableName,
  KeySchema: z.unknown(),
  ...forDynalite,
  LocalSecondaryIndexes: z.array(z.strictObject(indexOnly)).optional(),
  GlobalSecondaryIndexes: z.array(z.strictObject({ ...indexOnly, ProvisionedThroughput: z.unknown().optional() })).optional(),
  Tags: tagList.optional(),
  ...settings,
});
type Settings = Pick<z.output<typeof createInput>, keyof typeof settings>;

export function tableOperations(store: TableStore): Record<string, Operation> {
  const need = (action: string, name: unknown, scope: Scope, context?: Need['context']): Need =>
    tableNeed(action, store.resolve(name, scope), context);
  const onTable = (name: string, work: (table: Table, scope: Scope) => object | Promise<object>): Operation =>
    operation(onlyTable, {
      needs: (input, scope) => [need(name, input.TableName, scope)],
      run: (input, scope) => work(existingTable(store, input.TableName, scope), scope),
    });
  return {
    CreateTable: operation(createInput, {
      needs(input, scope) {
        const tags = requestTagContext(tagsOf(input.Tags));
        const create = need('CreateTable', input.TableName, scope, tags);
        return input.Tags === undefined || input.Tags.length === 0 ? [create] : [create, need('TagResource', input.TableName, scope, tags)];
      },
      async run(input, scope) {
        const { engine, tables } = store.account(scope.accountId);
        const { Tags, DeletionProtectionEnabled, SSESpecification, TableClass, OnDemandThroughput, StreamSpecification, ...rest } = input;
        const { name, arn } = store.resolve(input.TableName, scope);
        const answer = await engine.shared((send) => send('CreateTable', { ...rest, TableName: name }));
        const table: Table = {
          name,
          arn,
          ...schemaOf(answer.TableDescription),
          tags: tagsOf(Tags),
          deletionProtected: false,
          timeToLive: undefined,
          pointInTimeRecovery: undefined,
          shown: {},
        };
        record(table, { DeletionProtectionEnabled, SSESpecification, TableClass, OnDemandThroughput, StreamSpecification });
        tables.set(name, table);
        await engine.shared((send) => settled(send, name, 'ACTIVE'));
        return { TableDescription: describeTable(table, isJson(answer.TableDescription) ? answer.TableDescription : {}) };
      },
    }),
    UpdateTable: operation(
      z.strictObject({ TableName: tableName, ...forDynalite, GlobalSecondaryIndexUpdates: z.unknown().optional(), ...settings }),
      {
        needs: (input, scope) => [need('UpdateTable', input.TableName, scope)],
        async run(input, scope) {
          const { engine } = store.account(scope.accountId);
          const { DeletionProtectionEnabled, SSESpecification, TableClass, OnDemandThroughput, StreamSpecification, TableName, ...rest } =
            input;
          const table = existingTable(store, TableName, scope);
          const isForDynalite = Object.values(rest).some((member) => member !== undefined);
          const description = await engine.shared(async (send) => {
            if (isForDynalite) await send('UpdateTable', { ...rest, TableName: table.name });
            return await settled(send, table.name, 'ACTIVE');
          });
          record(table, { DeletionProtectionEnabled, SSESpecification, TableClass, OnDemandThroughput, StreamSpecification });
          Object.assign(table, schemaOf(description));
          return { TableDescription: describeTable(table, description) };
        },
      },
    ),
    DescribeTable: onTable('DescribeTable', async (table, scope) => {
      const { Table: answer } = await store
        .account(scope.accountId)
        .engine.shared((send) => send('DescribeTable', { TableName: table.name }));
      return { Table: describeTable(table, isJson(answer) ? answer : {}) };
    }),
    DeleteTable: onTable('DeleteTable', async (table, scope) => {
      if (table.deletionProtected) {
        throw new AwsError(
          'ValidationException',
          `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
        );
      }
      const { engine, tables } = store.account(scope.accountId);
      const answer = await engine.exclusive(async (send) => {
        const deleted = await send('DeleteTable', { TableName: table.name });
        await settled(send, table.name, 'GONE');
        return deleted;
      });
      tables.delete(table.name);
      return { TableDescription: describeTable(table, isJson(answer.TableDescription) ? answer.TableDescription : {}) };
    }),
    ListTables: operation(
      z.strictObject({ Limit: z.number().int().min(1).max(100).optional(), ExclusiveStartTableName: z.string().optional() }),
      {
        needs: () => [{ action: 'dynamodb:ListTables', resource: '*' }],
        run: (input, scope) => store.account(scope.accountId).engine.shared((send) => send('ListTables', input)),
      },
    ),
    UpdateTimeToLive: operation(
      z.strictObject({
        TableName: tableName,
        TimeToLiveSpecification: z.strictObject({ AttributeName: z.string().min(1), Enabled: z.boolean() }),
      }),
      {
        needs: (input, scope) => [need('UpdateTimeToLive', input.TableName, scope)],
        run(input, scope) {
          const table = existingTable(store, input.TableName, scope);
          if ((table.timeToLive?.Enabled ?? false) === input.TimeToLiveSpecification.Enabled) {
            throw new AwsError(
              'ValidationException',
              `TimeToLive is already ${input.TimeToLiveSpecification.Enabled ? 'enabled' : 'disabled'}`,
            );
          }
          // Only recorded. AWS deletes an expired item within days, so whoever reads must look at the time anyway.
          table.timeToLive = input.TimeToLiveSpecification;
          return { TimeToLiveSpecification: input.TimeToLiveSpecification };
        },
      },
    ),
    DescribeTimeToLive: onTable('DescribeTimeToLive', ({ timeToLive }) => ({
      TimeToLiveDescription:
        timeToLive?.Enabled === true
          ? { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive.AttributeName }
          : { TimeToLiveStatus: 'DISABLED' },
    })),
    UpdateContinuousBackups: operation(
      z.strictObject({
        TableName: tableName,
        PointInTimeRecoverySpecification: z.strictObject({
          PointInTimeRecoveryEnabled: z.boolean(),
          RecoveryPeriodInDays: z.number().int().min(1).max(35).optional(),
        }),
      }),
      {
        needs: (input, scope) => [need('UpdateContinuousBackups', input.TableName, scope)],
        run(input, scope) {
          const table = existingTable(store, input.TableName, scope);
          const { PointInTimeRecoveryEnabled: isOn, RecoveryPeriodInDays: days = 35 } = input.PointInTimeRecoverySpecification;
          table.pointInTimeRecovery = isOn ? { days, since: table.pointInTimeRecovery?.since ?? scope.clock.now() } : undefined;
          return { ContinuousBackupsDescription: continuousBackups(table, scope) };
        },
      },
    ),
    DescribeContinuousBackups: onTable('DescribeContinuousBackups', (table, scope) => ({
      ContinuousBackupsDescription: continuousBackups(table, scope),
    })),
    ...tagOperations(store, need),
  };
}

function tagOperations(
  store: TableStore,
  need: (action: string, name: unknown, scope: Scope, context?: Need['context']) => Need,
): Record<string, Operation> {
  const ResourceArn = z.string();
  return {
    TagResource: operation(z.strictObject({ ResourceArn, Tags: tagList.min(1) }), {
      needs: (input, scope) => [need('TagResource', input.ResourceArn, scope, requestTagContext(tagsOf(input.Tags)))],
      run(input, scope) {
        const table = existingTable(store, input.ResourceArn, scope);
        table.tags = withTags(table.tags, tagsOf(input.Tags), 'ValidationException');
        return {};
      },
    }),
    UntagResource: operation(z.strictObject({ ResourceArn, TagKeys: tagKeys.min(1) }), {
      needs: (input, scope) => [need('UntagResource', input.ResourceArn, scope, { 'aws:TagKeys': input.TagKeys })],
      run(input, scope) {
        const table = existingTable(store, input.ResourceArn, scope);
        table.tags = withoutTags(table.tags, input.TagKeys);
        return {};
      },
    }),
    ListTagsOfResource: operation(z.strictObject({ ResourceArn }), {
      needs: (input, scope) => [need('ListTagsOfResource', input.ResourceArn, scope)],
      run: (input, scope) => ({ Tags: tagListOf(existingTable(store, input.ResourceArn, scope).tags) }),
    }),
  };
}

function record(table: Table, given: Settings): void {
  if (given.DeletionProtectionEnabled !== undefined) table.deletionProtected = given.DeletionProtectionEnabled;
  const { SSESpecification: encryption, TableClass, OnDemandThroughput } = given;
  table.shown = {
    ...table.shown,
    ...(encryption === undefined
      ? {}
      : {
          SSEDescription:
            encryption.Enabled === false
              ? undefined
              : {
                  Status: 'ENABLED',
                  SSEType: 'KMS',
                  ...(encryption.KMSMasterKeyId === undefined ? {} : { KMSMasterKeyArn: encryption.KMSMasterKeyId }),
                },
        }),
    ...(TableClass === undefined ? {} : { TableClassSummary: { TableClass } }),
    ...(OnDemandThroughput === undefined ? {} : { OnDemandThroughput }),
  };
}

/** Waits until dynalite has done what it answered at once: a table is usable when it is ACTIVE, its name free when it is gone. Answers the table. */
async function settled(send: Send, name: string, state: 'ACTIVE' | 'GONE'): Promise<Json> {
  for (;;) {
    try {
      const { Table: table } = await send('DescribeTable', { TableName: name });
      if (isJson(table) && table.TableStatus === 'ACTIVE' && state === 'ACTIVE') return table;
    } catch (error) {
      if (state === 'GONE' && error instanceof AwsError && error.code === 'ResourceNotFoundException') return {};
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function continuousBackups({ pointInTimeRecovery: recovery }: Table, scope: Scope): object {
  const now = scope.clock.now();
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription:
      recovery === undefined
        ? { PointInTimeRecoveryStatus: 'DISABLED' }
        : {
            PointInTimeRecoveryStatus: 'ENABLED',
            RecoveryPeriodInDays: recovery.days,
            EarliestRestorableDateTime: Math.max(recovery.since, now - recovery.days * dayMs) / 1000,
            LatestRestorableDateTime: now / 1000,
          },
  };
}
