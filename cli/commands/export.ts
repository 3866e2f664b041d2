import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import type { TenantItem } from '../../functions/tenants/registry.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { usageError } from '../command-error.ts';
import { attributedSince } from '../platform/audit.ts';
import { everyCertificateFile } from '../platform/certificate-files.ts';
import { createRegistryReader } from '../platform/registry-reader.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { fieldLines } from '../table.ts';
import { unknownTenant } from './tenants.ts';

const asked = z.object({ tenant: tenantId, file: z.string().min(1) });

export function addExport(tenants: Command, handle: Handle): void {
  tenants
    .command('export <tenant> <file>')
    .description('write everything that is known of a tenant to a new file, a JSON document a line; there is no secret in it')
    .action(handle(asked, exportTenant));
}

/** One line of the file. Kinds are only ever added. */
interface Line {
  readonly kind: 'export' | 'tenant' | 'user' | 'credential' | 'connection' | 'revocation' | 'certificate' | 'attribution';
  readonly data: object;
}

/**
 * What is the tenant's own: whom it names, what it has, what was done for it and in its name. Not in it: secrets, which nobody of Cordon's can read for an operator; the
 * key pairs of its door, which open nothing elsewhere; what Cordon needs for its own work only, such as leases.
 */
async function* linesOf(cloud: Cloud, item: TenantItem, exportedAt: string): AsyncIterable<Line> {
  const registry = createRegistryReader(cloud);
  const { tenantId: id } = item;
  yield { kind: 'export', data: { version: 1, tenantId: id, exportedAt } };
  yield { kind: 'tenant', data: item };
  for (const data of await registry.users(id)) yield { kind: 'user', data };
  for (const data of await registry.credentials(id)) yield { kind: 'credential', data };
  for (const data of await registry.connections(id)) yield { kind: 'connection', data };
  for (const data of await registry.revocations(id)) yield { kind: 'revocation', data };
  for await (const data of everyCertificateFile(cloud, id)) yield { kind: 'certificate', data };
  for await (const data of attributedSince(cloud, id, Date.parse(item.createdAt))) yield { kind: 'attribution', data };
}

async function exportTenant(context: Context, { tenant, file }: z.infer<typeof asked>): Promise<Answer> {
  const cloud = await context.cloud();
  const item = await createRegistryReader(cloud).tenant(tenant);
  if (item === undefined) throw unknownTenant(tenant);
  const { now } = await cloud.caller();
  const counts = await write(context, file, linesOf(cloud, item, new Date(now).toISOString()));
  return { json: { tenantId: tenant, file, counts }, lines: fieldLines({ tenant, file, ...counts }) };
}

/** What was begun and not finished is no export: it is removed. */
async function write({ io, note }: Context, file: string, lines: AsyncIterable<Line>): Promise<Readonly<Record<string, number>>> {
  const path = resolve(io.directory, file);
  const descriptor = create(path, file);
  const counts: Record<string, number> = {};
  try {
    for await (const line of lines) {
      writeSync(descriptor, `${JSON.stringify(line)}\n`);
      counts[line.kind] = (counts[line.kind] ?? 0) + 1;
      if (line.kind === 'attribution' && (counts['attribution'] ?? 0) % 10_000 === 0) note(`${counts['attribution']} entries so far …`);
    }
    return counts;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function create(path: string, name: string): number {
  try {
    // It is about a customer's people: only whoever asked for it may read it.
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw usageError(exists ? `${name} is there already: name another file.` : `${name} cannot be written.`);
  }
}
