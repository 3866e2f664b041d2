import type { TenantId } from '../../shared/identifiers.ts';
import type { ForbiddenAttempt } from './attempt.ts';
import { attributionPartition, keyOf, type Places, registryPartition } from './places.ts';

/** An item that nobody has, and nobody misses. */
const madeUp = 'ISOLATION-TEST';

/** What one canary tries on the other's items in the registry and in the attribution log. `now`: milliseconds since the epoch. */
export function forbiddenItemCalls(places: Places, own: TenantId, other: TenantId, now: number): readonly ForbiddenAttempt[] {
  const { registryTable, attributionTable } = places;
  const make =
    (service: 'registry' | 'attribution', test: ForbiddenAttempt['test'], table: string) =>
    (id: string, what: string, operation: string, input: object): ForbiddenAttempt => ({
      ...{ id: `${test}/${id}`, test, for: service, what, service: 'dynamodb', operation },
      input: { ...(operation.startsWith('Batch') || operation.startsWith('Exec') ? {} : { TableName: table }), ...input },
    });
  const registry = make('registry', 'vault-access-scope', registryTable);
  const log = make('attribution', 'usage-log-attribution', attributionTable);
  const others = registryPartition(other);
  const othersDay = attributionPartition(other, now);
  const ownDay = attributionPartition(own, now);
  const equals = (pk: string): object => ({ KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } });
  const ofB = 'of the other canary';
  return [
    registry('read-item', `read the registry item ${ofB}`, 'GetItem', { Key: keyOf(others, 'TENANT') }),
    registry('read-item-by-prefix', 'read an item of a tenant whose name begins with the own one', 'GetItem', {
      Key: keyOf(registryPartition(own).replace(/#$/, '-2#'), 'TENANT'),
    }),
    registry('read-item-without-delimiter', 'read an item under the own name without its delimiter', 'GetItem', {
      Key: keyOf(registryPartition(own).slice(0, -1), 'TENANT'),
    }),
    registry('read-items', `read registry items of both canaries at once`, 'BatchGetItem', {
      RequestItems: { [registryTable]: { Keys: [keyOf(registryPartition(own), 'TENANT'), keyOf(others, 'TENANT')] } },
    }),
    registry('query-items', `query the registry items ${ofB}`, 'Query', equals(others)),
    registry('select-items', `select the registry items ${ofB} by PartiQL`, 'ExecuteStatement', {
      ...{ Statement: `SELECT * FROM "${registryTable}" WHERE pk = ?`, Parameters: [{ S: others }] },
    }),
    registry('put-item', `write a registry item ${ofB}`, 'PutItem', { Item: keyOf(others, madeUp) }),
    registry('update-item', `change a registry item ${ofB}`, 'UpdateItem', {
      ...{ Key: keyOf(others, madeUp), UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': { S: 'x' } } },
      ConditionExpression: 'attribute_exists(pk)',
    }),
    registry('delete-item', `delete a registry item ${ofB}`, 'DeleteItem', { Key: keyOf(others, madeUp) }),

    log('query-log', `query the attribution log ${ofB}`, 'Query', equals(othersDay)),
    log('query-log-by-credential', `query the attribution log ${ofB} by credential`, 'Query', {
      IndexName: 'byCredential',
      ...equals(othersDay),
    }),
    log('read-log', `read an entry of the attribution log ${ofB}`, 'GetItem', { Key: keyOf(othersDay, madeUp) }),
    log('insert-into-log', `insert an entry into the attribution log ${ofB}`, 'ExecuteStatement', {
      Statement: `INSERT INTO "${attributionTable}" VALUE {'pk': ?, 'sk': ?}`,
      Parameters: [{ S: othersDay }, { S: madeUp }],
    }),
    log('overwrite-own-log', 'overwrite an entry of its own attribution log', 'PutItem', { Item: keyOf(ownDay, madeUp) }),
    log('change-own-log', 'change an entry of its own attribution log', 'UpdateItem', {
      ...{ Key: keyOf(ownDay, madeUp), UpdateExpression: 'SET a = :a', ExpressionAttributeValues: { ':a': { S: 'x' } } },
      ConditionExpression: 'attribute_exists(pk)',
    }),
    log('delete-own-log', 'delete an entry of its own attribution log', 'DeleteItem', { Key: keyOf(ownDay, madeUp) }),
  ];
}
