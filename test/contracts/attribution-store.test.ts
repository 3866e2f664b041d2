import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { attributionStoreContract } from './attribution-store.suite.ts';
import { createMemoryAttributionStore } from './fakes/memory-attribution-store.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

attributionStoreContract('memory', async () => createMemoryAttributionStore());

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeEach(async () => {
    aws = await startLocalAws();
  });
  afterEach(() => aws.close());

  attributionStoreContract('DynamoDB', async () => createAttributionStore(aws.admin.dynamodb, aws.attributionTable));

  it('succeeds when its insert is repeated, and fails when none was made', async () => {
    const store = createAttributionStore(aws.admin.dynamodb, aws.attributionTable);
    const acme = tenantId.parse('acme');
    const id = createIds(Date.now)();
    const entry = {
      id,
      kind: 'INTENT',
      at: '2026-11-21T12:00:00.000Z',
      tenantId: acme,
      actor: { function: 'tenants' },
      operation: 'x',
      context: {},
    } as const;
    aws.kernel.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'duplicate' });
    await store.record(entry);
    aws.kernel.faults.add({ service: 'dynamodb', action: 'ExecuteStatement', nth: 1, mode: 'before' });
    await expect(store.record({ ...entry, id: createIds(Date.now)() })).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
  });
});
