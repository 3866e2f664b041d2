import { Command } from 'commander';
import { z } from 'zod';
import { entryFilters } from '../../functions/attribution/entry-filters.ts';
import { boundAt, listEntries } from '../../functions/attribution/list-entries.ts';
import type { ListedEntry } from '../../functions/attribution/listed-entry.ts';
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { usageError } from '../command-error.ts';
import { openAudit } from '../platform/audit.ts';
import type { Answer, Context, Handle } from '../runner.ts';
import { tableLines } from '../table.ts';

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'must be a time such as 2026-11-21T12:00:00Z or a day such as 2026-11-21',
});
const time = instant.transform((text) => Date.parse(text));
const filters = entryFilters.pick({
  user: true,
  agent: true,
  session: true,
  credential: true,
  provider: true,
  operation: true,
  outcome: true,
});
const asked = z.object({
  tenant: tenantId,
  from: time.optional(),
  to: time.optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,5}$/, 'must be a whole number from 1 to 999999')
    .transform(Number),
  ...filters.shape,
});
const dayMs = 86_400_000;
/** What is being done at this moment is in the answer, whoever's clock is a little ahead. */
const aheadMs = 60_000;

export function attributionCommand(handle: Handle): Command {
  const command = new Command('attribution').description('who used what, when, and for whom');
  command
    .command('query <tenant>')
    .description('a tenant’s entries, oldest first; all that is given must fit')
    .option('--from <time>', 'a day before --to, when left out')
    .option('--to <time>', 'now, when left out')
    .option('--user <id>')
    .option('--agent <id>')
    .option('--session <id>')
    .option('--credential <id>')
    .option('--provider <name>')
    .option('--operation <name>', 'such as provider.call')
    .option('--outcome <result>', `one of ${entryFilters.shape.outcome.unwrap().options.join(', ')}`)
    .option('--limit <entries>', 'at most', '200')
    .action(handle(asked, query));
  return command;
}

async function query(context: Context, { tenant, from, to, limit, ...wanted }: z.infer<typeof asked>): Promise<Answer> {
  const audit = await openAudit(await context.cloud(), tenant);
  try {
    const end = to ?? audit.now + aheadMs;
    const start = from ?? end - dayMs;
    if (start >= end) throw usageError('--from must be before --to, and before now');
    const { entries, more } = await gather({ pages: audit.pages, clock: () => audit.now }, context, {
      tenantId: tenant,
      after: boundAt(start),
      before: boundAt(end),
      filters: wanted,
      limit,
    });
    if (more) context.note(`There is more: raise --limit above ${limit}, or ask for a shorter time.`);
    return { json: { entries, more }, lines: entryTable(entries) };
  } finally {
    audit.close();
  }
}

/** Page after page: one looks through so many entries only, whatever the filters leave over. */
async function gather(
  deps: Parameters<typeof listEntries>[0],
  { note }: Context,
  request: Parameters<typeof listEntries>[1],
): Promise<{ readonly entries: readonly ListedEntry[]; readonly more: boolean }> {
  const entries: ListedEntry[] = [];
  let { after } = request;
  for (;;) {
    const page = await listEntries(deps, { ...request, after, limit: request.limit - entries.length });
    entries.push(...page.entries);
    if (page.next === undefined) return { entries, more: false };
    if (entries.length >= request.limit) return { entries, more: true };
    after = page.next;
    note(`${entries.length} entries so far …`);
  }
}

function entryTable(entries: readonly ListedEntry[]): readonly string[] {
  return tableLines(
    ['WHEN', 'OPERATION', 'PROVIDER', 'CREDENTIAL', 'VERSION', 'USER', 'AGENT', 'SESSION', 'OUTCOME'],
    entries.map((one) => [
      one.at,
      one.operation,
      one.provider,
      one.credentialId,
      one.credentialVersion,
      one.userId ?? one.requestedBy,
      one.agentId,
      one.sessionId,
      one.outcomeCode === undefined ? one.outcome : `${one.outcome} ${one.outcomeCode}`,
    ]),
  );
}
