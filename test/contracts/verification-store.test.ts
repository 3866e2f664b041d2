import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verification, VerificationStore } from '../../functions/isolation/verify/verification.ts';
import { createVerificationStore } from '../../functions/isolation/verify/verification-store.dynamodb.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { createIsolationWorld } from './fakes/isolation-world.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const [acme, acme2] = [tenantId.parse('acme'), tenantId.parse('acme-2')];
const runAt = (id: string, startedAt: string, over: Partial<Verification> = {}): Verification => ({
  ...{ tenantId: acme, verificationId: id, requestedBy: 'test', startedAt, status: 'running', attempt: 1, announced: false },
  ...over,
});
const at = (hour: number): string => `2026-11-22T${String(hour).padStart(2, '0')}:00:00.000Z`;

function contract(name: string, open: () => Promise<VerificationStore>): void {
  describe(`runs of the isolation tests, ${name}`, () => {
    it('are found by tenant and ID, and no other tenant’s', async () => {
      const store = await open();
      const run = runAt('one', at(1), { rotation: { versionBefore: 'v', at: 5 } });
      await store.save(run);
      expect(await store.run(acme, 'one')).toEqual(run);
      expect([await store.run(acme, 'two'), await store.run(acme2, 'one')]).toEqual([undefined, undefined]);
    });

    it('are listed by when they began, the newest first', async () => {
      const store = await open();
      for (const [id, hour] of [
        ['x', 2],
        ['a', 3],
        ['m', 1],
      ] as const)
        await store.save(runAt(id, at(hour)));
      await store.save(runAt('other', at(9), { tenantId: acme2 }));
      expect((await store.latest(acme, 10)).map(({ verificationId }) => verificationId)).toEqual(['a', 'x', 'm']);
      expect((await store.latest(acme, 1)).map(({ verificationId }) => verificationId)).toEqual(['a']);
    });

    it('have one place between them, until it is left or the time is over', async () => {
      const store = await open();
      expect(await store.take('one', { now: 100, until: 200 })).toBe(true);
      expect([await store.take('two', { now: 150, until: 300 }), await store.take('one', { now: 150, until: 300 })]).toEqual([
        false,
        false,
      ]);
      await store.release('two');
      expect(await store.take('two', { now: 199, until: 300 })).toBe(false);
      expect(await store.take('two', { now: 200, until: 300 })).toBe(true);
      await store.release('one');
      expect(await store.take('three', { now: 201, until: 300 })).toBe(false);
      await store.release('two');
      expect(await store.take('three', { now: 202, until: 300 })).toBe(true);
    });

    it('remember what the last rotation has shown', async () => {
      const store = await open();
      expect(await store.rotationShown()).toBeUndefined();
      const shown = { at: 7, verificationId: 'one', checks: [] };
      await store.saveRotation(shown);
      expect(await store.rotationShown()).toEqual(shown);
    });
  });
}

contract('in memory', async () => createIsolationWorld().deps.store);

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.close());

  const makeTable = (): Promise<string> =>
    aws.makeTable({
      AttributeDefinitions: [{ AttributeName: 'startedAt', AttributeType: 'S' }],
      LocalSecondaryIndexes: [
        {
          IndexName: 'byStart',
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'startedAt', KeyType: 'RANGE' },
          ],
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: ['verificationId', 'requestedBy', 'finishedAt', 'status', 'counts'],
          },
        },
      ],
    });
  const storeOn = (table: string) => createVerificationStore({ client: aws.admin.dynamodb, table });
  contract('DynamoDB', async () => storeOn(await makeTable()));

  it('says so when an item is of a form it does not know', async () => {
    const table = await makeTable();
    const Item = { pk: { S: 'TENANT#acme#' }, sk: { S: 'RUN#one' }, status: { S: 'dreaming' } };
    await aws.admin.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
    await expect(storeOn(table).run(acme, 'one')).rejects.toMatchObject({ code: 'ITEM_NOT_UNDERSTOOD', retryable: true });
  });
});
