import { Command } from 'commander';
import { z } from 'zod';
import { eventEnvelope } from '../../functions/shared/event-envelope.ts';
import { confirmed, waiting, withConfirmation, withWaiting } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes, usageError } from '../command-error.ts';
import { plainText } from '../plain-text.ts';
import { type DeadLetter, readDeadLetters, startRedrive } from '../platform/dead-letters.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { fieldLines } from '../table.ts';
import { timeOf } from '../views/times.ts';

const queue = z.string().optional();
const limit = z
  .string()
  .regex(/^[1-9]\d{0,3}$/, 'must be a whole number from 1 to 9999')
  .transform(Number);
const listed = z.object({ queue, limit });
const redriven = z.object({ queue, all: z.boolean().default(false), ...confirmed.shape, ...waiting.shape });

export function dlqCommand(handle: Handle): Command {
  const command = new Command('dlq').description('what could not be handled, and why');
  command
    .command('list [queue]')
    .description('dead letters of one worker, or of all; they stay where they are')
    .option('--limit <messages>', 'of each queue at most', '100')
    .action(handle(listed, list));
  withWaiting(
    withConfirmation(
      command
        .command('redrive [queue]')
        .description('hand a worker’s dead letters to it again, once their cause is gone')
        .option('--all', 'of every worker'),
    ),
    300,
  ).action(handle(redriven, redrive));
  return command;
}

/** @throws CommandError USAGE */
function queuesOf(
  { queues }: Cloud,
  name: string | undefined,
): readonly (readonly [name: string, urls: { readonly url: string; readonly dlqUrl: string }])[] {
  const all = Object.entries(queues).sort(([a], [b]) => (a < b ? -1 : 1));
  const chosen = name === undefined ? all : all.filter(([known]) => known === name);
  if (chosen.length > 0) return chosen;
  throw usageError(`There is no queue ${name}; there are ${all.map(([known]) => known).join(', ')}.`);
}

async function list(context: Context, input: z.infer<typeof listed>): Promise<Answer> {
  const cloud = await context.cloud();
  const read = queuesOf(cloud, input.queue).map(async ([name, { dlqUrl }]) =>
    (await readDeadLetters(cloud, dlqUrl, input.limit)).map((letter) => letterView(name, letter)),
  );
  const letters = (await Promise.all(read)).flat();
  return { json: { letters }, lines: letters.length === 0 ? ['Nothing.'] : letters.flatMap((letter) => [...letterLines(letter), '']) };
}

const about = z.looseObject({ tenantId: z.string() });

function letterView(name: string, { messageId, sentAt, reason, body }: DeadLetter) {
  const event = eventEnvelope.safeParse(jsonOf(body));
  const { id, time, 'detail-type': detailType, detail } = event.success ? event.data : {};
  return {
    queue: name,
    messageId,
    since: timeOf(sentAt),
    reason,
    eventId: id,
    detailType,
    eventTime: time,
    tenantId: about.safeParse(detail).data?.tenantId,
    body,
  };
}

function letterLines({
  queue: name,
  messageId,
  since,
  reason,
  eventId,
  detailType,
  tenantId,
  body,
}: ReturnType<typeof letterView>): readonly string[] {
  const why = reason === undefined ? 'none given: the worker did not live to say it, see its log' : `${reason.code}: ${reason.message}`;
  return [
    ...fieldLines({ ...{ queue: name, message: messageId, since, reason: why, event: eventId, type: detailType, tenant: tenantId } }),
    // As it came: a body that is no JSON is one reason to lie here.
    `  ${plainText(body)}`,
  ];
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Then it is no event, which is what the schema says.
    return undefined;
  }
}

async function redrive(context: Context, input: z.infer<typeof redriven>): Promise<Answer> {
  if ((input.queue === undefined) !== input.all) throw usageError('Name one queue, or --all.');
  const cloud = await context.cloud();
  const chosen = queuesOf(cloud, input.queue);
  await confirm(context, `Hand all dead letters of ${chosen.map(([name]) => name).join(', ')} to their worker(s) again?`, input);
  const outcomes: { queue: string; status: string; moved: number; failureReason: string | undefined }[] = [];
  for (const [name, urls] of chosen) {
    const look = await startRedrive(cloud, urls);
    let latest = await look();
    if (input.wait)
      await until(context.io, input.timeout, async () => {
        if (latest.status === 'running') latest = await look();
        return latest.status === 'running' ? undefined : latest;
      });
    context.note(`${name}: ${latest.status}, ${latest.moved} moved`);
    outcomes.push({ queue: name, ...latest });
  }
  const failed = outcomes.find(({ status }) => status === 'failed');
  if (failed !== undefined)
    throw new CommandError(
      'REDRIVE_FAILED',
      `${failed.queue}: the redrive failed after ${failed.moved} message(s): ${failed.failureReason ?? 'no reason given'}.`,
    );
  const running = input.wait && outcomes.some(({ status }) => status === 'running');
  return {
    json: { redriven: outcomes },
    lines: outcomes.map(({ queue: name, status, moved }) => `${name}: ${status}, ${moved} moved`),
    exitCode: running ? exitCodes.timedOut : exitCodes.ok,
  };
}

async function confirm({ io }: Context, question: string, { yes }: { readonly yes: boolean }): Promise<void> {
  if (yes) return;
  if (!io.interactive) throw usageError('Add --yes where nobody can be asked.');
  const typed = await io.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(typed.trim())) throw new CommandError('NOT_CONFIRMED', 'Nothing was moved.');
}
