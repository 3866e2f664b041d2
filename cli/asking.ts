import type { Command } from 'commander';
import { z } from 'zod';
import { incidentId } from '../functions/revocation/events.ts';
import { displayText } from '../functions/tenants/credential-spec.ts';
import type { Cloud } from './cloud/cloud.ts';
import { CommandError, exitCodes, usageError } from './command-error.ts';
import type { Sent } from './platform/event-log.ts';
import { publishEvent } from './platform/publish-event.ts';
import type { Context } from './runner.ts';

/** Who asks and why, as events carry it. */
export const asked = z.object({ reason: displayText, incident: incidentId.optional(), requestedBy: displayText.optional() });

export function withAsked(command: Command): Command {
  return withRequester(command)
    .requiredOption('--reason <text>', 'why; it is on record and in the certificate')
    .option('--incident <id>', 'what it belongs to: everything about one incident has its ID');
}

export function withRequester(command: Command): Command {
  return command.option('--requested-by <name>', 'in whose name; the one whom AWS knows the caller as, when left out');
}

const seconds = z
  .string()
  .regex(/^\d{1,6}$/, 'must be a whole number of seconds')
  .transform(Number);

/** How long a command follows what it has begun. */
export const waiting = z.object({ wait: z.boolean(), timeout: seconds });
export type Waiting = z.infer<typeof waiting>;

export function withWaiting(command: Command, timeout: number): Command {
  return withTimeout(command, timeout).option('--no-wait', 'end as soon as the event is sent');
}

export function withTimeout(command: Command, timeout: number): Command {
  return command.option('--timeout <seconds>', 'end with 4 when it is not done by then', String(timeout));
}

export const confirmed = z.object({ yes: z.boolean().default(false) });

export function withConfirmation(command: Command): Command {
  return command.option('--yes', 'do not ask');
}

/**
 * What cannot be undone is asked for twice: the second time by typing the ID.
 *
 * @throws CommandError USAGE when nobody can be asked; NOT_CONFIRMED
 */
export async function confirmByTyping({ io }: Context, what: string, id: string, { yes }: { readonly yes: boolean }): Promise<void> {
  if (yes) return;
  if (!io.interactive) throw usageError(`${what} cannot be undone: add --yes where nobody can be asked.`);
  const typed = await io.ask(`${what} cannot be undone. Type ${id} to go on: `);
  if (typed.trim() !== id) throw new CommandError('NOT_CONFIRMED', `That is not ${id}: nothing was sent.`, { exitCode: exitCodes.failed });
}

/** Publishes an event in the caller's name. Throws as `publishEvent`. */
export async function send(
  cloud: Cloud,
  { type, schema, detail }: { readonly type: string; readonly schema: z.ZodType; readonly detail: object },
  requestedBy: string | undefined,
): Promise<Sent> {
  const caller = await cloud.caller();
  const eventId = await publishEvent(cloud, type, schema, { version: 1, requestedBy: requestedBy ?? caller.name, ...detail });
  return { eventId, at: caller.now };
}
