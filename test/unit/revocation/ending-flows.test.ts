import { describe, expect, it } from 'vitest';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { requested } from '../rotation/rotation-events.ts';
import { day, minute, second } from '../rotation/rotation-world.ts';
import { createEndingWorld } from './ending-world.ts';

const secret = 'cordon/acme/main';

describe('X3 what a revocation does about a credential', () => {
  it('is done within one run, where the provider is quick: revoked, taken out, shown dead, deleted, told', async () => {
    const world = createEndingWorld();
    const before = await world.onboard('overlap');
    await world.revoke();
    await world.run();
    const at = world.clock();
    expect(await world.ending()).toMatchObject({
      phase: 'ended',
      versions: [{ versionId: before.secretVersionId, keyId: before.keyId, revokedAt: at, confirmedAt: at, confirmation: 'refused' }],
      ...{ stagedOutAt: at, straysAt: at, deletedAt: at, announced: true, setbacks: 0 },
    });
    expect(world.told).toMatchObject([
      {
        type: 'CredentialRevoked',
        detail: { versionIds: [before.secretVersionId], confirmedBy: 'provider', revocationId: expect.any(String) },
      },
    ]);
  });

  it('is on record step by step, with who asked, why, and for which incident', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    await world.revoke();
    await world.run();
    const done = world.attribution.all.filter(({ kind }) => kind === 'OUTCOME');
    expect(done.map(({ operation }) => operation)).toEqual([
      ...['revocation.revoke-key', 'revocation.stage-out', 'revocation.confirm-refused'],
      ...['revocation.delete-secret', 'revocation.delete-secret'],
    ]);
    for (const entry of done) {
      expect(entry.actor).toEqual({ function: 'revocation', requestedBy: 'ann@acme.example' });
      expect(entry.context).toMatchObject({ reason: 'the laptop was stolen', incidentId: 'INC-7', revocationId: expect.any(String) });
    }
  });

  it('waits a few seconds for a provider that is slow to refuse, within the run', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    world.openai.delayDeath(4 * second);
    await world.revoke();
    await world.run();
    expect((await world.ending()).phase).toBe('ended');
    expect(world.toldOf('RevocationUnconfirmed')).toEqual([]);
  });

  it('gives no key to whoever reads the secret while the provider accepts it still', async () => {
    const world = createEndingWorld();
    await world.onboard('customer-next');
    await world.revoke();
    await world.run();
    expect(world.vault.names).toEqual([secret]);
    for (const label of ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'])
      expect(world.vault.valueOf(secret, label) ?? '').not.toContain('customer');
  });

  it('revokes known keys at once, and believes the provider’s list when nobody can make a key any more', async () => {
    const world = createEndingWorld();
    const made = await world.onboard('overlap');
    await world.registry.changeCredential(made, { leaseUntil: world.clock() + minute, attempt: 2 });
    await world.revoke();
    await world.run();
    expect(world.openai.live()).toEqual([]);
    expect((await world.ending()).phase).toBe('revoking');
    // The worker that held it makes its key after all.
    await world.openai.provider.createKey({ accountId: 'proj_1' }, { ...made, attempt: 2, mayExist: false });
    world.advance(2 * minute);
    await world.run();
    expect((await world.ending()).straysAt).toBeUndefined();
    expect(world.openai.live()).toHaveLength(1);
    await world.settle(2);
    expect(world.openai.live()).toEqual([]);
    expect(await world.ending()).toMatchObject({
      phase: 'ended',
      versions: [{ keyId: 'key_1' }, { keyId: 'key_2', confirmation: 'not-listed' }],
    });
  });

  it('shows both of two keys dead that one request has made, though the vault holds one of them', async () => {
    const world = createEndingWorld();
    const made = await world.onboard('overlap');
    const twin = await world.openai.provider.createKey({ accountId: 'proj_1' }, { ...made, attempt: 1, mayExist: false });
    await world.revoke();
    await world.settle(1);
    const { versions } = await world.ending();
    expect(versions.map(({ keyId, versionId }) => [keyId, versionId])).toEqual([
      [made.keyId, made.secretVersionId],
      [twin.keyId, made.secretVersionId],
    ]);
    expect(versions.every(({ confirmation }) => confirmation === 'not-listed')).toBe(true);
    expect(world.openai.live()).toEqual([]);
  });

  it('renews no slot that is another credential’s by now', async () => {
    const world = createEndingWorld();
    const made = await world.onboard('two-slot');
    await world.revoke();
    // Somebody has given the resource, and with it both its keys, to another credential.
    const theirs = { ...made, credentialId: credentialId.parse('theirs') };
    const { apiKey } = await world.azure.provider.createKey({ accountId: 'acme-openai' }, { ...theirs, attempt: 1, mayExist: false });
    await world.settle(1);
    expect(world.azure.live()).toEqual([apiKey.reveal()]);
    expect((await world.ending()).phase).toBe('ended');
  });
});

describe('X3 somebody else who writes meanwhile', () => {
  it('costs a reading, and no time', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    await world.revoke();
    const work = async (): Promise<void> => void (await world.registry.changeCredential(await world.item(), {}));
    world.interrupt({ call: 'vault.takeOut', nth: 1, when: 'after', work });
    await world.run();
    expect(world.interrupted).toBe(true);
    expect((await world.ending()).phase).toBe('ended');
  });
});

describe('X3 what an operator must know', () => {
  it('is told after it was written down, and said to be unconfirmed like everything that is', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    world.vault.refuse(true);
    await world.revoke();
    await world.run();
    expect(world.refusals).toMatchObject([{ code: 'ACCESS_REFUSED' }]);
    // The key is dead all the same.
    expect(world.openai.live()).toEqual([]);
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'ACCESS_REFUSED', setbacks: 1 });
    world.vault.refuse(false);
    await world.settle(10);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('is not cried over a secret that another run has deleted meanwhile', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    const stale = await world.revoke();
    await world.run();
    expect((await world.ending()).phase).toBe('ended');
    expect(await world.advanceItem(stale)).toBe(true);
    expect(world.refusals).toEqual([]);
    expect(world.toldOf('CredentialRevoked')).toHaveLength(1);
  });
});

describe('X1 what is ended', () => {
  it('stays so: nothing is done about it any more, however often it is looked at', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    await world.revoke();
    await world.run();
    const ended = await world.item();
    const calls = world.faults.journal.length;
    await world.advanceItem(ended);
    await world.deliver(requested({}, 'late'));
    world.advance(200 * day);
    await world.sweep();
    expect(await world.item()).toEqual(ended);
    expect(world.faults.journal.slice(calls).filter((call) => /^(provider|vault)\./.test(call))).toEqual([]);
  });

  it('is left alone until its time has come', async () => {
    const world = createEndingWorld();
    await world.onboard('customer-next');
    await world.revoke();
    await world.run();
    const waiting = await world.item();
    const calls = world.faults.journal.length;
    await world.advanceItem(waiting);
    expect(world.faults.journal.length).toBe(calls);
  });

  it('goes no further than the run lasts', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    const item = await world.revoke();
    await world.advanceItem(item, 10 * second);
    expect(await world.item()).toEqual(item);
  });
});
