import { afterAll, describe, expect, it } from 'vitest';
import { onboard } from '../faults/lives/acts.ts';
import { anyLife } from '../faults/lives/any-life.ts';
import { credential, type Kind, kinds, tenant } from '../faults/lives/kinds.ts';
import { play } from '../faults/lives/play.ts';
import { sabotages } from '../faults/lives/sabotage.ts';
import { severalOf, singlesOf, wrongName } from '../faults/lives/troubles.ts';
import { openWorld } from '../faults/lives/world.ts';
import { campaignSettings, oneOf, seeded } from '../faults/sample.ts';

/** A few of the lives that `npm run faults -- lives` lives by the thousand: `docs/faults.md`. */

const seed = 20;
const world = await openWorld(seed);
afterAll(() => world.close());
let lives = 0;

const live = (kind: Kind, script: Partial<Parameters<typeof play>[1]> = {}) => {
  lives += 1;
  const name = `l${lives}`;
  return play(world, { seed, troubles: [], ...script, live: (life) => kind.live(life, name) });
};

describe('R7 whole lives of tenants', () => {
  it.each(kinds.map((kind) => ({ name: kind.name, kind })))(
    'leave nothing to complain of, and one thing going wrong leaves nothing either: $name',
    async ({ kind }) => {
      const clean = await live(kind);
      expect({ violations: clean.violations, putAside: clean.putAside, spared: clean.spared }).toEqual({
        violations: [],
        putAside: [],
        spared: [],
      });
      const wrong = oneOf(singlesOf(clean), seeded(seed + lives));
      const { violations } = await live(kind, { troubles: [wrong] });
      expect(violations, wrongName(wrong)).toEqual([]);
    },
  );

  it('are the same from the same seed, call by call', async () => {
    const [kind] = kinds;
    if (kind === undefined) throw new Error('Nobody lives.');
    const { calls, deliveries, digest } = await live(kind);
    expect(calls.length).toBeGreaterThan(300);
    expect(deliveries.length).toBeGreaterThan(8);
    expect((await live(kind)).digest).toBe(digest);
  });

  it('leave nothing to complain of by chance', async () => {
    const { seed: own } = campaignSettings(process.env);
    const repeatBy = `to be repeated by SEED=${own} npm test -- integration/lives`;
    const random = seeded(own);
    const clean = await live(anyLife(2, 6), { seed: own });
    expect(clean.violations, repeatBy).toEqual([]);
    const troubles = severalOf(clean, 3, random);
    const { violations } = await live(anyLife(2, 6), { seed: own, troubles });
    expect(violations, `${repeatBy}: ${troubles.map(wrongName).join(', ')}`).toEqual([]);
  });
});

describe('R7 what must not be in a life', () => {
  it.each(sabotages)('is noticed: $what', async ({ plant, noticed }) => {
    const { violations } = await live({
      name: 'sabotaged',
      async live(life, name) {
        const main = credential({ credentialId: 'main', provider: 'openai' });
        const one = tenant(name, 'pool', [main]);
        await onboard(life, one);
        await plant(life, one, main);
      },
    });
    expect(violations).toEqual(expect.arrayContaining([expect.stringMatching(noticed)]));
  });
});
