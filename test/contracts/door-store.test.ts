import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoorStore } from '../../functions/credentials/door-store.dynamodb.ts';
import type { DoorStore } from '../../functions/credentials/door-store.ts';
import { createKeyPairs } from '../../functions/credentials/key-pairs.kms.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { createRegistry } from '../../functions/tenants/registry.dynamodb.ts';
import { doorStoreContract } from './door-store.suite.ts';
import { createMemoryDoorStore } from './fakes/memory-door-store.ts';
import { createMemoryKeyPairs } from './fakes/memory-key-pairs.ts';
import { createMemoryRegistry } from './fakes/memory-registry.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const clock = (): number => Date.now();
const nextId = createIds(clock);
const acme = tenantId.parse('acme');

let aws: LocalAws;
let door: DoorStore;
beforeAll(async () => {
  aws = await startLocalAws();
  door = createDoorStore({ client: aws.admin.dynamodb, table: aws.registryTable, clock, nextId });
});
afterAll(() => aws.close());

doorStoreContract('DynamoDB', async () => ({
  door,
  registry: createRegistry({ client: aws.admin.dynamodb, table: aws.registryTable, clock, nextId }),
}));

doorStoreContract('memory', async () => {
  const registry = createMemoryRegistry({ clock, nextId });
  return { registry, door: createMemoryDoorStore(registry) };
});

describe('the door store (DynamoDB)', () => {
  it('sees what was revoked', async () => {
    for (const sk of ['REVOKED#AGENT#bot', 'REVOKED#SESSION#s-1'])
      await aws.admin.dynamodb.send(
        new PutItemCommand({ TableName: aws.registryTable, Item: { pk: { S: 'TENANT#acme#' }, sk: { S: sk } } }),
      );
    expect(await door.isRevoked(acme, { agentId: 'bot' })).toBe(true);
    expect(await door.isRevoked(acme, { agentId: 'other', sessionId: 's-1' })).toBe(true);
    expect(await door.isRevoked(acme, { agentId: 's-1', sessionId: 'bot' })).toBe(false);
    expect(await door.isRevoked(acme, {})).toBe(false);
    expect(await door.isRevoked(tenantId.parse('acme-2'), { agentId: 'bot' })).toBe(false);
  });

  it('concludes nothing from an item of a form it does not know', async () => {
    const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: 'NONCE#odd' }, status: { S: 'new' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: aws.registryTable, Item }));
    await expect(door.nonce(acme, 'odd')).rejects.toMatchObject({ code: 'ITEM_NOT_UNDERSTOOD', retryable: true });
  });
});

describe.each([
  ['KMS', () => ({ pairs: createKeyPairs(aws.admin.kms), keyArn: aws.keyArn })],
  ['memory', () => ({ pairs: createMemoryKeyPairs(), keyArn: 'arn:k' })],
] as const)('key pairs (%s)', (_name, open) => {
  it('open for the tenant they were made for and for no other', async () => {
    const { pairs, keyArn } = open();
    const made = await pairs.make(acme, keyArn);
    const opened = await pairs.open(acme, keyArn, made.privateKey);
    expect(opened.length).toBeGreaterThan(100);
    await expect(pairs.open(tenantId.parse('acme-2'), keyArn, made.privateKey)).rejects.toMatchObject({ name: 'CordonError' });
  });
});
