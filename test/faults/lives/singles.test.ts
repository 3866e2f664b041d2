import { afterAll, describe, expect, it } from 'vitest';
import { oneOf, seeded } from '../sample.ts';
import { openCampaign, recorded } from './campaign.ts';
import { livesSettings } from './settings.ts';
import { severalOf, wrongName } from './troubles.ts';

/** `npm run faults -- lives`: whole lives of tenants. Everything that can go wrong once, in each kind of life; and two things at once, by chance. */

const { seed, count, part } = livesSettings(process.env);
const campaign = openCampaign(seed);
const lives = await recorded(campaign, seed);
const all = [...lives].flatMap(([kind, { singles }]) =>
  singles.map((wrong) => ({ kind, wrong, title: `${kind.name}: ${wrongName(wrong)}` })),
);
const chosen = all.filter((_, index) => index % part.of === part.number - 1);
process.stdout.write(
  `${all.length} things can go wrong once in ${lives.size} kinds of lives with ${[...lives.values()].reduce((sum, { calls }) => sum + calls.length, 0)} calls; ${chosen.length} do now (SEED=${seed})\n`,
);
const repeatBy = (title: string): string => `to be repeated by SEED=${seed} npm run faults -- lives/singles -t "${title}"`;

afterAll(() => campaign.close());

describe('R7 a life in which nothing goes wrong', () => {
  it.each([...lives].map(([{ name }, lived]) => ({ name, ...lived })))(
    'leaves nothing to complain of: $name',
    ({ violations, putAside }) => {
      expect({ violations, putAside }).toEqual({ violations: [], putAside: [] });
    },
  );
});

describe('R7 a life in which one thing goes wrong', () => {
  for (const { kind, wrong, title } of chosen) {
    it(title, async () => {
      const { violations, spared } = await campaign.run(kind, { seed, troubles: [wrong] });
      expect({ violations, spared }, repeatBy(title)).toEqual({ violations: [], spared: [] });
    });
  }
});

describe('R7 a life in which two things go wrong', () => {
  for (let n = 0; n < count; n += 1) {
    const own = (seed + n) >>> 0;
    it(`pair of SEED=${own}`, async () => {
      const random = seeded(own);
      const kind = oneOf([...lives.keys()], random);
      const troubles = severalOf(lives.get(kind) ?? { calls: [], deliveries: [] }, 2, random);
      const { violations } = await campaign.run(kind, { seed, troubles });
      const what = `${kind.name}: ${troubles.map(wrongName).join(', and ')}`;
      expect(violations, `to be repeated by SEED=${own} COUNT=1 npm run faults -- lives/singles -t "pair of SEED=${own}": ${what}`).toEqual(
        [],
      );
    });
  }
});
