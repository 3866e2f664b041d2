import { Command } from 'commander';
import { z } from 'zod';
import { waiting, withTimeout } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { everPublished, throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader, type RegistryReader } from '../platform/registry-reader.ts';
import { type Requested, requestedSince, tellAgain } from '../platform/request-log.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { tableLines } from '../table.ts';

const instant = z.iso
  .datetime({ offset: true, error: 'must be a time such as 2026-11-21T12:00:00Z' })
  .transform((text) => Date.parse(text));
const replayed = z.object({ since: instant, dryRun: z.boolean().default(false), timeout: waiting.shape.timeout });

/** What became of an event that was told again. `given`: its worker has it, and leaves no item of its own to look at. */
type Outcome = 'in force' | 'given' | 'open' | `refused ${string}`;
/** An event is in the log some time after it was sent; one that is told again in vain changes nothing. */
const marginMs = 15 * 60_000;
/** Of these the registry has an item under the event's ID once they are in force. */
const withItem: ReadonlySet<string> = new Set([
  'RevocationRequested',
  'TenantOffboarded',
  'UserOffboarded',
  'AccessSuspended',
  'AccessReinstated',
]);

export function restoreCommand(handle: Handle): Command {
  const command = new Command('restore').description('after the registry was restored to an earlier point in time');
  withTimeout(
    command
      .command('replay')
      .description('tell the registry everything again that was revoked, suspended or ended since; what it knows is not done twice')
      .requiredOption('--since <time>', 'the point in time that the registry was restored to')
      .option('--dry-run', 'say what would be told again, and send nothing'),
    900,
  ).action(handle(replayed, replay));
  return command;
}

async function replay(context: Context, { since, dryRun, timeout }: z.infer<typeof replayed>): Promise<Answer> {
  const cloud = await context.cloud();
  const requests = await requestedSince(cloud, since - marginMs);
  const replaced = await replacedSince(cloud, since);
  context.note(`${requests.length} event(s) since ${new Date(since).toISOString()}`);
  if (dryRun) return answerOf(requests, new Map(), replaced);
  const outcomes = await tellInOrder(context, cloud, requests, timeout);
  const answer = answerOf(requests, outcomes, replaced);
  if (outcomes.size < requests.length) {
    context.note(`Not all of them are dealt with after ${timeout} seconds. Do not open the cell yet: run the same command again.`);
    return { ...answer, exitCode: exitCodes.timedOut };
  }
  const refused = [...outcomes.values()].some((outcome) => outcome.startsWith('refused'));
  if (refused) context.note('Some were refused: the reason is in `cordon dlq list`. Look at each before you open the cell.');
  return { ...answer, exitCode: refused ? exitCodes.failed : exitCodes.ok };
}

/**
 * Tells a tenant's events one after the other, each when the one before is in force: a reinstatement that overtakes its suspension would have nothing to end. Tenants
 * do not wait for each other.
 */
async function tellInOrder(
  context: Context,
  cloud: Cloud,
  requests: readonly Requested[],
  seconds: number,
): Promise<ReadonlyMap<string, Outcome>> {
  const { now } = await cloud.caller();
  const registry = createRegistryReader(cloud);
  const outcomes = new Map<string, Outcome>();
  const told = new Set<string>();
  await until(context.io, seconds, async () => {
    const before = outcomes.size;
    for (const request of requests.filter(({ eventId }) => told.has(eventId) && !outcomes.has(eventId))) {
      const outcome = await outcomeOf(cloud, registry, request, now);
      if (outcome !== 'open') outcomes.set(request.eventId, outcome);
    }
    const next = new Map<string, Requested>();
    for (const request of requests) if (!outcomes.has(request.eventId) && !next.has(request.tenantId)) next.set(request.tenantId, request);
    const untold = [...next.values()].filter(({ eventId }) => !told.has(eventId));
    await tellAgain(cloud, untold);
    for (const { eventId } of untold) told.add(eventId);
    if (outcomes.size > before) context.note(`${outcomes.size} of ${requests.length} dealt with`);
    return next.size === 0 ? true : undefined;
  });
  return outcomes;
}

async function outcomeOf(cloud: Cloud, registry: RegistryReader, { eventId, type, tenantId }: Requested, at: number): Promise<Outcome> {
  if (!withItem.has(type)) return 'given';
  if ((await registry.revocation(tenantId, eventId)) !== undefined) return 'in force';
  try {
    await throwIfFailed(cloud, { eventId, at });
    return 'open';
  } catch (error) {
    // What was refused is told with the rest, not instead of it.
    if (error instanceof CommandError) return `refused ${error.code}`;
    throw error;
  }
}

const rotated = z.looseObject({ tenantId: z.string(), credentialId: z.string() });
type Replaced = Pick<z.infer<typeof rotated>, 'tenantId' | 'credentialId'>;

/** Credentials whose key was replaced since: the registry has forgotten the one in force, and names one that is dead or soon will be. */
async function replacedSince(cloud: Cloud, since: number): Promise<readonly Replaced[]> {
  const found = new Map<string, Replaced>();
  for (const { detail } of await everPublished(cloud, 'CredentialRotated', since)) {
    const { tenantId, credentialId } = rotated.parse(detail);
    found.set(`${tenantId} ${credentialId}`, { tenantId, credentialId });
  }
  return [...found.values()];
}

function answerOf(requests: readonly Requested[], outcomes: ReadonlyMap<string, Outcome>, replaced: readonly Replaced[]): Answer {
  const events = requests.map(({ eventId, type, time, tenantId }) => ({ eventId, type, time, tenantId, outcome: outcomes.get(eventId) }));
  return {
    json: { events, replacedSince: replaced },
    lines: [
      ...tableLines(
        ['SENT', 'TENANT', 'WHAT', 'EVENT', 'OUTCOME'],
        events.map(({ time, tenantId, type, eventId, outcome }) => [time, tenantId, type, eventId, outcome]),
      ),
      ...(replaced.length === 0
        ? []
        : ['', 'Replaced since, so that the registry names a key that is not in force any more: revoke and request anew']),
      ...(replaced.length === 0
        ? []
        : tableLines(
            ['TENANT', 'CREDENTIAL'],
            replaced.map(({ tenantId, credentialId }) => [tenantId, credentialId]),
          )),
    ],
  };
}
