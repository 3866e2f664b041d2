import { describe, expect, it } from 'vitest';
import type { FaultMode } from '../../contracts/fakes/faults.ts';
import { minute } from '../rotation/rotation-world.ts';
import { type EndingCase, endingCases, expectEnded } from './ending-cases.ts';
import { createEndingWorld, type EndingWorld } from './ending-world.ts';

async function start(of: EndingCase): Promise<EndingWorld> {
  const world = createEndingWorld();
  await of.prepare(world);
  world.faults.set(undefined);
  return world;
}

async function end(of: EndingCase, world: EndingWorld): Promise<void> {
  await world.settle(1);
  await of.after?.(world);
  await world.settle(150);
  await expectEnded(world, of);
}

/** Every call that ending it makes, by name and number. */
async function callsOf(of: EndingCase): Promise<{ call: string; nth: number }[]> {
  const world = await start(of);
  const before = world.faults.journal.length;
  await world.revoke();
  await end(of, world);
  const counts = new Map<string, number>();
  return world.faults.journal.slice(before).map((call) => {
    const nth = (counts.get(call) ?? 0) + 1;
    counts.set(call, nth);
    return { call, nth };
  });
}

function told(what: string, world: EndingWorld, error: unknown): Error {
  return new Error(`${what}: ${String(error)}\n${world.lines.join('\n')}`, { cause: error });
}

const modes: readonly FaultMode[] = ['before', 'after', 'crash'];

// Hundreds of worlds each.
describe.each(endingCases)('X3 a revoked credential $name', { timeout: 30_000 }, (of) => {
  it('ends with every key dead, shown to be so, and nothing stored', async () => {
    const world = await start(of);
    await world.revoke();
    await end(of, world);
  });

  it.each(modes)('ends the same when any one call fails (%s)', async (mode) => {
    const calls = await callsOf(of);
    expect(calls.length).toBeGreaterThan(1);
    for (const { call, nth } of calls) {
      const world = await start(of);
      await world.revoke();
      world.faults.set({ call, nth, mode });
      try {
        await end(of, world);
        expect(world.faults.struck).toBe(true);
      } catch (error) {
        throw told(`${mode} ${call} ${nth}`, world, error);
      }
    }
  });

  it.each(['before', 'after'] as const)(
    'ends the same when another run comes while any one call is under way (%s it takes effect)',
    async (when) => {
      for (const { call, nth } of await callsOf(of)) {
        const world = await start(of);
        await world.revoke();
        world.interrupt({ call, nth, when, work: () => world.run() });
        try {
          await end(of, world);
          expect(world.interrupted).toBe(true);
        } catch (error) {
          throw told(`${when} ${call} ${nth}`, world, error);
        }
      }
    },
  );

  it('ends the same when any one call stalls for long and others go on', async () => {
    for (const { call, nth } of await callsOf(of)) {
      const world = await start(of);
      await world.revoke();
      world.interrupt({
        call,
        nth,
        when: 'before',
        async work() {
          world.advance(40 * minute);
          await world.settle(2);
        },
      });
      try {
        await end(of, world);
      } catch (error) {
        throw told(`stalled ${call} ${nth}`, world, error);
      }
    }
  });
});
