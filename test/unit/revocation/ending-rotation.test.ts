import { describe, expect, it } from 'vitest';
import { requested } from '../rotation/rotation-events.ts';
import { day, type Kind, minute } from '../rotation/rotation-world.ts';
import { expectEnded } from './ending-cases.ts';
import { createEndingWorld, type EndingWorld } from './ending-world.ts';

interface Flow {
  readonly name: string;
  readonly kind: Kind;
  readonly begin: (world: EndingWorld) => Promise<unknown>;
}

const flows: readonly Flow[] = [
  { name: 'side by side', kind: 'overlap', begin: (world) => world.deliver(requested()) },
  { name: 'in two slots', kind: 'two-slot', begin: (world) => world.deliver(requested()) },
  { name: 'in an emergency', kind: 'overlap', begin: (world) => world.deliver(requested({ emergency: true })) },
  { name: 'in an emergency, in two slots', kind: 'two-slot', begin: (world) => world.deliver(requested({ emergency: true })) },
  {
    name: 'that is retired',
    kind: 'overlap',
    async begin(world) {
      await world.deliver(requested());
      await world.pass(20);
    },
  },
  {
    name: 'that is rolled back',
    kind: 'overlap',
    async begin(world) {
      await world.deliver(requested());
      await world.pass(2);
      await world.deliver(requested({ action: 'rollback' }));
    },
  },
  {
    name: 'with the customer’s next key',
    kind: 'customer-next',
    async begin(world) {
      world.advance(90 * day);
      await world.pass(1);
      // The door takes in nothing for what is revoked.
      if ((await world.item()).status === 'active') await world.supply('customer-2');
      await world.pass(2);
    },
  },
];

async function start({ kind }: Flow): Promise<EndingWorld> {
  const world = createEndingWorld();
  await world.onboard(kind);
  return world;
}

async function callsOf(flow: Flow): Promise<{ call: string; nth: number }[]> {
  const world = await start(flow);
  await flow.begin(world);
  const counts = new Map<string, number>();
  return world.faults.journal.map((call) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth };
  });
}

/** Carries the flow on, as far as it goes, and lets the customer revoke what is the customer's. */
async function finish(flow: Flow, world: EndingWorld, what: string): Promise<void> {
  try {
    await flow.begin(world);
    expect(world.interrupted).toBe(true);
    await world.settle(5);
    world.customerKeys.clear();
    await world.settle(120);
    // A request that comes when it is revoked is refused; nothing else may be put aside.
    expect(world.deadLetters.every(({ code }) => code === 'EVENT_CONTRADICTS')).toBe(true);
    world.deadLetters.splice(0);
    await expectEnded(world, { name: flow.name, prepare: flow.begin, confirmedBy: 'provider' });
  } catch (error) {
    throw new Error(`${what}: ${String(error)}\n${world.lines.join('\n')}`, { cause: error });
  }
}

// Dozens of worlds each.
describe.each(flows)('X3 R7 a credential that is revoked in the middle of a rotation $name', { timeout: 30_000 }, (flow) => {
  it.each(['before', 'after'] as const)('ends with every key dead, whichever call is under way (%s it takes effect)', async (when) => {
    const calls = await callsOf(flow);
    expect(calls.length).toBeGreaterThan(5);
    for (const { call, nth } of calls) {
      const world = await start(flow);
      world.interrupt({ call, nth, when, work: async () => void (await world.revoke()) });
      await finish(flow, world, `${when} ${call} ${nth}`);
    }
  });

  it.each(['before', 'after'] as const)('ends the same when it is ended at once beside the rotation (%s it takes effect)', async (when) => {
    for (const { call, nth } of await callsOf(flow)) {
      const world = await start(flow);
      world.interrupt({
        call,
        nth,
        when,
        async work() {
          await world.revoke();
          await world.run();
        },
      });
      await finish(flow, world, `${when} ${call} ${nth}`);
    }
  });

  it('ends the same when the rotation is held up until all is over', async () => {
    for (const { call, nth } of await callsOf(flow)) {
      const world = await start(flow);
      world.interrupt({
        call,
        nth,
        when: 'before',
        async work() {
          await world.revoke();
          world.advance(world.runMs + 3 * minute);
          await world.settle(2);
          world.customerKeys.clear();
          await world.settle(80);
        },
      });
      await finish(flow, world, `late ${call} ${nth}`);
    }
  });

  it('ends the same when the rotation dies', async () => {
    for (const { call, nth } of await callsOf(flow)) {
      const world = await start(flow);
      world.faults.set({ call, nth, mode: 'crash' });
      await flow.begin(world).catch((error: unknown) => {
        if (!/died|dead process/.test(String(error))) throw error;
      });
      world.faults.restart();
      world.faults.set(undefined);
      await world.revoke();
      await finish({ ...flow, begin: async () => undefined }, world, `dead ${call} ${nth}`);
    }
  });
});
