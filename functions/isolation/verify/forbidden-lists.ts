import type { ForbiddenAttempt } from './attempt.ts';
import type { Places } from './places.ts';

/** Every way to see a list that others are on. */
export function forbiddenLists({ registryTable, attributionTable }: Places, othersSecret: string): readonly ForbiddenAttempt[] {
  const make =
    (service: ForbiddenAttempt['service'], of: ForbiddenAttempt['for']) =>
    (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
      ...{ id: `enumeration/${id}`, test: 'enumeration', for: of, what, service, operation, input },
    });
  const vault = make('secretsmanager', 'vault');
  const registry = make('dynamodb', 'registry');
  const log = make('dynamodb', 'attribution');
  const keys = make('kms', 'keys');
  const everything = { KeyConditionExpression: 'dueShard = :shard', ExpressionAttributeValues: { ':shard': { S: '0' } } };
  return [
    vault('list-secrets', 'list all secrets of the account', 'ListSecrets', {}),
    vault('list-secrets-by-tag', 'list the secrets of the other canary by its tag', 'ListSecrets', {
      Filters: [{ Key: 'tag-value', Values: ['cordon-canary-b'] }],
    }),
    vault('batch-read-secrets', 'read a list of secrets at once', 'BatchGetSecretValue', { SecretIdList: [othersSecret] }),
    vault('batch-read-by-filter', 'read all secrets that have a tag at once', 'BatchGetSecretValue', {
      Filters: [{ Key: 'tag-key', Values: ['TenantId'] }],
    }),
    registry('scan-registry', 'scan the registry', 'Scan', { TableName: registryTable, Limit: 1 }),
    registry('query-due', 'query the index of what is due, of all tenants', 'Query', {
      ...{ TableName: registryTable, IndexName: 'due', Limit: 1 },
      ...everything,
    }),
    registry('select-registry', 'select all registry items by PartiQL', 'ExecuteStatement', {
      Statement: `SELECT * FROM "${registryTable}"`,
    }),
    registry('list-tables', 'list the tables of the account', 'ListTables', {}),
    log('scan-log', 'scan the attribution log', 'Scan', { TableName: attributionTable, Limit: 1 }),
    log('select-log', 'select all entries of the attribution log by PartiQL', 'ExecuteStatement', {
      Statement: `SELECT * FROM "${attributionTable}"`,
    }),
    keys('list-keys', 'list the keys of the account', 'ListKeys', {}),
    keys('list-aliases', 'list the aliases of keys, which name dedicated tenants', 'ListAliases', {}),
    make('tagging', 'vault')('list-tags', 'list everything that has a tag', 'GetResources', {}),
  ];
}
