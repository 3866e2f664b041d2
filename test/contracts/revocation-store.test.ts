import { afterAll, beforeAll, describe } from 'vitest';
import { createRevocationStore } from '../../functions/revocation/revocation-store.dynamodb.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { createRegistry } from '../../functions/tenants/registry.dynamodb.ts';
import { createMemoryRegistry } from './fakes/memory-registry.ts';
import { createMemoryRevocationStore } from './fakes/memory-revocation-store.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';
import { revocationStoreContract } from './revocation-store.suite.ts';

const clock = (): number => Date.now();
const nextId = createIds(clock);

revocationStoreContract('memory', async () => {
  const tombstones = new Set<string>();
  const registry = createMemoryRegistry({ clock, nextId, tombstones });
  return { registry, store: createMemoryRevocationStore({ registry, tombstones, clock, nextId }) };
});

describe('on the local cloud', () => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startLocalAws();
  });
  afterAll(() => aws.close());

  /** Each test its own table: the tenant has the same name in all of them. */
  revocationStoreContract('DynamoDB', async () => {
    const deps = { client: aws.admin.dynamodb, table: await aws.makeTable(), clock, nextId };
    return { store: createRevocationStore(deps), registry: createRegistry(deps) };
  });
});
