import { describe, expect, it } from 'vitest';
import { CordonError } from '../../../functions/shared/errors.ts';
import { acme, type ByocWorld, createByocWorld, customer, disconnection, found, request } from '../../contracts/fakes/byoc-world.ts';
import type { FaultMode } from '../../contracts/fakes/faults.ts';

type Flow = readonly [name: string, run: (world: ByocWorld) => Promise<void>, check: (world: ByocWorld) => Promise<void>];

async function expectOnlyTold(world: ByocWorld, types: readonly string[]): Promise<void> {
  expect([...new Set(world.announced.map(({ type }) => type))]).toEqual(types);
  expect(world.deadLetters).toEqual([]);
  for (const item of world.connections.all) expect(item).toMatchObject({ announced: true, setbacks: 0, leaseUntil: 0 });
}

/** Each ends the same way wherever one call fails, loses its answer, or takes the process with it. */
const flows: readonly Flow[] = [
  [
    'a request that is verified',
    async (world) => {
      const message = request();
      await world.deliverUntilDone(message);
      world.role(found.sound);
      await world.pass(20);
    },
    async (world) => {
      await expectOnlyTold(world, ['RoleConnectionOffered', 'RoleConnectionVerified']);
      expect(await world.connection()).toMatchObject({ status: 'active', roleId: 'AROA1' });
      const tenant = await world.registry.tenant(acme);
      expect(tenant?.rules).toHaveLength(1);
      expect(tenant?.rulesVersion).toBe(1);
      expect(await world.registry.credentials(acme)).toHaveLength(1);
    },
  ],
  [
    'a request that is rejected',
    async (world) => {
      await world.deliverUntilDone(request());
      world.role(found.unsound('EXTERNAL_ID_NOT_REQUIRED'));
      await world.pass(20);
    },
    async (world) => {
      await expectOnlyTold(world, ['RoleConnectionOffered', 'RoleConnectionRejected']);
      const item = await world.connection();
      expect(item).toMatchObject({ status: 'rejected' });
      expect(item?.roleArn).toBeUndefined();
      expect(item?.dueAt).toBeUndefined();
    },
  ],
  [
    'a connection that is ended',
    async (world) => {
      await world.deliverUntilDone(request());
      await world.deliverUntilDone(disconnection(60));
      await world.pass(20);
    },
    async (world) => {
      expect(await world.connection()).toMatchObject({ status: 'disconnected', announced: true });
      expect((await world.connection())?.dueAt).toBeUndefined();
      expect(world.ofType('RoleConnectionEnded').length).toBeGreaterThan(0);
      expect(world.deadLetters).toEqual([]);
    },
  ],
  [
    'a connection that is asked for anew',
    async (world) => {
      world.role(found.sound);
      await world.deliverUntilDone(request());
      await world.pass(8);
      await world.deliverUntilDone(request({ services: ['bedrock', 's3'] }, 600));
      await world.pass(20);
    },
    async (world) => {
      await expectOnlyTold(world, ['RoleConnectionOffered', 'RoleConnectionVerified']);
      expect(await world.connection()).toMatchObject({ status: 'active', services: ['bedrock', 's3'] });
      expect((await world.registry.credentials(acme)).map((item) => item.status)).toEqual(['recorded', 'recorded']);
      expect((await world.registry.tenant(acme))?.rules).toHaveLength(2);
    },
  ],
];

async function start(): Promise<ByocWorld> {
  const world = createByocWorld();
  await world.onboard();
  return world;
}

describe.each(flows)('%s', (_name, run, check) => {
  it.each<FaultMode>(['before', 'after', 'crash'])('comes to the same end with a fault of mode %s at any one call', async (mode) => {
    const plain = await start();
    await run(plain);
    await check(plain);
    const externalId = (await plain.connection())?.externalId;
    expect(plain.faults.journal.length).toBeGreaterThan(10);
    const seen = new Map<string, number>();
    for (const call of plain.faults.journal) {
      const nth = (seen.get(call) ?? 0) + 1;
      seen.set(call, nth);
      const world = await start();
      world.faults.set({ call, nth, mode });
      try {
        await run(world);
        expect(world.faults.struck).toBe(true);
        await check(world);
        expect((await world.connection())?.externalId).toMatch(/^cordon-/);
      } catch (error) {
        throw new Error(`fault ${mode} at ${call} #${nth}`, { cause: error });
      }
    }
    expect(externalId).toMatch(/^cordon-/);
  });
});

describe('deliveries that run side by side', () => {
  it('of one request make one connection', async () => {
    const world = await start();
    const message = request();
    const done = await Promise.all([world.deliver(message), world.deliver(message), world.deliver(message)]);
    expect(done).toContain(true);
    await world.deliverUntilDone(message);
    expect(world.connections.all).toHaveLength(1);
    expect(world.ofType('RoleConnectionOffered')).toHaveLength(1);
  });

  it('of what is due probe once', async () => {
    const world = await start();
    await world.deliver(request());
    const [message = ''] = world.dueMessages();
    await Promise.all([world.deliver(message), world.deliver(message), world.deliver(message)]);
    await world.deliver(message, 2);
    expect(world.probes).toHaveLength(1);
  });
});

describe('what is due', () => {
  it('is left alone by a message of an earlier time, and by one of a connection that does not exist', async () => {
    const world = await start();
    await world.deliver(request());
    const [stale = ''] = world.dueMessages();
    await world.pass(1);
    // Due again by now, and not at the time that the message says.
    world.advance(5);
    const before = world.probes.length;
    expect(world.dueMessages()).toHaveLength(1);
    expect(await world.deliver(stale)).toBe(true);
    expect(await world.deliver(stale.replace(customer, '777788889999'))).toBe(true);
    expect(world.probes).toHaveLength(before);
  });

  it.each([
    ['of another kind of item', { sk: 'CREDENTIAL#x' }],
    ['of another version', { version: 2 }],
    ['with more than it should say', { externalId: 'x' }],
    ['of no tenant', { tenantId: 'Acme' }],
  ])('%s goes aside', async (_what, over) => {
    const world = await start();
    const message = { version: 1, kind: 'due', tenantId: 'acme', sk: `CONNECTION#${customer}`, dueAt: 1, ...over };
    expect(await world.deliver(JSON.stringify(message))).toBe(true);
    expect(world.deadLetters).toMatchObject([{ code: 'EVENT_INVALID' }]);
  });

  it('and cannot be reached for a while troubles nobody: the sweep comes back to it', async () => {
    const world = await start();
    await world.deliver(request());
    const { openStores } = world.deps;
    world.deps.openStores = () => Promise.reject(new CordonError('AWS_UNAVAILABLE', 'STS is away', { retryable: true }));
    await world.pass(30);
    expect(world.deadLetters).toEqual([]);
    world.deps.openStores = openStores;
    await world.pass(1);
    expect(world.probes).toHaveLength(1);
  });

  it('and fails for good is told to an operator each hour, not each minute', async () => {
    const world = await start();
    await world.deliver(request());
    const connections = (await world.deps.openStores(acme)).connections;
    const { connection } = connections;
    connections.connection = () => Promise.reject(new CordonError('ITEM_NOT_UNDERSTOOD', 'what is that', { retryable: true }));
    const [message = ''] = world.dueMessages();
    expect(await world.deliver(message)).toBe(false);
    expect(await world.deliver(message, world.maxReceiveCount)).toBe(true);
    expect(world.deadLetters).toMatchObject([{ code: 'ITEM_NOT_UNDERSTOOD' }]);
    expect(world.ofType('RoleConnectionFailed')).toMatchObject([{ tenantId: 'acme', event: { detailType: 'due' } }]);
    expect(world.dueMessages()).toEqual([]);
    connections.connection = connection;
    await world.pass(59);
    expect(world.probes).toEqual([]);
    await world.pass(1);
    expect(world.probes).toHaveLength(1);
  });

  it('and refused by IAM is told at once, as the violation it is', async () => {
    const world = await start();
    await world.deliver(request());
    world.deps.sign = () => Promise.reject(new CordonError('ACCESS_REFUSED', 'signing evidence was refused by IAM'));
    world.role(found.sound);
    await world.pass(1);
    expect(world.ofType('IsolationViolationDetected')).toMatchObject([{ tenantId: 'acme', reason: { code: 'ACCESS_REFUSED' } }]);
    expect(world.deadLetters).toHaveLength(1);
    await world.pass(59);
    expect(world.deadLetters).toHaveLength(1);
    expect((await world.connection())?.status).toBe('pending');
  });

  it('and does not succeed for long is told after the fifth time', async () => {
    const world = await start();
    await world.deliver(request());
    world.deps.sign = () => Promise.reject(new CordonError('AWS_UNAVAILABLE', 'KMS is away', { retryable: true }));
    world.role(found.sound);
    await world.pass(9);
    expect(world.deadLetters).toEqual([]);
    await world.pass(15);
    expect(world.deadLetters).toMatchObject([{ code: 'AWS_UNAVAILABLE' }]);
    expect(world.ofType('IsolationViolationDetected')).toEqual([]);
  });
});
