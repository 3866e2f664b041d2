import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { hour, minute, second } from '../rotation/rotation-world.ts';
import { createEndingWorld, type EndingWorld } from './ending-world.ts';

/** The administration of the provider fails like this from now on; nothing else does. */
function failing(world: EndingWorld, names: readonly string[], error: CordonError): void {
  const { openai } = world.endingDeps.providers;
  if (!openai) throw new Error('there is no provider');
  const refusing = Object.fromEntries(names.map((name) => [name, () => Promise.reject(error)]));
  const proxied = new Proxy(openai, { get: (target, member) => Reflect.get(refusing, member) ?? Reflect.get(target, member) });
  Object.assign(world.endingDeps, { providers: { ...world.endingDeps.providers, openai: proxied } });
}
const refused = new CordonError('PROVIDER_REFUSED', 'openai refused it (HTTP 403)');
const down = new CordonError('PROVIDER_UNAVAILABLE', 'openai could not be used (HTTP 503)', { retryable: true });
const secret = 'cordon/acme/main';

describe('X3 what the provider does not confirm', () => {
  it('is asked about after 5 s, 30 s, 2 min and 10 min, is said to be unconfirmed after a quarter of an hour, and asked about every hour', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    world.openai.delayDeath(3 * hour);
    await world.revoke();
    const since = world.clock();
    const asked = (): number[] =>
      world.attribution.all.flatMap(({ kind, operation, at }) =>
        kind === 'OUTCOME' && operation === 'revocation.confirm-refused' ? [Math.round((Date.parse(at) - since) / second)] : [],
      );
    await world.settle(14);
    expect(world.toldOf('RevocationUnconfirmed')).toEqual([]);
    await world.settle(2);
    expect(asked()).toEqual([0, 5, 35, 155, 755, 900]);
    expect(world.toldOf('RevocationUnconfirmed')).toMatchObject([
      { problem: 'KEY_ACCEPTED', since: new Date(since + 900 * second).toISOString() },
    ]);
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'KEY_ACCEPTED' });
    await world.settle(170);
    expect(asked().slice(6)).toEqual([4500, 8100]);
    expect(world.vault.names).toEqual([secret]);
    await world.settle(60);
    expect((await world.ending()).phase).toBe('ended');
    expect(world.toldOf('RevocationUnconfirmed')).toHaveLength(1);
    expect(world.toldOf('CredentialRevoked')).toHaveLength(1);
  });

  it('of a customer’s key is said at once, again every day, and until the customer has revoked it', async () => {
    const world = createEndingWorld();
    await world.onboard('customer-next');
    await world.revoke();
    await world.run();
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'KEY_ACCEPTED' });
    expect(world.toldOf('RevocationUnconfirmed')).toHaveLength(1);
    await world.settle(3 * 24 * 60 + 30);
    expect(world.toldOf('RevocationUnconfirmed')).toHaveLength(4);
    expect(world.toldOf('CredentialRevoked')).toEqual([]);
    world.customerKeys.clear();
    await world.settle(61);
    expect((await world.ending()).phase).toBe('ended');
    expect(world.toldOf('CredentialRevoked')).toMatchObject([{ confirmedBy: 'provider' }]);
  });

  it('of a customer’s key because its provider is down is no answer: it is asked again', async () => {
    const world = createEndingWorld();
    await world.onboard('customer-next');
    const { tryCustomerKey } = world.endingDeps;
    Object.assign(world.endingDeps, { tryCustomerKey: () => Promise.reject(down) });
    await world.revoke();
    await world.settle(5);
    expect(await world.ending()).toMatchObject({ phase: 'confirming', problem: 'PROVIDER_UNAVAILABLE' });
    expect(world.toldOf('RevocationUnconfirmed')).toEqual([]);
    world.customerKeys.clear();
    Object.assign(world.endingDeps, { tryCustomerKey });
    await world.settle(10);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('of a customer’s key that is not stored any more stays so until a person vouches for it', async () => {
    const world = createEndingWorld();
    const made = await world.onboard('customer-next');
    world.vault.forget(secret, made.secretVersionId ?? '');
    await world.revoke();
    await world.settle(3 * 60);
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'KEY_UNKNOWN' });
    expect(await world.attest()).toBe(true);
    expect(await world.attest()).toBe(false);
    await world.settle(1);
    expect(await world.ending()).toMatchObject({ phase: 'ended', versions: [{ confirmation: 'attested', attestedBy: 'bob' }] });
    expect(world.toldOf('CredentialRevoked')).toMatchObject([{ confirmedBy: 'person' }]);
  });

  it('of a secret under the customer’s own KMS key that cannot be used is unknown, and no alarm', async () => {
    const world = createEndingWorld();
    const settings = { kmsKeyArn: 'arn:aws:kms:us-east-1:444455556666:key/theirs' };
    const made = await world.onboard('customer-next');
    await world.registry.changeCredential(made, { settings });
    world.vault.refuseCustomerKey(true);
    await world.revoke();
    await world.settle(30);
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'KEY_UNKNOWN', stagedOutAt: expect.any(Number) });
    expect(world.refusals).toEqual([]);
    world.vault.refuseCustomerKey(false);
    world.customerKeys.clear();
    await world.settle(61);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('because nobody administers the provider here, is asked about with the key, and a person may vouch for what nobody can list', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    Object.assign(world.endingDeps, { providers: {}, tryCustomerKey: async () => 'valid' });
    await world.revoke();
    await world.run();
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'PROVIDER_REFUSED' });
    Object.assign(world.endingDeps, { tryCustomerKey: async () => 'refused' });
    await world.settle(2 * 60);
    // The key is dead; whether there is another one that nobody knows of cannot be seen.
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', versions: [{ confirmation: 'refused' }] });
    expect(await world.attest()).toBe(true);
    await world.settle(1);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('because the provider refuses to revoke, is tried again every hour, and done when it no longer does', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    const { providers } = world.endingDeps;
    failing(world, ['revokeKey'], refused);
    await world.revoke();
    await world.run();
    expect(await world.ending()).toMatchObject({ phase: 'unconfirmed', problem: 'PROVIDER_REFUSED' });
    await world.settle(3 * 60);
    expect(world.openai.live()).toHaveLength(1);
    Object.assign(world.endingDeps, { providers });
    await world.settle(61);
    expect(world.openai.live()).toEqual([]);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('because the provider is down, is tried again, said after a quarter of an hour, and done when it is back', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    const { providers } = world.endingDeps;
    failing(world, ['revokeKey', 'listKeys', 'confirmRevoked'], down);
    await world.revoke();
    await world.run();
    // The secret does not wait for the provider.
    expect(await world.ending()).toMatchObject({
      phase: 'revoking',
      problem: 'PROVIDER_UNAVAILABLE',
      setbacks: 1,
      stagedOutAt: expect.any(Number),
    });
    expect((await world.ending()).nextAt).toBe(world.clock() + minute);
    await world.settle(14);
    expect(world.toldOf('RevocationUnconfirmed')).toEqual([]);
    await world.settle(2);
    expect(world.toldOf('RevocationUnconfirmed')).toMatchObject([{ problem: 'PROVIDER_UNAVAILABLE' }]);
    Object.assign(world.endingDeps, { providers });
    await world.settle(61);
    expect((await world.ending()).phase).toBe('ended');
  });

  it('waits as long as the provider asks for', async () => {
    const world = createEndingWorld();
    await world.onboard('overlap');
    const slow = new CordonError('PROVIDER_UNAVAILABLE', 'openai could not be used (HTTP 429)', {
      retryable: true,
      retryAfterSeconds: 600,
    });
    failing(world, ['revokeKey'], slow);
    await world.revoke();
    await world.run();
    expect((await world.ending()).nextAt).toBe(world.clock() + 10 * minute);
  });
});
