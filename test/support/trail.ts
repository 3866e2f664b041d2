/** A trail in the platform's account, and what the watch of it has found. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { watchCodes } from '../../functions/isolation/watch/finding.ts';
import { startTrail as startLocalTrail } from '../../local/trail.ts';
import type { TestCloud } from './cloud.ts';
import { pause } from './settle.ts';

const detail = z.looseObject({
  tenantId: z.string().optional(),
  reason: z.object({ code: z.string(), message: z.string() }),
  left: z.array(z.string()),
});

export interface Found {
  readonly code: string;
  readonly tenantId: string | undefined;
  readonly message: string;
  readonly left: readonly string[];
}

/** Until then CloudTrail's records go nowhere. */
export const startTrail = ({ cloud }: TestCloud): Promise<void> => startLocalTrail(cloud.kernel);

/** Every finding of the watch that is published, oldest first. */
export async function foundByWatch(test: TestCloud): Promise<readonly Found[]> {
  await pause(test.cloud);
  return (await test.published('IsolationViolationDetected'))
    .filter(({ detailType }) => detailType === 'IsolationViolationDetected')
    .map((one) => detail.parse(one.detail))
    .filter(({ reason }) => watchCodes.some((code) => code === reason.code))
    .map(({ tenantId, reason, left }) => ({ ...reason, tenantId, left }));
}

/** What is found of the call, after whatever was found before it. Rejects when nothing is. */
export async function foundOf(test: TestCloud, call: () => Promise<unknown>): Promise<readonly Found[]> {
  const before = (await foundByWatch(test)).length;
  await call();
  for (let looks = 0; looks < 100; looks += 1) {
    const since = (await foundByWatch(test)).slice(before);
    if (since.length > 0) return since;
    await sleep(20);
  }
  throw new Error('The watch has found nothing.');
}
