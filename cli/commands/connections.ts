import { Command } from 'commander';
import { z } from 'zod';
import type { Connection } from '../../functions/byoc/connection.ts';
import { customerAccountId, roleConnectionRequested } from '../../functions/byoc/events.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { displayText } from '../../functions/tenants/credential-spec.ts';
import { send, waiting, withRequester, withWaiting } from '../asking.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { connectionLines, connectionTable, connectionView } from '../views/connection-view.ts';

const listed = z.object({ tenant: tenantId });
const verified = z.object({ tenant: tenantId, account: customerAccountId, requestedBy: displayText.optional(), ...waiting.shape });

export function connectionsCommand(handle: Handle): Command {
  const command = new Command('connections').description('customers’ own AWS accounts');
  command.command('list <tenant>').description('every connection of a tenant').action(handle(listed, list));
  withWaiting(
    withRequester(
      command
        .command('verify <tenant> <account>')
        .description('probe the customer’s role now; ends with 0 only when it does what it is for and lets nobody else in'),
    ),
    300,
  ).action(handle(verified, verify));
  return command;
}

async function list(context: Context, { tenant }: z.infer<typeof listed>): Promise<Answer> {
  const connections = (await createRegistryReader(await context.cloud()).connections(tenant)).map(connectionView);
  return { json: { connections }, lines: connectionTable(connections) };
}

/** Asks for the connection once more as it is: one that stands is probed anew, one that was refused begins anew. */
async function verify(context: Context, input: z.infer<typeof verified>): Promise<Answer> {
  const { tenant, account, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const before = await registry.connection(tenant, account);
  if (before === undefined)
    throw new CommandError(
      'CONNECTION_UNKNOWN',
      `${tenant} has no connection to ${account}: "cordon connections list ${tenant}" says which there are.`,
    );
  // To ask again for what its owner has ended would connect it again.
  if (before.status === 'disconnected')
    throw new CommandError(
      'CONNECTION_NOT_ACTIVE',
      `The connection of ${tenant} to ${account} was ended: only a new request connects it again.`,
    );
  if (before.status === 'active' && (before.probedAt ?? 0) > (await cloud.caller()).now - recentMs) {
    context.note('probed within the last five minutes; it is not probed more often than that');
    return answerOf(before);
  }
  const { services, regions, environment, dataClasses } = before;
  const detail = { tenantId: tenant, customerAccountId: account, services, regions, environment, ...(dataClasses && { dataClasses }) };
  const sent = await send(cloud, { type: 'RoleConnectionRequested', schema: roleConnectionRequested, detail }, requestedBy);
  if (!wait)
    return {
      json: { tenantId: tenant, customerAccountId: account, eventId: sent.eventId, status: 'sent' },
      lines: [`Sent as ${sent.eventId}.`],
    };
  context.note('asked for; the sweep takes it up within a minute');
  let item = before;
  const probed = await until(context.io, timeout, async () => {
    await throwIfFailed(cloud, sent);
    item = (await registry.connection(tenant, account)) ?? item;
    // A role that is waited for has not come to a result.
    return item.status !== 'pending' && (item.probedAt ?? 0) > (before.probedAt ?? 0) ? item : undefined;
  });
  if (probed !== undefined) return answerOf(probed);
  context.note(`Not probed, or not to a result, after ${timeout} seconds. "cordon connections list ${tenant}" says how far it is.`);
  return { ...answerOf(item), exitCode: exitCodes.timedOut };
}

function answerOf(item: Connection): Answer {
  const view = connectionView(item);
  return { json: view, lines: connectionLines(view), exitCode: item.status === 'active' ? exitCodes.ok : exitCodes.failed };
}

/** How long a probe counts as one of now: Cordon does not probe a role that is in use more often when it is asked to. */
const recentMs = 5 * 60_000;
