import { Command } from 'commander';
import { z } from 'zod';
import { accessReinstated, accessSuspended, tenantOffboarded } from '../../functions/revocation/events.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { asked, confirmByTyping, confirmed, send, waiting, withAsked, withConfirmation, withWaiting } from '../asking.ts';
import { CommandError } from '../command-error.ts';
import { demandKnown, inAdvance, withInAdvance } from '../demand-known.ts';
import { followRevocation } from '../follow-revocation.ts';
import { createRegistryReader, type ListedTenant } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { fieldLines, tableLines } from '../table.ts';
import { credentialTable, credentialView } from '../views/credential-view.ts';
import { addExport } from './export.ts';
import { addOnboard } from './onboard.ts';
import { revocationSeconds } from './revoke.ts';

const named = z.object({ tenant: tenantId });
const changed = z.object({ tenant: tenantId, ...asked.shape, ...waiting.shape, ...inAdvance.shape });
const ended = changed.extend(confirmed.shape);

export function tenantsCommand(handle: Handle): Command {
  const command = new Command('tenants').description('the platform’s customers');
  command
    .command('list')
    .description('every tenant')
    .action(handle(z.object({}), list));
  command.command('show <tenant>').description('a tenant and its credentials').action(handle(named, show));
  addOnboard(command, handle);
  addExport(command, handle);
  withWaiting(
    withInAdvance(
      withAsked(command.command('suspend <tenant>').description('nothing runs for the tenant until it is reinstated; nothing is ended')),
    ),
    300,
  ).action(handle(changed, (context, input) => change(context, input, 'AccessSuspended')));
  withWaiting(withAsked(command.command('reinstate <tenant>').description('end a suspension; what was ended stays ended')), 300).action(
    handle(changed, (context, input) => change(context, input, 'AccessReinstated')),
  );
  const offboard = command.command('offboard <tenant>').description('end everything of a tenant for good; its ID is not used again');
  withWaiting(withConfirmation(withInAdvance(withAsked(offboard))), revocationSeconds).action(
    handle(ended, async (context, input) => {
      await confirmByTyping(context, `Offboarding ${input.tenant}`, input.tenant, input);
      return change(context, input, 'TenantOffboarded');
    }),
  );
  return command;
}

async function list(context: Context): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const tenants: ListedTenant[] = [];
  let pages = 0;
  for await (const page of registry.tenants()) {
    tenants.push(...page);
    pages += 1;
    // The registry is read to its end, and most of it is not tenants.
    if (pages % 20 === 0) context.note(`${tenants.length} tenants so far …`);
  }
  tenants.sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
  return {
    json: { tenants },
    lines: tableLines(
      ['TENANT', 'NAME', 'TIER', 'STATUS', 'SINCE'],
      tenants.map((one) => [one.tenantId, one.displayName, one.tier, one.status, one.createdAt]),
    ),
  };
}

async function show(context: Context, { tenant }: z.infer<typeof named>): Promise<Answer> {
  const registry = createRegistryReader(await context.cloud());
  const item = await registry.tenant(tenant);
  if (item === undefined) throw unknownTenant(tenant);
  const [users, credentials, connections] = await Promise.all([
    registry.users(tenant),
    registry.credentials(tenant),
    registry.connections(tenant),
  ]);
  const { tenantId: id, displayName, tier, status, suspendedAt, createdAt, requestedBy, keyArn, rules, failure } = item;
  const view = { tenantId: id, displayName, tier, status, suspendedAt, createdAt, requestedBy, keyArn, routing: rules, failure };
  const counts = { users: users.length, credentials: credentials.length, connections: connections.length };
  const views = credentials.map(credentialView);
  return {
    json: { ...view, counts, credentials: views },
    lines: [
      ...fieldLines({
        ...{
          tenant: id,
          name: displayName,
          tier,
          status,
          'suspended since': suspendedAt,
          created: createdAt,
          'asked for by': requestedBy,
          key: keyArn,
        },
        ...{ failure: failure && `${failure.code}: ${failure.message}`, ...counts, 'routing rules': rules.length },
      }),
      '',
      ...credentialTable(views),
    ],
  };
}

export function unknownTenant(tenant: string): CommandError {
  return new CommandError('TENANT_UNKNOWN', `There is no tenant ${tenant}: "cordon tenants list" says which there are.`);
}

const schemas = {
  AccessSuspended: accessSuspended,
  AccessReinstated: accessReinstated,
  TenantOffboarded: tenantOffboarded,
};

async function change(context: Context, input: z.infer<typeof changed>, type: keyof typeof schemas): Promise<Answer> {
  const { tenant, reason, incident, requestedBy, wait, timeout } = input;
  const cloud = await context.cloud();
  if (type !== 'AccessReinstated') await demandKnown(cloud, { tenant }, input);
  const scope = type === 'TenantOffboarded' ? {} : { scope: 'tenant' };
  const detail = { tenantId: tenant, reason, incidentId: incident, ...scope };
  const sent = await send(cloud, { type, schema: schemas[type], detail }, requestedBy);
  return followRevocation(context, cloud, { tenantId: tenant, sent, wait, timeout });
}
