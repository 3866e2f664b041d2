import { describe, expect, it } from 'vitest';
import type { AttributionEntry } from '../../functions/attribution/attribution-entry.ts';
import type { AttributionStore } from '../../functions/attribution/attribution-store.ts';
import { drainMs, type VersionUses } from '../../functions/attribution/version-uses.ts';
import type { Clock } from '../../functions/shared/clock.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { attributedUse } from './fakes/attributed-use.ts';

const acme = tenantId.parse('acme');
const main = credentialId.parse('main');
const now = Date.parse('2026-11-21T12:00:00Z');
const minute = 60_000;
type Over = Parameters<typeof attributedUse>[2];
const useOf = (agoMs: number, over?: Over, outcome?: object | 'none') => attributedUse(now, agoMs, over, outcome);

/** What every reader of a version's uses does. */
export function versionUsesContract(
  name: string,
  make: (clock: Clock) => Promise<{ store: Pick<AttributionStore, 'record'>; uses: VersionUses }>,
): void {
  describe(`R4 ${name} as what tells of a version's uses`, () => {
    const of = async (entries: readonly AttributionEntry[][], { since = now - 60 * minute, at = now } = {}) => {
      const { store, uses } = await make(() => at);
      for (const entry of entries.flat()) await store.record(entry);
      return uses.usesOf(acme, main, 'old', since);
    };

    it('finds none where there is none', async () => {
      expect(await of([])).toEqual({ open: false, complete: true });
    });

    it('finds when the latest use was begun, of this version, credential and tenant alone', async () => {
      const others = [
        useOf(minute, { credentialVersion: 'new' }),
        useOf(2 * minute, { credentialId: 'main-2' }, 'none'),
        useOf(3 * minute, { tenantId: 'acme-2' }, 'none'),
      ];
      expect(await of([...others, useOf(30 * minute), useOf(20 * minute), useOf(25 * minute)])).toEqual({
        lastAt: now - 20 * minute,
        open: false,
        complete: true,
      });
    });

    it.each([
      ['succeeded', { result: 'succeeded' }],
      ['was refused by the provider', { result: 'refused', code: 'PROVIDER_REFUSED' }],
      ['broke off', { result: 'aborted', code: 'CLIENT_GONE' }],
    ])('holds a use that %s to be one that is over', async (_what, outcome) => {
      expect(await of([useOf(minute, {}, outcome)])).toEqual({ lastAt: now - minute, open: false, complete: true });
    });

    it('finds a use under way, also behind later ones that are over', async () => {
      expect(await of([useOf(minute), useOf(14 * minute, {}, 'none')])).toEqual({ lastAt: now - minute, open: true, complete: true });
    });

    it('holds a use without an outcome to be over when no call can last so long', async () => {
      expect(await of([useOf(drainMs, {}, 'none')])).toEqual({ lastAt: now - drainMs, open: false, complete: true });
      expect(await of([useOf(drainMs - 1, {}, 'none')])).toMatchObject({ open: true });
    });

    it('counts a use that names no version as one of this version', async () => {
      expect(await of([useOf(minute, { credentialVersion: undefined }, 'none')])).toMatchObject({ lastAt: now - minute, open: true });
    });

    it('does not count what is done with a key without using it', async () => {
      const operations = ['rotation.validate-key', 'rotation.revoke-key', 'rotation.confirm-refused', 'vault.store-secret'];
      expect(await of(operations.map((operation) => useOf(minute, { operation }, 'none')))).toEqual({ open: false, complete: true });
    });

    it('does not count an intent that was closed because the credential had changed: nothing left with it', async () => {
      const closed = useOf(minute, {}, { result: 'refused', code: 'CREDENTIAL_CHANGED' });
      expect(await of([closed, useOf(40 * minute)])).toEqual({ lastAt: now - 40 * minute, open: false, complete: true });
    });

    it('looks at what was begun since then, at that very time too', async () => {
      const entries = [useOf(30 * minute), useOf(30 * minute + 1)];
      expect(await of(entries, { since: now - 30 * minute })).toMatchObject({ lastAt: now - 30 * minute });
      expect(await of(entries, { since: now - 30 * minute + 1 })).toEqual({ open: false, complete: true });
    });

    it('looks behind midnight', async () => {
      const at = Date.parse('2026-11-21T00:05:00Z');
      expect(await of([useOf(now - at + 10 * minute, {}, 'none')], { at, since: at - drainMs })).toMatchObject({ open: true });
    });

    it('looks no further back than yesterday', async () => {
      const yesterday = Date.parse('2026-11-20T00:00:00Z');
      const [within, before] = [useOf(now - yesterday), useOf(now - yesterday + 1)];
      expect(await of([before], { since: 0 })).toEqual({ open: false, complete: true });
      expect(await of([within], { since: 0 })).toEqual({ lastAt: yesterday, open: false, complete: true });
    });

    it('sees a use of a broker whose clock is ahead, also by a day that has not begun', async () => {
      const at = Date.parse('2026-11-20T23:59:59.500Z');
      expect(await of([useOf(now - at - 1000, {}, 'none')], { at, since: at - drainMs })).toMatchObject({ open: true });
    });
  });
}
