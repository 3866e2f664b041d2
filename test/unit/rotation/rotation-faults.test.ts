import { describe, expect, it } from 'vitest';
import type { FaultMode } from '../../contracts/fakes/faults.ts';
import { type Flow, flows, originals } from './rotation-faults.flows.ts';
import { acme, createRotationWorld, type RotationWorld } from './rotation-world.ts';

/** Worlds in which the key in force was dead for a moment. */
const dead = new WeakMap<RotationWorld, number>();

async function start(flow: Flow): Promise<RotationWorld> {
  const world = createRotationWorld();
  await world.onboard(flow.kind);
  originals.set(world, await world.item());
  if (flow.alwaysLive)
    world.watch(async () => {
      const item = await world.item();
      const secret = await world.vault.readVersion(acme, item.credentialId, item.secretVersionId ?? '');
      if (!world.fakeOf(item).live().includes(secret.reveal())) dead.set(world, item.version);
    });
  return world;
}

async function finish(flow: Flow, world: RotationWorld, mayDie = false): Promise<void> {
  await world.pass(90);
  await flow.check(world);
  if (!mayDie) expect(dead.get(world)).toBe(undefined);
}

/** Every call that the flow makes, by name and number. */
async function callsOf(flow: Flow): Promise<{ call: string; nth: number }[]> {
  const world = await start(flow);
  await flow.begin(world);
  await finish(flow, world);
  const counts = new Map<string, number>();
  return world.faults.journal.map((call) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth };
  });
}

const modes: readonly FaultMode[] = ['before', 'after', 'crash'];

describe.each(flows)('R7 a rotation $name', (flow) => {
  it('ends as it should', async () => {
    const world = await start(flow);
    await flow.begin(world);
    await finish(flow, world);
  });

  it.each(modes)('ends the same when any one call fails (%s)', async (mode) => {
    const calls = await callsOf(flow);
    expect(calls.length).toBeGreaterThan(2);
    for (const { call, nth } of calls) {
      const world = await start(flow);
      world.faults.set({ call, nth, mode });
      try {
        await flow.begin(world);
        await finish(flow, world);
        expect(world.faults.struck).toBe(true);
      } catch (error) {
        throw new Error(`${mode} ${call} ${nth}: ${String(error)}\n${world.lines.join('\n')}`, { cause: error });
      }
    }
  });

  it.each(['before', 'after'] as const)(
    'ends the same when another run comes while any one call is under way (%s it takes effect)',
    async (when) => {
      for (const { call, nth } of await callsOf(flow)) {
        const world = await start(flow);
        world.interrupt({ call, nth, when, work: () => world.sweep() });
        try {
          await flow.begin(world);
          await finish(flow, world);
          expect(world.interrupted).toBe(true);
        } catch (error) {
          throw new Error(`${when} ${call} ${nth}: ${String(error)}\n${world.lines.join('\n')}`, { cause: error });
        }
      }
    },
  );

  it.each(['before', 'after'] as const)(
    'ends the same when any one call stalls past the hold and others go on (%s it takes effect)',
    async (when) => {
      for (const { call, nth } of await callsOf(flow)) {
        for (const minutes of flow.stalls) {
          const world = await start(flow);
          const others = async (): Promise<void> => {
            world.advance(world.runMs);
            await world.pass(minutes);
          };
          world.interrupt({ call, nth, when, work: others });
          try {
            await flow.begin(world);
            // A slot is renewed in place: one call that reaches the provider only after another run has put its key into that slot ends it, and it is replaced at once.
            await finish(flow, world, call === 'provider.regenerateSlot' && when === 'before');
            expect(world.interrupted).toBe(true);
          } catch (error) {
            throw new Error(`${when} ${call} ${nth}, ${minutes} minutes: ${String(error)}\n${world.lines.join('\n')}`, { cause: error });
          }
        }
      }
    },
  );

  it('ends the same when every message is delivered twice', async () => {
    const world = await start(flow);
    const twice = {
      ...world,
      deliverUntilDone: async (body: string) => {
        await world.deliverUntilDone(body);
        await world.deliverUntilDone(body);
      },
    };
    await flow.begin(twice);
    await finish(flow, world);
  });
});
