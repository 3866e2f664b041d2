import { describe, expect, it } from 'vitest';
import type { CertificateRecord } from '../../../functions/revocation/certificate/certificate.ts';
import type { Revocation } from '../../../functions/revocation/revocation.ts';
import { acme, createRevocationWorld, type RevocationWorld } from '../../contracts/fakes/revocation-world.ts';
import { type LargeTenant, large, type Size, seedTenant } from '../../support/large-tenant.ts';

/** Milliseconds of each call, as many at a time as the worker makes: a run of five minutes is over long before the work is. */
const callMs = { provider: 100, vault: 8, registry: 2, attribution: 2, events: 8 };
const eventId = 'e-1';
const small: Size = { users: 4, credentials: 100 };

interface Offboarded {
  readonly world: RevocationWorld;
  readonly had: LargeTenant;
  readonly runs: number;
  readonly item: Revocation;
}

/** The clock goes on until nothing is left but what is not confirmed. Rejects after two days of it. */
async function offboard(
  size: Size,
  fatal: Parameters<RevocationWorld['dieAt']>[0] = () => undefined,
  slow: object = {},
): Promise<Offboarded> {
  const world = createRevocationWorld({ callMs: { ...callMs, ...slow } });
  const had = await seedTenant(world, size);
  const until = world.clock() + 2 * 86_400_000;
  world.dieAt(fatal);
  // The queue delivers the event again, as long as nobody has taken it.
  while (!(await world.request({ action: 'offboard', scope: 'tenant' }, eventId)));
  let runs = 1;
  for (; (await world.revocationOf(eventId)).status === 'open'; runs += 1) {
    if (world.clock() > until) throw new Error(`not done after two days: ${JSON.stringify(await world.revocationOf(eventId))}`);
    await world.sweep(eventId);
  }
  return { world, had, runs, item: await world.revocationOf(eventId) };
}

/** Whatever went wrong on the way, this is what is left in the end. */
async function expectWellEnded({ world, had, item }: Offboarded): Promise<void> {
  const unconfirmed = had.accepted.length;
  const counts = { credentials: had.credentials, versions: had.versions, confirmed: had.versions - unconfirmed, unconfirmed };
  expect(item).toMatchObject({ status: 'unconfirmed', counts, setbacks: 0, connectionsEnded: true });
  expect(item.cutOff?.appliedAt).toBeDefined();

  const credentials = await world.registry.credentials(acme);
  const open = credentials.filter(({ status, ending }) => status !== 'revoked' || ending?.phase !== 'ended');
  expect(open.map(({ credentialId }) => credentialId).sort()).toEqual([...had.accepted].sort());
  expect(world.openai.live()).toEqual([]);
  expect(world.vault.names.map((name) => name.split('/')[2]).sort()).toEqual([...had.accepted].sort());
  for (const name of world.vault.names) expect(world.vault.valueOf(name)).toBe('{"revoked":true}');
  const revoked = world.told.filter(({ type }) => type === 'CredentialRevoked').map(({ detail }) => detail['credentialId']);
  expect(new Set(revoked).size).toBe(had.credentials - unconfirmed);

  const { ok, problems, header, records } = await world.certificateOf(eventId);
  expect({ ok, problems }).toEqual({ ok: true, problems: [] });
  expect(header).toMatchObject({ complete: false, tenant: { status: 'offboarded' }, counts: { ...counts, revocations: 1, attested: 0 } });
  const listed = (kind: CertificateRecord['kind']) =>
    records.flatMap((record) => (record.kind === kind && 'credentialId' in record ? (record.credentialId ?? []) : []));
  expect(new Set(listed('credential')).size).toBe(had.credentials);
  expect(listed('unconfirmed').sort()).toEqual([...had.accepted].sort());
  expect(world.refusals).toEqual([]);
}

/** By the name of the operation. */
const timesCalled = ({ counts }: RevocationWorld, name: string): number => counts.get(name) ?? 0;

describe('X1 X3 X6 offboarding a tenant of a thousand users and three thousand credentials', () => {
  it('ends every key over several runs, whatever the worker dies of, and certifies what it did and what it could not show', async () => {
    // The worker dies at every 3,331st call, now before it and now after it: in marking, in ending and in between, as it comes.
    const done = await offboard(large, (_call, count) => (count % 3331 === 0 ? (count % 2 === 0 ? 'before' : 'after') : undefined));
    await expectWellEnded(done);
    expect(done.runs).toBeGreaterThan(20);
    const { header } = await done.world.certificateOf(eventId);
    expect(header?.parts.length).toBeGreaterThan(2);
  }, 180_000);
});

describe('X6 a worker that dies', () => {
  it.each(['before', 'after'] as const)(
    '%s the first call of any kind, and the one in the middle of all of them, leaves nothing undone and nothing uncounted',
    async (when) => {
      const clean = await offboard(small);
      await expectWellEnded(clean);
      for (const [kind, times] of clean.world.counts) {
        const deadly = new Set([1, Math.ceil(times / 2)]);
        let made = 0;
        const done = await offboard(small, (call) => {
          if (call === kind) made += 1;
          return call === kind && deadly.delete(made) ? when : undefined;
        });
        expect([kind, [...deadly]]).toEqual([kind, []]);
        await expectWellEnded(done);
      }
    },
    120_000,
  );
});

describe('X6 a run that is over before its work is', () => {
  it.each(['registry', 'provider', 'vault', 'attribution', 'events'])(
    'leaves the rest to the next one, however slow %s is',
    async (port) => {
      const done = await offboard(small, undefined, { [port]: 4000 });
      expect(done.runs).toBeGreaterThan(1);
      await expectWellEnded(done);
    },
  );
});

describe('X2 X3 what a large tenant costs', () => {
  it('its credentials are not read again while only the cut-off of sessions is waited for', async () => {
    const { world } = await offboard(small);
    // The second one finds everything ended, within a moment.
    const before = timesCalled(world, 'registry.credentials');
    await world.request({ action: 'offboard', scope: 'tenant' }, 'e-2');
    const item = await world.revocationOf('e-2');
    expect(item.cutOff?.appliedAt).toBeGreaterThan(item.inForceAt + 10_000);
    expect(item.status).toBe('unconfirmed');
    // For marking them, for their state, and for the certificate.
    expect(timesCalled(world, 'registry.credentials') - before).toBe(3);
  });

  it('a provider that takes seconds to refuse a key holds up no other credential', async () => {
    const world = createRevocationWorld({ callMs });
    await seedTenant(world, small);
    world.openai.delayDeath(3000);
    await world.request({ action: 'offboard', scope: 'tenant' }, eventId);
    expect(await world.revocationOf(eventId)).toMatchObject({ status: 'unconfirmed', counts: { unconfirmed: 1 } });
    // The last few are waited for, together with the cut-off.
    expect(world.waited).toBeLessThan(40_000);
  });

  it('a provider that has enough for now is left alone until the sweep comes by, and neither asked in vain nor taken for one that does not confirm', async () => {
    const world = createRevocationWorld({ callMs });
    const had = await seedTenant(world, { users: 10, credentials: 300 });
    const begun = world.clock();
    world.throttle(100);
    await world.request({ action: 'offboard', scope: 'tenant' }, eventId);
    while ((await world.revocationOf(eventId)).status === 'open') await world.sweep(eventId);
    const asked = timesCalled(world, 'provider.revokeKey') + timesCalled(world, 'provider.listKeys');
    const needed = 618;
    expect(asked).toBeLessThan(needed * 1.5);
    // Later it would be said to be unconfirmed.
    expect(world.clock() - begun).toBeLessThan(15 * 60_000);
    const unconfirmed = world.told.filter(({ type }) => type === 'RevocationUnconfirmed').map(({ detail }) => detail['credentialId']);
    expect(new Set(unconfirmed)).toEqual(new Set(had.accepted));
  });

  it('one credential whose provider fails it again and again holds up no other', async () => {
    const world = createRevocationWorld({ callMs });
    await seedTenant(world, small);
    world.failFor('c-0');
    await world.request({ action: 'offboard', scope: 'tenant' }, eventId);
    const open = (await world.registry.credentials(acme)).filter(({ ending }) => ending?.phase !== 'ended');
    expect(open.map(({ credentialId }) => credentialId)).toEqual(['c-0', 'c-99']);
  });
});
