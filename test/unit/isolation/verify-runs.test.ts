import { describe, expect, it } from 'vitest';
import { canaryIds } from '../../../functions/isolation/canaries.ts';
import { applyVerificationMessage } from '../../../functions/isolation/verify/apply-verification-message.ts';
import { createHandler } from '../../../functions/isolation/verify/verify.handler.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { acme, createIsolationWorld, type IsolationWorld, longEnough } from '../../contracts/fakes/isolation-world.ts';
import { platformEvent } from '../../contracts/fakes/platform-events.ts';

const message = (id: string, tenantId: string = acme) =>
  platformEvent('IsolationVerificationRequested', { version: 1, tenantId, requestedBy: 'test' }, { id });
const deliver = (world: IsolationWorld, body: string, receiveCount = 1): Promise<void> =>
  applyVerificationMessage(world.deps, { body, receiptHandle: 'r', receiveCount }, world.deps.clock() + 300_000);
const typesOf = (world: IsolationWorld) => world.announced.map(({ type }) => type);
const runOf = (world: IsolationWorld, id: string, tenantId: string = acme) => world.runs.get(`${tenantId} ${id}`);

describe('T1 a run of the isolation tests is run once for each event, whatever happens to the function', () => {
  it('tells once what it found, however often the event is delivered', async () => {
    const world = createIsolationWorld();
    for (let n = 0; n < 3; n += 1) await deliver(world, message('one'));
    expect(typesOf(world)).toEqual(['IsolationVerified']);
    expect(world.requested).toEqual(['RotationRequested']);
    expect(world.place()).toBeUndefined();
  });

  it('waits while another run has the place, and leaves it to that one', async () => {
    const world = createIsolationWorld();
    await world.deps.store.take('another', { now: world.deps.clock(), until: world.deps.clock() + 60_000 });
    await expect(deliver(world, message('one'))).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
    expect([world.delayed, world.place()?.holder, runOf(world, 'one')]).toEqual([[30], 'another', undefined]);
    world.advance(61_000);
    await deliver(world, message('one'), 2);
    expect(runOf(world, 'one')?.status).toBe('finished');
  });

  it.each([1, 3, 4])('comes to its end after it died at its write %i, with one rotation', async (n) => {
    const world = createIsolationWorld();
    world.dieAtWrite(n);
    await deliver(world, message('one')).catch((error: unknown) => {
      if (!(error instanceof CordonError)) throw error;
    });
    world.advance(61_000);
    await deliver(world, message('one'), 2);
    expect(runOf(world, 'one')).toMatchObject({ status: 'finished', announced: true, counts: { failed: 0, notVerified: 0 } });
    expect(typesOf(world).filter((type) => type === 'IsolationVerified').length).toBeGreaterThanOrEqual(1);
    expect(world.requested.length).toBe(1);
    expect(new Set(typesOf(world))).toEqual(new Set(['IsolationVerified']));
  });

  it('leaves the one test not verified that broke off, and plays the others', async () => {
    const world = createIsolationWorld();
    world.dieAtWrite(2);
    await deliver(world, message('one'));
    expect(world.found()['rotation-independence/could-be-run']).toBe('not-verified');
    expect(runOf(world, 'one')?.counts).toMatchObject({ failed: 0, notVerified: 1 });
    expect(world.requested).toEqual([]);
  });

  it('goes on with the rotation that it has asked for before it died', async () => {
    const world = createIsolationWorld();
    world.spoiled.rotationNeverEnds = true;
    const { signer } = world.deps;
    const dying = {
      ...world.deps,
      signer: { ...signer, sign: () => Promise.reject(new CordonError('AWS_UNAVAILABLE', 'died', { retryable: true })) },
    };
    const body = message('one');
    await expect(
      applyVerificationMessage(dying, { body, receiptHandle: 'r', receiveCount: 1 }, world.deps.clock() + 300_000),
    ).rejects.toMatchObject({ code: 'AWS_UNAVAILABLE' });
    expect(runOf(world, 'one')?.rotation?.versionBefore).toBe('version-1');
    world.spoiled.rotationNeverEnds = false;
    world.advance(400_000);
    await deliver(world, body, 2);
    expect(world.found()['rotation-independence/new-version-used']).toBe('passed');
    expect(world.requested.length).toBeLessThanOrEqual(2);
  });

  it('is given up after it broke off three times, and looks like it', async () => {
    const world = createIsolationWorld();
    const broken = {
      ...world.deps,
      signer: { ...world.deps.signer, sign: () => Promise.reject(new CordonError('AWS_UNAVAILABLE', 'died', { retryable: true })) },
    };
    const body = message('one');
    for (let n = 1; n <= 4; n += 1) {
      await applyVerificationMessage(broken, { body, receiptHandle: 'r', receiveCount: n }, world.deps.clock() + 300_000).catch(
        () => undefined,
      );
      world.advance(400_000);
    }
    expect([typesOf(world), world.putAside.length, runOf(world, 'one')?.status]).toEqual([['IsolationVerificationFailed'], 1, 'given-up']);
  });

  it('is refused, without a dead letter, when the tenant has just had one', async () => {
    const world = createIsolationWorld();
    await deliver(world, message('one'));
    world.advance(60_000);
    await deliver(world, message('two'));
    expect(world.announced.at(-1)).toMatchObject({
      type: 'IsolationVerificationFailed',
      detail: { tenantId: acme, event: { id: 'two' }, reason: { code: 'VERIFICATION_TOO_SOON' } },
    });
    expect([world.putAside, runOf(world, 'two'), world.place()]).toEqual([[], undefined, undefined]);
    await deliver(world, message('of-another', 'globex'));
    expect(runOf(world, 'of-another', 'globex')?.status).toBe('finished');
    world.advance(longEnough);
    await deliver(world, message('three'));
    expect(runOf(world, 'three')?.status).toBe('finished');
  });

  it('rotates the canary once an hour at most, and names the run that has seen it', async () => {
    const world = createIsolationWorld();
    await deliver(world, message('one'));
    world.advance(longEnough);
    await deliver(world, message('two'));
    expect(world.requested).toEqual(['RotationRequested']);
    expect(world.found()['rotation-independence/others-served']).toBe('passed');
    expect(runOf(world, 'two')?.result).toContain('by run one: ');
    world.advance(3_600_000);
    await deliver(world, message('three'));
    expect(world.requested).toEqual(['RotationRequested', 'RotationRequested']);
  });

  it('puts aside what is no such event, with the reason', async () => {
    const world = createIsolationWorld();
    for (const body of [
      'nothing',
      message('one').replace('"acme"', '"ACME"'),
      message('two').replace('cordon.platform', 'elsewhere'),
      message('no ID'),
    ])
      await deliver(world, body);
    expect([world.putAside.length, world.runs.size]).toEqual([4, 0]);
    expect(typesOf(world)).toEqual([
      'EventHandlingFailed',
      'IsolationVerificationFailed',
      'EventHandlingFailed',
      'IsolationVerificationFailed',
    ]);
  });

  it('tries nothing on a tenant when a canary itself is the one that asked', async () => {
    const world = createIsolationWorld();
    await deliver(world, message('daily', canaryIds.a));
    expect(Object.keys(world.found()).filter((id) => id.includes('/asked-'))).toEqual([]);
  });
});

describe('T1 every day', () => {
  it('the schedule asks for a run as everybody else does', async () => {
    const published: unknown[] = [];
    const handler = createHandler({
      consume: () => Promise.reject(new Error('nothing is to be consumed')),
      publish: async (type, detail) => {
        published.push([type, detail]);
        return 'event';
      },
    });
    await handler({ run: 'daily' }, { getRemainingTimeInMillis: () => 1000 });
    expect(published).toEqual([['IsolationVerificationRequested', { version: 1, tenantId: canaryIds.a, requestedBy: 'daily schedule' }]]);
  });
});
