import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttributionEntry, attributionEntry } from '../../functions/attribution/attribution-entry.ts';
import { createAttributionStore } from '../../functions/attribution/attribution-store.dynamodb.ts';
import { createTenantView } from '../../functions/connections/tenant-view.dynamodb.ts';
import type { TenantView } from '../../functions/connections/tenant-view.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

let now = Date.parse('2026-11-21T12:00:00Z');
const clock = (): number => now;
const nextId = createIds(clock);
const acme = tenantId.parse('acme');

let aws: LocalAws;
let view: TenantView;
beforeAll(async () => {
  aws = await startLocalAws();
  const tables = { registryTable: aws.registryTable, attributionTable: aws.attributionTable };
  view = createTenantView({ client: aws.admin.dynamodb, ...tables, clock, nextId }, acme);
});
afterAll(() => aws.close());

/** Records an intent, and its outcome unless it is still under way; answers when. */
async function record(credentialId: string, change: { operation?: string; tenantId?: string; ended?: boolean } = {}): Promise<string> {
  const { operation = 'provider.call', tenantId = 'acme', ended = true } = change;
  now += 1000;
  const at = new Date(now).toISOString();
  const entry = { id: nextId(), at, tenantId, credentialId, operation, context: {}, actor: { function: 'broker' } };
  const store = createAttributionStore(aws.admin.dynamodb, aws.attributionTable);
  const entries: AttributionEntry[] = [attributionEntry.parse({ ...entry, kind: 'INTENT' })];
  if (ended) entries.push(attributionEntry.parse({ ...entry, kind: 'OUTCOME', outcome: { result: 'succeeded' } }));
  for (const one of entries) await store.record(one);
  return at;
}

describe('when a credential was last used', () => {
  it('is the newest use, be it under way or over', async () => {
    await record('main');
    const over = await record('main');
    expect(await view.newestUse('main', '2026-11-21')).toBe(over);
    const underWay = await record('main', { ended: false });
    expect(await view.newestUse('main', '2026-11-21')).toBe(underWay);
  });

  it('is no other thing that was done with it, however much that was', async () => {
    const used = await record('stored');
    for (let times = 0; times < 15; times += 1) await record('stored', { operation: 'vault.store-secret' });
    expect(await view.newestUse('stored', '2026-11-21')).toBe(used);
    await record('never', { operation: 'provider.validate-key' });
    expect(await view.newestUse('never', '2026-11-21')).toBeUndefined();
  });

  it("is neither a longer named credential's, nor another day's, nor another tenant's", async () => {
    await record('short-2');
    await record('short', { tenantId: 'acme-2' });
    expect(await view.newestUse('short', '2026-11-21')).toBeUndefined();
    const used = await record('short');
    expect(await view.newestUse('short', '2026-11-21')).toBe(used);
    expect(await view.newestUse('short', '2026-11-20')).toBeUndefined();
  });
});
