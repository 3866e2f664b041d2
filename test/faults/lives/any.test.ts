import { afterAll, describe, expect, it } from 'vitest';
import { seeded } from '../sample.ts';
import { anyLife } from './any-life.ts';
import { openCampaign } from './campaign.ts';
import { livesSettings } from './settings.ts';
import { severalOf, wrongName } from './troubles.ts';

/** Long lives of several tenants side by side, in which the seed decides what happens, what goes wrong and what is delivered when. */

const { seed, count } = livesSettings(process.env);
const campaign = openCampaign(seed);
afterAll(() => campaign.close());

const most = { tenants: 4, acts: 24, troubles: 6 };

describe('R7 long lives, by chance', () => {
  for (let n = 0; n < Math.ceil(count / 4); n += 1) {
    const own = (seed + n) >>> 0;
    it(`SEED=${own}`, async () => {
      const random = seeded(own);
      const upTo = (limit: number): number => 1 + Math.floor(random() * limit);
      const kind = anyLife(1 + upTo(most.tenants - 1), 8 + upTo(most.acts - 8));
      const repeatBy = `to be repeated by SEED=${own} COUNT=1 npm run faults -- lives/any`;
      const clean = await campaign.run(kind, { seed: own });
      expect(clean.violations, repeatBy).toEqual([]);
      const troubles = severalOf(clean, upTo(most.troubles), random);
      const shuffled = random() < 0.5;
      const { violations } = await campaign.run(kind, { seed: own, troubles, shuffled });
      expect(violations, `${repeatBy}: ${troubles.map(wrongName).join(', ')}${shuffled ? ', in any order' : ''}`).toEqual([]);
    });
  }
});
