import { Command } from 'commander';
import { z } from 'zod';
import { rotationRequested } from '../../functions/rotation/events.ts';
import { credentialId, tenantId } from '../../functions/shared/identifier-fields.ts';
import type { CredentialItem } from '../../functions/tenants/registry.ts';
import { asked, confirmed, send, waiting, withAsked, withRequester, withWaiting } from '../asking.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { inAdvance, withInAdvance } from '../demand-known.ts';
import { progressOf } from '../follow-rotation.ts';
import { type Sent, throwIfFailed } from '../platform/event-log.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import { until } from '../poll.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { credentialLines, credentialTable, credentialView } from '../views/credential-view.ts';
import { revocationSeconds, revokeCredential } from './revoke.ts';

const listed = z.object({ tenant: tenantId });
const named = z.object({ tenant: tenantId, credential: credentialId });
const rotated = z.object({
  ...named.shape,
  reason: asked.shape.reason,
  requestedBy: asked.shape.requestedBy,
  emergency: z.boolean().default(false),
  version: z.string().optional(),
  ...waiting.shape,
});
const revoked = z.object({
  ...named.shape,
  ...asked.shape,
  ...waiting.shape,
  ...confirmed.shape,
  ...inAdvance.shape,
  version: z.string().optional(),
});
type Action = 'rotate' | 'rollback' | 'promote' | 'demote';

export function credentialsCommand(handle: Handle): Command {
  const command = new Command('credentials').description('a tenant’s credentials: never their keys');
  command.command('list <tenant>').description('every credential of a tenant').action(handle(listed, list));
  command.command('show <tenant> <credential>').description('one, with its versions and what becomes of them').action(handle(named, show));
  const change = (action: Action, description: string): Command =>
    withWaiting(
      withRequester(command.command(`${action} <tenant> <credential>`).description(description)).requiredOption(
        '--reason <text>',
        'why; it is on record',
      ),
      300,
    ).action(handle(rotated, (context, input) => rotate(context, input, action)));
  change('rotate', 'make the next key, prove it, and put it into force; the old one ends after its grace').option(
    '--emergency',
    'the key is known to others: schedule, activation time and grace do not count',
  );
  change('rollback', 'the key before is to be in force again');
  change('promote', 'put the next or the previous version into force now').option('--version <id>', 'which; the next one when left out');
  change('demote', 'a version is not to be used').option('--version <id>', 'which; the one in force when left out');
  withWaiting(
    withInAdvance(
      withAsked(command.command('revoke <tenant> <credential>').description('end it, or one version of it, here and at its provider')),
    ),
    revocationSeconds,
  )
    .option('--version <id>', 'only this one')
    .action(handle(revoked, revokeCredential));
  return command;
}

async function list(context: Context, { tenant }: z.infer<typeof listed>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const credentials = (await registry.credentials(tenant)).map(credentialView);
  return { json: { credentials }, lines: credentialTable(credentials) };
}

async function show(context: Context, { tenant, credential }: z.infer<typeof named>): Promise<Answer> {
  const view = credentialView(await known(await context.cloud(), { tenant, credential }));
  return { json: view, lines: credentialLines(view) };
}

/** @throws CommandError CREDENTIAL_UNKNOWN */
async function known(cloud: Cloud, { tenant, credential }: z.infer<typeof named>): Promise<CredentialItem> {
  const item = await createRegistryReader(cloud).credential(tenant, credential);
  if (item === undefined)
    throw new CommandError(
      'CREDENTIAL_UNKNOWN',
      `${tenant} has no credential ${credential}: "cordon credentials list ${tenant}" says which there are.`,
    );
  return item;
}

async function rotate(context: Context, input: z.infer<typeof rotated>, action: Action): Promise<Answer> {
  const { tenant, credential, reason, emergency, version, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  const before = await known(cloud, input);
  const detail = {
    tenantId: tenant,
    credentialId: credential,
    why: reason,
    action,
    emergency,
    ...(version !== undefined && { versionId: version }),
  };
  const sent = await send(cloud, { type: 'RotationRequested', schema: rotationRequested, detail }, requestedBy);
  if (!wait)
    return {
      json: { tenantId: tenant, credentialId: credential, eventId: sent.eventId, status: 'sent' },
      lines: [`Sent as ${sent.eventId}.`],
    };
  return follow(context, cloud, { before, sent, action, seconds: timeout });
}

async function follow(
  context: Context,
  cloud: Cloud,
  {
    before,
    sent,
    action,
    seconds,
  }: { readonly before: CredentialItem; readonly sent: Sent; readonly action: Action; readonly seconds: number },
): Promise<Answer> {
  const which = { tenant: before.tenantId, credential: before.credentialId };
  let item = before;
  let told = '';
  const done = await until(context.io, seconds, async () => {
    await throwIfFailed(cloud, sent);
    item = await known(cloud, which);
    const { text, over } = progressOf(before, item, { eventId: sent.eventId, action });
    if (text !== told) context.note(text);
    told = text;
    return over ? item : undefined;
  });
  if (done === undefined)
    context.note(
      `Not done after ${seconds} seconds; it goes on. "cordon credentials show ${which.tenant} ${which.credential}" says how far it is.`,
    );
  const view = credentialView(item);
  return { json: view, lines: credentialLines(view), exitCode: done === undefined ? exitCodes.timedOut : exitCodes.ok };
}
