import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import { createRegistry } from '../../functions/tenants/registry.dynamodb.ts';
import { createMemoryRegistry } from './fakes/memory-registry.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { registryContract } from './registry.suite.ts';

const clock = (): number => Date.now();
const nextId = createIds(clock);

registryContract('memory', async () => createMemoryRegistry({ clock, nextId }));

describe('on the local cloud', () => {
  let aws: LocalAws;
  let table: string;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.close());

  /** Each test its own table: tenants have the same names in all of them. */
  const make = async () => {
    table = await aws.makeTable();
    return createRegistry({ client: aws.admin.dynamodb, table, clock, nextId });
  };
  registryContract('DynamoDB', make);

  it('takes a repetition of its own write for the success it was', async () => {
    const registry = await make();
    const acme = tenantId.parse('acme');
    const item = {
      tenantId: acme,
      kind: 'TENANT',
      epoch: 0,
      requestedBy: 'op',
      announced: false,
      attempt: 1,
      leaseUntil: 0,
      status: 'active',
      displayName: 'x',
      tier: 'pool',
      accounts: {},
      plan: [],
      rules: [],
      rulesVersion: 0,
      rulesEventIds: [],
      rulesAnnounced: true,
    } as const;
    aws.kernel.faults.add({ service: 'dynamodb', action: 'TransactWriteItems', nth: 1, mode: 'duplicate' });
    const added = await registry.addTenant({ ...item, plan: [], rules: [], rulesEventIds: [] });
    aws.kernel.faults.add({ service: 'dynamodb', action: 'UpdateItem', nth: 1, mode: 'duplicate' });
    await registry.changeTenant(added, { epoch: 1 });
    expect(await registry.tenant(acme)).toMatchObject({ epoch: 1, version: 2 });
  });

  it('says when the table cannot be had', async () => {
    const registry = await make();
    aws.kernel.faults.add({ service: 'dynamodb', action: 'GetItem', nth: 1, mode: 'before' });
    await expect(registry.tenant(tenantId.parse('acme'))).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE', retryable: true });
  });

  it('leaves attributes alone that it does not know', async () => {
    const registry = await make();
    const tenantKey = { pk: { S: 'TENANT#acme#' }, sk: { S: 'TENANT' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item: { ...tenantKey, status: { S: 'active' } } }));
    const item = {
      tenantId: tenantId.parse('acme'),
      kind: 'USER',
      epoch: 0,
      requestedBy: 'op',
      announced: false,
      userId: 'a'.repeat(26),
      status: 'active',
      issuer: 'https://i',
      subject: 's',
    } as const;
    const added = await registry.addUser({ ...item, userId: userId.parse(item.userId) });
    const key = { TableName: table, Key: { pk: { S: 'TENANT#acme#' }, sk: { S: `USER#${item.userId}` } } };
    await aws.admin.dynamodb.send(
      new UpdateItemCommand({ ...key, UpdateExpression: 'SET dueShard = :s', ExpressionAttributeValues: { ':s': { S: '7' } } }),
    );
    await registry.changeUser(added, { announced: true });
    expect((await aws.admin.dynamodb.send(new GetItemCommand(key))).Item).toMatchObject({
      dueShard: { S: '7' },
      announced: { BOOL: true },
    });
  });
});
