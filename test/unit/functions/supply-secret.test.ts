import { beforeEach, describe, expect, it } from 'vitest';
import { sealSecret } from '../../../functions/credentials/seal-secret.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { createDoorWorld, type DoorWorld, dedicatedKeyArn } from '../../contracts/fakes/door-world.ts';

const canary = 'sk-ant-canary-0123456789';
const id = 'anthropic-own';
const admin = 'admin-at-acme';
const secretName = `cordon/acme/${id}`;

let world: DoorWorld;
beforeEach(async () => {
  world = await createDoorWorld();
});

const codeOf = (answer: { body: string }): string => JSON.parse(answer.body).error?.code;

/** Everything that lasts or is shown, but for the vault itself. */
function traces(...answers: readonly object[]): string {
  return JSON.stringify([world.lines, world.announced, world.attribution.all, [...world.door.nonces.values()], answers]);
}

function nothingWasStored(): void {
  expect(world.vault.names).toEqual([]);
  expect(world.announced).toEqual([]);
}

describe('B4 a sealed key', () => {
  it('is validated at the provider, vaulted as provisioning does, recorded and announced', async () => {
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, canary) });
    expect(answer.statusCode).toBe(200);
    const body = JSON.parse(answer.body);
    expect(body).toEqual({
      credentialId: id,
      provider: 'anthropic',
      environment: 'production',
      status: 'active',
      version: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(world.asked).toEqual([`anthropic ${canary}`]);
    expect(world.vault.valueOf(secretName)).toBe(canary);
    expect(await world.credential('acme', id)).toMatchObject({
      status: 'active',
      secretVersionId: body.version,
      leaseUntil: 0,
      announced: true,
      epoch: 3,
      secretMayExist: true,
    });
    expect(world.announced).toEqual([
      {
        type: 'CredentialProvisioned',
        detail: {
          version: 1,
          tenantId: 'acme',
          requestedBy: 'admin',
          credential: { credentialId: id, provider: 'anthropic', source: 'customer-supplied', environment: 'production', status: 'active' },
        },
      },
    ]);
    const of = {
      credentialId: id,
      provider: 'anthropic',
      actor: { function: 'door', userId: world.userIdOf('admin'), requestedBy: 'admin' },
    };
    expect(world.attribution.all).toMatchObject([
      { kind: 'INTENT', operation: 'provider.validate-key', ...of },
      { kind: 'OUTCOME', operation: 'provider.validate-key', outcome: { result: 'succeeded' } },
      { kind: 'INTENT', operation: 'vault.store-secret', ...of },
      { kind: 'OUTCOME', operation: 'vault.store-secret', outcome: { result: 'succeeded' }, credentialVersion: body.version },
    ]);
    expect(traces(answer)).not.toContain('canary');
  });

  it('of a credential in use becomes its next version', async () => {
    const first = await world.post(admin, id, { jwe: await world.seal(admin, id, canary) });
    const second = await world.post(admin, id, { jwe: await world.seal(admin, id, `${canary}-2`) });
    expect([first.statusCode, second.statusCode]).toEqual([200, 200]);
    expect(world.vault.valueOf(secretName)).toBe(`${canary}-2`);
    expect(world.vault.valueOf(secretName, 'AWSPREVIOUS')).toBe(canary);
    expect((await world.credential('acme', id))?.secretVersionId).toBe(JSON.parse(second.body).version);
  });

  it("of a dedicated tenant lies under that tenant's own key, in its own writer's vault", async () => {
    const answer = await world.post('admin-at-globex', id, { jwe: await world.seal('admin-at-globex', id, canary) });
    expect(answer.statusCode).toBe(200);
    expect(world.vaultOwners).toEqual([{ tenantId: 'globex', tier: 'dedicated', userId: undefined }]);
    const { tenantId, credentialId } = (await world.credential('globex', id)) ?? {};
    if (!tenantId || !credentialId) throw new Error('there is no such credential');
    expect(await world.vault.describe(tenantId, credentialId)).toMatchObject({ kmsKeyArn: dedicatedKeyArn, tags: { Tier: 'dedicated' } });
  });

  it('may come in base64, as API Gateway hands bodies over when all media types are binary', async () => {
    const body = Buffer.from(JSON.stringify({ jwe: await world.seal(admin, id, canary) })).toString('base64');
    expect(await world.post(admin, id, body, { isBase64Encoded: true })).toMatchObject({ statusCode: 200 });
  });
});

describe('B4 a key that the provider', () => {
  it('refuses is not stored, and the nonce is over', async () => {
    const jwe = await world.seal(admin, id, canary);
    world.answers('refused');
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([422, 'KEY_REFUSED']);
    nothingWasStored();
    expect(await world.credential('acme', id)).toMatchObject({ status: 'awaiting', leaseUntil: 0 });
    expect(world.attribution.all.at(-1)).toMatchObject({
      operation: 'provider.validate-key',
      outcome: { result: 'refused', code: 'KEY_REFUSED' },
    });
    world.answers('valid');
    expect(codeOf(await world.post(admin, id, { jwe }))).toBe('SUPPLY_NONCE_REFUSED');
    nothingWasStored();
    expect(traces(answer)).not.toContain('canary');
  });

  it('says nothing about is not stored', async () => {
    world.answers('unknown');
    const answer = await world.post(admin, id, { jwe: await world.seal(admin, id, canary) });
    expect([answer.statusCode, codeOf(answer)]).toEqual([502, 'PROVIDER_REFUSED']);
    nothingWasStored();
  });

  it('cannot be asked about is not stored, and the same ciphertext may be sent again at once', async () => {
    const jwe = await world.seal(admin, id, canary);
    world.answers(new CordonError('PROVIDER_UNAVAILABLE', 'anthropic did not answer', { retryable: true }));
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer), answer.headers?.['retry-after']]).toEqual([503, 'PROVIDER_UNAVAILABLE', '2']);
    nothingWasStored();
    world.answers('valid');
    expect(await world.post(admin, id, { jwe })).toMatchObject({ statusCode: 200 });
  });
});

describe('B4 a replay is refused', () => {
  it('once the ciphertext went through', async () => {
    const jwe = await world.seal(admin, id, canary);
    await world.post(admin, id, { jwe });
    const before = await world.credential('acme', id);
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'SUPPLY_NONCE_REFUSED']);
    expect(await world.credential('acme', id)).toEqual(before);
    expect(world.asked).toHaveLength(1);
  });

  it('by another ciphertext under the nonce of one that was interrupted', async () => {
    const given = await world.offer(admin);
    const sealed = (apiKey: string): Promise<string> =>
      sealSecret({ publicKey: given.keys[0] ?? {}, tenantId: 'acme', credentialId: id, nonce: given.nonce.value, secret: { apiKey } });
    world.answers(new CordonError('PROVIDER_UNAVAILABLE', 'anthropic did not answer', { retryable: true }));
    await world.post(admin, id, { jwe: await sealed(canary) });
    world.answers('valid');
    expect(codeOf(await world.post(admin, id, { jwe: await sealed(`${canary}-2`) }))).toBe('SUPPLY_NONCE_REFUSED');
    nothingWasStored();
  });

  it('of an interrupted supply once a newer key was supplied', async () => {
    const old = await world.seal(admin, id, canary);
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'after' });
    expect(await world.post(admin, id, { jwe: old })).toMatchObject({ statusCode: 503 });
    const newer = `${canary}-2`;
    expect(await world.post(admin, id, { jwe: await world.seal(admin, id, newer) })).toMatchObject({ statusCode: 200 });
    expect(codeOf(await world.post(admin, id, { jwe: old }))).toBe('SUPPLY_NONCE_REFUSED');
    expect(world.vault.valueOf(secretName)).toBe(newer);
  });

  it('of two at once: one goes through', async () => {
    const jwe = await world.seal(admin, id, canary);
    const answers = await Promise.all([world.post(admin, id, { jwe }), world.post(admin, id, { jwe })]);
    expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 409]);
    expect(world.asked).toHaveLength(1);
  });

  it('while a run that died may still be at it, and taken up once it cannot be', async () => {
    const jwe = await world.seal(admin, id, canary);
    world.faults.set({ call: 'vault.store', nth: 1, mode: 'crash' });
    await world.post(admin, id, { jwe });
    world.faults.restart();
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'CONFLICT']);
    expect(world.asked).toHaveLength(1);
    world.advance(30_000);
    expect(await world.post(admin, id, { jwe })).toMatchObject({ statusCode: 200 });
  });

  it.each<[string, (sealed: string) => Promise<string> | string]>([
    [
      'a nonce that has ended',
      (sealed) => {
        world.advance(10 * 60_000);
        return sealed;
      },
    ],
    ["another user's nonce", async () => world.seal('admin2-at-acme', id, canary)],
  ])('with %s', async (_what, given) => {
    const jwe = await given(await world.seal(admin, id, canary));
    const answer = await world.post(admin, id, { jwe });
    expect([answer.statusCode, codeOf(answer)]).toEqual([409, 'SUPPLY_NONCE_REFUSED']);
    expect(world.asked).toEqual([]);
    nothingWasStored();
  });
});

describe('B4 the same supply, sent again after an interruption at any point, converges', () => {
  it.each(['before', 'after', 'crash'] as const)('when a call fails (%s)', async (mode) => {
    const recorded = await createDoorWorld();
    const sealed = await recorded.seal(admin, id, canary);
    const start = recorded.faults.journal.length;
    await recorded.post(admin, id, { jwe: sealed });
    const points = recorded.faults.journal.slice(start);
    expect(points).toContain('door.settle');
    for (const [index, call] of points.entries()) {
      world = await createDoorWorld();
      const jwe = await world.seal(admin, id, canary);
      const nth = points.slice(0, index + 1).filter((one) => one === call).length;
      world.faults.set({ call, nth, mode });
      const first = await world.post(admin, id, { jwe });
      expect(world.faults.struck, `${call} ${nth}`).toBe(true);
      world.faults.restart();
      world.faults.set(undefined);
      // The lease of a run that died ends by itself; the nonce lasts longer.
      world.advance(60_000);
      // Whoever called a process that died has no answer.
      const again = first.statusCode === 200 && mode !== 'crash' ? first : await world.post(admin, id, { jwe });
      // It went through and only its answer was lost: then that is what the repetition is told.
      if (again.statusCode !== 200) expect(codeOf(again), `${call} ${nth}`).toBe('SUPPLY_NONCE_REFUSED');
      const item = await world.credential('acme', id);
      expect(item, `${call} ${nth}`).toMatchObject({ status: 'active', leaseUntil: 0, announced: true });
      expect(world.vault.valueOf(secretName), `${call} ${nth}`).toBe(canary);
      expect(world.vault.valueOf(secretName, 'AWSPREVIOUS'), `${call} ${nth}`).toBeUndefined();
      expect(traces(first, again)).not.toContain('canary');
    }
  });
});
