/** What runs every minute by the clock, the sweep among it, as the account's root sees it. */
import { z } from 'zod';
import type { LocalCloud } from '../../local/cloud.ts';
import { asRoot } from './ground-truth.ts';

const schedule = z.looseObject({ Arn: z.string(), CreationDate: z.date(), LastModificationDate: z.date() });

function schedulesOf(cloud: LocalCloud, logicalId = ''): Promise<z.infer<typeof schedule>[]> {
  const found = Object.entries(cloud.resources).filter(([id, { type }]) => type === 'AWS::Scheduler::Schedule' && id.startsWith(logicalId));
  return Promise.all(
    found.map(async ([, { physicalId: Name }]) => schedule.parse(await asRoot(cloud, 'scheduler', 'GetSchedule', { Name }))),
  );
}

/** When the sweep is to run next at or after `moment`, both in milliseconds of the cloud's clock. */
export async function nextSweep(cloud: LocalCloud, moment: number): Promise<number> {
  const [found] = await schedulesOf(cloud, 'Sweep');
  if (found === undefined) throw new Error('The stack has no schedule of the sweep.');
  const first = found.CreationDate.getTime();
  return first + Math.ceil((moment - first) / 60_000) * 60_000;
}

/**
 * Stops what runs by the clock for the rest of the file: where nothing gets due, all it would do is to read whole indexes at each move of the clock, and to count
 * among the calls that a fault is set on.
 *
 * @param logicalId how those begin that are meant
 */
export async function suspendSchedules(cloud: LocalCloud, logicalId = ''): Promise<void> {
  for (const { Arn: _arn, CreationDate: _created, LastModificationDate: _modified, ...settings } of await schedulesOf(cloud, logicalId))
    await asRoot(cloud, 'scheduler', 'UpdateSchedule', { ...settings, State: 'DISABLED' });
}
