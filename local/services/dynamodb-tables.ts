/** What the layer itself knows of tables: keys and indexes (for IAM), and the settings that dynalite has no notion of. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, Need, Scope } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { createEngine, type Engine, isJson, type Json } from './dynamodb-engine.ts';
import { type ConditionContext, offerTags, resourceTagContext, type Tags } from './tagging-context.ts';

export interface KeySchema {
  readonly partition: string;
  readonly sort: string | undefined;
}

export interface Table {
  readonly name: string;
  readonly arn: string;
  keys: KeySchema;
  indexes: ReadonlyMap<string, KeySchema>;
  tags: Tags;
  /** The document keeps its identity: compiled policies are cached by it. */
  policy?: { readonly text: string; readonly document: PolicyDocument; readonly revision: string };
  deletionProtected: boolean;
  timeToLive: { readonly AttributeName: string; readonly Enabled: boolean } | undefined;
  pointInTimeRecovery: { readonly days: number; readonly since: number } | undefined;
  /** Recorded and shown, without effect: encryption, class, throughput limits. */
  shown: Json;
}

/** A table as a request names it: by name or ARN. */
export interface TableReference {
  readonly name: string;
  readonly arn: string;
  readonly accountId: string;
  readonly table: Table | undefined;
}

interface Account {
  readonly engine: Engine;
  readonly tables: Map<string, Table>;
}

export interface TableStore {
  account(accountId: string): Account;
  /** Throws ValidationException when `name` is no table name or table ARN. */
  resolve(name: unknown, scope: Scope): TableReference;
}

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) })).min(1);
const index = z.array(z.object({ IndexName: z.string(), KeySchema: keySchema })).default([]);
const description = z.object({ KeySchema: keySchema, GlobalSecondaryIndexes: index, LocalSecondaryIndexes: index });

export function createTableStore(kernel: Kernel): TableStore {
  const accounts = new Map<string, Account>();
  const account = (accountId: string): Account => {
    const known = accounts.get(accountId) ?? { engine: createEngine(), tables: new Map<string, Table>() };
    accounts.set(accountId, known);
    return known;
  };
  offerTags(kernel, {
    resourceType: 'dynamodb:table',
    list: (accountId) => [...account(accountId).tables.values()].map(({ arn, tags }) => ({ arn, tags })),
  });
  return {
    account,
    resolve(given, scope) {
      if (typeof given !== 'string')
        throw new AwsError('ValidationException', "The parameter 'TableName' is required but was not present in the request");
      const parsed = /^arn:aws:dynamodb:([^:]*):(\d{12}):table\/([^/]+)$/.exec(given);
      const name = parsed?.[3] ?? given;
      if (!/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) {
        throw new AwsError('ValidationException', 'TableName must be 3 to 255 characters of a-zA-Z0-9_.-, or the ARN of a table');
      }
      const accountId = parsed?.[2] ?? scope.accountId;
      const isHere = parsed === null || parsed[1] === scope.region;
      const arn = parsed?.[0] ?? `arn:aws:dynamodb:${scope.region}:${accountId}:table/${name}`;
      return { name, arn, accountId, table: isHere ? account(accountId).tables.get(name) : undefined };
    },
  };
}

/** Reads keys and indexes from a TableDescription. */
export function schemaOf(answer: unknown): Pick<Table, 'keys' | 'indexes'> {
  const parsed = description.parse(answer);
  const indexes = [...parsed.GlobalSecondaryIndexes, ...parsed.LocalSecondaryIndexes].map(
    (one) => [one.IndexName, keysOf(one.KeySchema)] as const,
  );
  return { keys: keysOf(parsed.KeySchema), indexes: new Map(indexes) };
}

function keysOf(schema: z.output<typeof keySchema>): KeySchema {
  const named = (type: string): string | undefined => schema.find((key) => key.KeyType === type)?.AttributeName;
  return { partition: named('HASH') ?? '', sort: named('RANGE') };
}

/** What IAM must allow for `action` on a table or one of its indexes, with the table's own policy if it has one. */
export function tableNeed(action: string, reference: TableReference, context: ConditionContext = {}, indexName?: string): Need {
  return {
    action: `dynamodb:${action}`,
    resource: indexName === undefined ? reference.arn : `${reference.arn}/index/${indexName}`,
    resourceAccountId: reference.accountId,
    context: { ...resourceTagContext(reference.table?.tags), ...context },
    ...(reference.table?.policy && { resourcePolicy: { name: `table ${reference.name}`, document: reference.table.policy.document } }),
  };
}

/** A TableDescription with the account's own ARNs (dynalite knows no accounts) and the layer's settings. */
export function describeTable(table: Table, answer: Json): Json {
  const withArn = (list: unknown): unknown =>
    Array.isArray(list)
      ? list.map((one: unknown) => (isJson(one) ? { ...one, IndexArn: `${table.arn}/index/${String(one.IndexName)}` } : one))
      : list;
  return {
    ...answer,
    TableArn: table.arn,
    ...(answer.GlobalSecondaryIndexes === undefined ? {} : { GlobalSecondaryIndexes: withArn(answer.GlobalSecondaryIndexes) }),
    ...(answer.LocalSecondaryIndexes === undefined ? {} : { LocalSecondaryIndexes: withArn(answer.LocalSecondaryIndexes) }),
    DeletionProtectionEnabled: table.deletionProtected,
    ...table.shown,
  };
}
