import { Command } from 'commander';
import { z } from 'zod';
import { accessReinstated, accessSuspended, userOffboarded } from '../../functions/revocation/events.ts';
import { endpointUrl } from '../../functions/shared/endpoint-url.ts';
import { tenantId, userId } from '../../functions/shared/identifier-fields.ts';
import { type UserId, userIdOf } from '../../functions/shared/identifiers.ts';
import type { UserItem } from '../../functions/tenants/registry.ts';
import { asked, confirmByTyping, confirmed, send, waiting, withAsked, withConfirmation, withWaiting } from '../asking.ts';
import { CommandError } from '../command-error.ts';
import { demandKnown, inAdvance, withInAdvance } from '../demand-known.ts';
import { followRevocation } from '../follow-revocation.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { fieldLines, tableLines } from '../table.ts';
import { credentialTable, credentialView } from '../views/credential-view.ts';
import { revocationSeconds } from './revoke.ts';

const listed = z.object({ tenant: tenantId });
/** A user by ID, or by who vouches for them and under which name. */
const which = {
  tenant: tenantId,
  user: userId.optional(),
  issuer: endpointUrl.optional(),
  subject: z.string().min(1).max(255).optional(),
};
const named = z.object(which).transform(identified);
const changed = z.object({ ...which, ...asked.shape, ...waiting.shape, ...inAdvance.shape }).transform(identified);
const ended = z.object({ ...which, ...asked.shape, ...waiting.shape, ...confirmed.shape, ...inAdvance.shape }).transform(identified);

function identified<
  Given extends { readonly user?: UserId | undefined; readonly issuer?: string | undefined; readonly subject?: string | undefined },
>(
  { user, issuer, subject, ...rest }: Given,
  context: z.RefinementCtx,
): Omit<Given, 'user' | 'issuer' | 'subject'> & { readonly user: UserId } {
  if (user !== undefined && issuer === undefined && subject === undefined) return { ...rest, user };
  if (user === undefined && issuer !== undefined && subject !== undefined) return { ...rest, user: userIdOf(issuer, subject) };
  context.addIssue({ code: 'custom', path: ['user'], message: 'name the user by ID, or by --issuer and --subject' });
  return z.NEVER;
}

export function usersCommand(handle: Handle): Command {
  const command = new Command('users').description('a tenant’s users');
  const add = (name: string, description: string): Command =>
    command
      .command(`${name} <tenant> [user]`)
      .description(description)
      .option('--issuer <url>', 'with --subject, instead of the user ID')
      .option('--subject <name>', 'with --issuer, instead of the user ID');
  command.command('list <tenant>').description('every user of a tenant').action(handle(listed, list));
  add('show', 'a user and the credentials that are the user’s own').action(handle(named, show));
  withWaiting(withInAdvance(withAsked(add('suspend', 'nothing runs for the user until reinstated; nothing is ended'))), 300).action(
    handle(changed, (context, input) => change(context, input, 'AccessSuspended')),
  );
  withWaiting(withAsked(add('reinstate', 'end a suspension; what was ended stays ended')), 300).action(
    handle(changed, (context, input) => change(context, input, 'AccessReinstated')),
  );
  const offboard = withInAdvance(withAsked(add('offboard', 'end everything that is the user’s own, for good')));
  withWaiting(withConfirmation(offboard), revocationSeconds).action(
    handle(ended, async (context, input) => {
      await confirmByTyping(context, `Offboarding the user ${input.user}`, input.user, input);
      return change(context, input, 'UserOffboarded');
    }),
  );
  return command;
}

function userView({ userId: id, status, suspendedAt, issuer, subject, displayName, createdAt, requestedBy }: UserItem) {
  return { userId: id, status, suspendedAt, issuer, subject, displayName, createdAt, requestedBy };
}

async function list(context: Context, { tenant }: z.infer<typeof listed>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const users = (await registry.users(tenant)).map(userView);
  return {
    json: { users },
    lines: tableLines(
      ['USER', 'SUBJECT', 'NAME', 'STATUS', 'SINCE', 'ISSUER'],
      users.map((one) => [one.userId, one.subject, one.displayName, one.status, one.createdAt, one.issuer]),
    ),
  };
}

async function show(context: Context, { tenant, user }: z.infer<typeof named>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const item = await registry.user(tenant, user);
  if (item === undefined)
    throw new CommandError('USER_UNKNOWN', `${tenant} has no user ${user}: "cordon users list ${tenant}" says which there are.`);
  const view = userView(item);
  const credentials = (await registry.credentials(tenant)).filter((one) => one.userId === user).map(credentialView);
  const { userId: id, status, suspendedAt, issuer, subject, displayName, createdAt, requestedBy } = view;
  return {
    json: { ...view, credentials },
    lines: [
      ...fieldLines({
        ...{
          user: id,
          subject,
          issuer,
          name: displayName,
          status,
          'suspended since': suspendedAt,
          created: createdAt,
          'asked for by': requestedBy,
        },
      }),
      '',
      ...credentialTable(credentials),
    ],
  };
}

const schemas = { AccessSuspended: accessSuspended, AccessReinstated: accessReinstated, UserOffboarded: userOffboarded };

async function change(context: Context, input: z.infer<typeof changed>, type: keyof typeof schemas): Promise<Answer> {
  const { tenant, user, reason, incident, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  if (type !== 'AccessReinstated') await demandKnown(cloud, { tenant, user }, input);
  const scope = type === 'UserOffboarded' ? {} : { scope: 'user' };
  const detail = { tenantId: tenant, userId: user, reason, incidentId: incident, ...scope };
  const sent = await send(cloud, { type, schema: schemas[type], detail }, requestedBy);
  return followRevocation(context, cloud, { tenantId: tenant, sent, wait, timeout });
}
