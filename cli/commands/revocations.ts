import { Command } from 'commander';
import { z } from 'zod';
import { revocationConfirmed, revocationId } from '../../functions/revocation/events.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import { asked, send, waiting, withAsked, withWaiting } from '../asking.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { credentialLines, credentialView } from '../views/credential-view.ts';
import { revocationLines, revocationTable, revocationView } from '../views/revocation-view.ts';

const listed = z.object({
  tenant: tenantId,
  unconfirmed: z.boolean().default(false),
});
const shown = z.object({ tenant: tenantId, revocation: revocationId });
const attested = z.object({ tenant: tenantId, credential: credentialId, ...asked.shape, ...waiting.shape });

export function revocationsCommand(handle: Handle): Command {
  const command = new Command('revocations').description('what was revoked, how far it is, and what is not confirmed');
  command
    .command('list <tenant>')
    .description('every revocation, offboarding, suspension and reinstatement of a tenant')
    .option('--unconfirmed', 'only those with something that a provider did not confirm')
    .action(handle(listed, list));
  command
    .command('show <tenant> <revocation>')
    .description('one of them; ends with 3 as long as something is not confirmed')
    .action(handle(shown, show));
  withWaiting(
    withAsked(
      command
        .command('confirm <tenant> <credential>')
        .description(
          'attest that the provider refuses every key of a credential that Cordon could not confirm; --reason says how you know',
        ),
    ),
    300,
  ).action(handle(attested, confirm));
  return command;
}

async function list(context: Context, { tenant, unconfirmed }: z.infer<typeof listed>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const [revocations, credentials] = await Promise.all([registry.revocations(tenant), registry.credentials(tenant)]);
  const views = revocations
    .toSorted((a, b) => a.inForceAt - b.inForceAt)
    .map((item) => revocationView(item, credentials))
    .filter((view) => !unconfirmed || view.unconfirmed.length > 0);
  return { json: { revocations: views }, lines: revocationTable(views) };
}

async function show(context: Context, { tenant, revocation }: z.infer<typeof shown>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const item = await registry.revocation(tenant, revocation);
  if (item === undefined)
    throw new CommandError(
      'REVOCATION_UNKNOWN',
      `${tenant} has no revocation ${revocation}: "cordon revocations list ${tenant}" says which there are.`,
    );
  const view = revocationView(item, await registry.credentials(tenant));
  return { json: view, lines: revocationLines(view), exitCode: item.status === 'unconfirmed' ? exitCodes.unconfirmed : exitCodes.ok };
}

async function confirm(context: Context, input: z.infer<typeof attested>): Promise<Answer> {
  const { tenant, credential, reason, incident, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const before = await registry.credential(tenant, credential);
  if (before?.ending === undefined)
    throw new CommandError('NOTHING_TO_CONFIRM', `${credential} of ${tenant} was not revoked: there is nothing to confirm.`);
  const detail = { tenantId: tenant, credentialId: credential, reason, incidentId: incident };
  const sent = await send(cloud, { type: 'RevocationConfirmed', schema: revocationConfirmed, detail }, requestedBy);
  if (!wait)
    return {
      json: { tenantId: tenant, credentialId: credential, eventId: sent.eventId, status: 'sent' },
      lines: [`Sent as ${sent.eventId}.`],
    };
  const ended = await until(context.io, timeout, async () => {
    await throwIfFailed(cloud, sent);
    const item = await registry.credential(tenant, credential);
    return item?.ending?.versions.every(({ confirmedAt }) => confirmedAt !== undefined) ? item : undefined;
  });
  const view = credentialView(ended ?? before);
  if (ended === undefined) context.note(`Not applied after ${timeout} seconds; it may still be.`);
  return { json: view, lines: credentialLines(view), exitCode: ended === undefined ? exitCodes.timedOut : exitCodes.ok };
}
