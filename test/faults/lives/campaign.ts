/** Lives one after the other, in a world that is made anew once in a while, or when one of them has ended badly. */
import { type Kind, kinds } from './kinds.ts';
import { type Lived, play, type Wrong } from './play.ts';
import { singlesOf, wrongName } from './troubles.ts';
import { type LifeWorld, openWorld } from './world.ts';

export interface Campaign {
  /** One life. Rejects when the world itself fails. */
  run(kind: Kind, script: { readonly seed: number; readonly troubles?: readonly Wrong[]; readonly shuffled?: boolean }): Promise<Lived>;
  close(): Promise<void>;
}

/** What is kept in memory of each life adds up. */
const livesPerWorld = 120;
const progressEvery = 100;

/** @param seed of the first lives of each world, which nothing is asked of */
export function openCampaign(seed: number): Campaign {
  let world: LifeWorld | undefined;
  /** In which a life is lived. */
  let inUse: LifeWorld | undefined;
  let lives = 0;
  let run = 0;
  let calls = 0;
  const begun = performance.now();

  async function close(): Promise<void> {
    const ending = world;
    world = undefined;
    await ending?.close();
  }

  /** A policy has as many versions as IAM keeps only after some writes: from then on each life makes the same calls. */
  async function warmWorld(): Promise<LifeWorld> {
    const made = await openWorld(seed);
    lives = 0;
    for (const [n, kind] of kinds.entries()) await play(made, { seed, troubles: [], live: (life) => kind.live(life, `warm-${n}`) });
    return made;
  }

  return {
    async run(kind, { seed: own, troubles = [], shuffled = false }) {
      // The life before has not come to its end, and its test has given up on it.
      if (inUse !== undefined) await close();
      world ??= await warmWorld();
      const here = world;
      inUse = here;
      lives += 1;
      run += 1;
      const name = `t${lives}`;
      let lived: Lived;
      try {
        lived = await play(here, { seed: own, troubles, shuffled, live: (life) => kind.live(life, name) });
      } catch (error) {
        if (world === here) await close();
        throw error;
      } finally {
        if (inUse === here) inUse = undefined;
      }
      calls += lived.calls.length;
      if (run % progressEvery === 0) {
        const seconds = Math.round((performance.now() - begun) / 1000);
        process.stdout.write(
          `${run} lives with ${calls} calls in ${seconds} s, last: ${kind.name}, ${troubles.map(wrongName).join(', ')}\n`,
        );
      }
      // For the reader of the failure.
      if (lived.violations.length > 0) process.stdout.write(`${lived.lines.join('\n')}\n`);
      if (world === here && (lives >= livesPerWorld || lived.violations.length > 0)) await close();
      return lived;
    },
    close,
  };
}

/** A life of each kind in which nothing goes wrong, and everything that can go wrong in it. */
export async function recorded(
  campaign: Campaign,
  seed: number,
): Promise<ReadonlyMap<Kind, Lived & { readonly singles: readonly Wrong[] }>> {
  const found = new Map<Kind, Lived & { readonly singles: readonly Wrong[] }>();
  for (const kind of kinds) {
    const lived = await campaign.run(kind, { seed });
    found.set(kind, { ...lived, singles: singlesOf(lived) });
  }
  return found;
}
