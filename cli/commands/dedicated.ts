import { Command } from 'commander';
import { z } from 'zod';
import { CordonError } from '../../functions/shared/errors.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { TenantId } from '../../functions/shared/identifiers.ts';
import { dedicatedPlan } from '../../functions/tenants/dedicated-plan.ts';
import { CommandError, exitCodes, usageError } from '../command-error.ts';
import { deployedSettings, openAdministration } from '../dedicated/administration.ts';
import { keyChanges } from '../dedicated/bring-up-key.ts';
import { roleChanges } from '../dedicated/bring-up-role.ts';
import type { Change } from '../dedicated/change.ts';
import { createRegistryReader, type RegistryReader } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { tableLines } from '../table.ts';
import { unknownTenant } from './tenants.ts';

const named = z.object({ tenant: tenantId.optional(), all: z.boolean().default(false), dryRun: z.boolean().default(false) });

export function dedicatedCommand(handle: Handle): Command {
  const command = new Command('dedicated').description('what dedicated tenants have of their own');
  command
    .command('upgrade [tenant]')
    .description(
      'bring roles and key of a tenant that an earlier version made to what this version makes; with the rights of whoever deploys',
    )
    .option('--all', 'of every dedicated tenant')
    .option('--dry-run', 'say what is different, and change nothing')
    .action(handle(named, upgrade));
  return command;
}

async function upgrade(context: Context, { tenant, all, dryRun }: z.infer<typeof named>): Promise<Answer> {
  if ((tenant === undefined) !== all) throw usageError('Name one tenant, or --all.');
  const cloud = await context.cloud();
  const registry = createRegistryReader(cloud);
  const administration = openAdministration(cloud);
  try {
    const settings = await deployedSettings(administration, cloud);
    const rows: { tenantId: string; change: string }[] = [];
    const failed: { tenantId: string; code: string; message: string }[] = [];
    const tenants = tenant === undefined ? await everyDedicated(registry) : [tenant];
    for (const id of tenants) {
      try {
        const keyArn = await keyOf(registry, id);
        const plan = dedicatedPlan(settings, id);
        const changes: Change[] = [];
        for (const role of plan.roles) changes.push(...(await roleChanges(administration.iam, role, plan.tags)));
        changes.push(...(await keyChanges(administration.kms, keyArn, plan)));
        for (const change of changes) {
          if (!dryRun) await change.apply();
          rows.push({ tenantId: id, change: change.what });
        }
        context.note(`${id}: ${changes.length === 0 ? 'as it is to be' : `${changes.length} change(s)${dryRun ? ' to make' : ''}`}`);
      } catch (error) {
        // With --all, one tenant's trouble is not the others'.
        if (tenant !== undefined || !(error instanceof CommandError || error instanceof CordonError)) throw error;
        failed.push({ tenantId: id, code: error.code, message: error.message });
        context.note(`${id}: ${error.message}`);
      }
    }
    return {
      json: { tenants: tenants.length, changes: rows, failed, dryRun },
      lines: tableLines(
        ['TENANT', dryRun ? 'TO CHANGE' : 'CHANGED'],
        rows.map(({ tenantId: id, change }) => [id, change]),
      ),
      exitCode: failed.length === 0 ? exitCodes.ok : exitCodes.failed,
    };
  } finally {
    administration.close();
  }
}

async function everyDedicated(registry: RegistryReader): Promise<readonly TenantId[]> {
  const found: TenantId[] = [];
  for await (const page of registry.tenants())
    for (const one of page) {
      const id = tenantId.safeParse(one.tenantId);
      if (one.tier === 'dedicated' && one.status !== 'offboarded' && one.status !== 'failed' && id.success) found.push(id.data);
    }
  return found.sort();
}

/** @throws CommandError TENANT_UNKNOWN | NOT_DEDICATED | NOT_PROVISIONED */
async function keyOf(registry: RegistryReader, id: TenantId): Promise<string> {
  const item = await registry.tenant(id);
  if (item === undefined) throw unknownTenant(id);
  if (item.tier !== 'dedicated') throw new CommandError('NOT_DEDICATED', `${id} is a pool tenant: the stack itself is its upgrade.`);
  if (item.keyArn === undefined)
    throw new CommandError('NOT_PROVISIONED', `${id} is ${item.status} and has no key yet: its onboarding makes it as this version does.`);
  return item.keyArn;
}
