import { describe, expect, it } from 'vitest';
import type { IntentEntry, OutcomeEntry } from '../../functions/attribution/attribution-entry.ts';
import type { AttributionStore } from '../../functions/attribution/attribution-store.ts';
import { createIds } from '../../functions/shared/clock.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { userIdOf } from '../../functions/shared/identifiers.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const nextId = createIds(() => now);
const day = '2026-11-21';
const acme = tenantId.parse('acme');
const ann = userIdOf('https://idp.example.com', 'ann');

function intent(over: Partial<IntentEntry> = {}): IntentEntry {
  return {
    id: nextId(),
    kind: 'INTENT',
    at: '2026-11-21T12:00:00.000Z',
    tenantId: acme,
    actor: { function: 'tenants' },
    operation: 'provider.create-key',
    context: {},
    ...over,
  };
}

function outcomeOf(entry: IntentEntry): OutcomeEntry {
  return {
    ...entry,
    kind: 'OUTCOME',
    outcome: { result: 'refused', code: 'ACCESS_REFUSED' },
    credentialVersion: 'v1',
    context: { keyId: 'k-1' },
    proof: {
      document: '{"verdict":"sound"}',
      algorithm: 'ECDSA_SHA_256',
      signature: 'c2ln',
      keyArn: 'arn:aws:kms:us-east-1:111122223333:key/k',
    },
  };
}

/** What every attribution store does. */
export function attributionStoreContract(name: string, make: () => Promise<AttributionStore>): void {
  describe(`E1 E2 ${name} as an attribution store`, () => {
    it('answers a day in the order of its entries, each whole', async () => {
      const store = await make();
      const first = intent();
      const full = intent({
        credentialId: credentialId.parse('main'),
        provider: 'openai',
        actor: { function: 'broker', requestedBy: 'op', userId: ann, agentId: 'bot', sessionId: 's-1' },
        context: { eventId: 'e' },
      });
      for (const entry of [outcomeOf(full), full, first]) await store.record(entry);
      expect(await store.entries({ tenantId: acme, day })).toEqual([first, full, outcomeOf(full)]);
      expect(await store.entries({ tenantId: acme, day: '2026-11-22' })).toEqual([]);
    });

    it('finds those of one credential, one user and one session, and not of those whose name begins alike', async () => {
      const store = await make();
      const main = intent({ credentialId: credentialId.parse('main') });
      const longer = intent({ credentialId: credentialId.parse('main-2') });
      const hers = intent({ actor: { function: 'broker', userId: ann, sessionId: 's-1' } });
      const others = intent({ actor: { function: 'broker', sessionId: 's-10' } });
      for (const entry of [main, longer, hers, others]) await store.record(entry);
      expect(await store.entries({ tenantId: acme, day, of: { credentialId: credentialId.parse('main') } })).toEqual([main]);
      expect(await store.entries({ tenantId: acme, day, of: { userId: ann } })).toEqual([hers]);
      expect(await store.entries({ tenantId: acme, day, of: { sessionId: 's-1' } })).toEqual([hers]);
    });

    it('keeps tenants apart whose IDs begin alike', async () => {
      const store = await make();
      await store.record(intent({ tenantId: tenantId.parse('acme-2') }));
      expect(await store.entries({ tenantId: acme, day })).toEqual([]);
    });

    it('changes nothing when an entry is recorded again, not even by another one of the same ID', async () => {
      const store = await make();
      const entry = intent();
      await store.record(entry);
      await store.record(entry);
      await store.record({ ...entry, operation: 'forged' });
      expect(await store.entries({ tenantId: acme, day })).toEqual([entry]);
    });
  });
}
