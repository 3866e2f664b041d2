import { encodeTime } from 'ulid';
import type { Clock } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { AttributionEntry } from './attribution-entry.ts';
import { dayOf } from './attribution-item.ts';
import type { AttributionPages } from './attribution-pages.ts';
import type { AttributionQuery } from './attribution-store.ts';
import { type EntryFilters, indexFor, isWanted } from './entry-filters.ts';
import type { ListedEntry } from './listed-entry.ts';
import { type AttributedUse, usesOf } from './read-attribution.ts';

export interface ListRequest {
  readonly tenantId: TenantId;
  /** ULIDs, both excluded: where the list begins and ends. `boundAt` makes one of a time. */
  readonly after: string;
  readonly before: string;
  readonly filters: EntryFilters;
  /** Entries answered at most. */
  readonly limit: number;
}

export interface ListedPage {
  readonly entries: readonly ListedEntry[];
  /** The ID after which the list goes on; undefined at its end. A page may be short, or empty, and the list go on all the same. */
  readonly next?: string;
}

/** What one request looks through at most, so that it ends in time whatever the filters leave over. Entries. */
const budget = 4000;
const pageSize = 400;
const dayMs = 86_400_000;

/** The lowest ULID of a millisecond: everything that happened from then on lies above it. */
export function boundAt(ms: number): string {
  return encodeTime(Math.max(0, ms), 10).padEnd(26, '0');
}

/**
 * A tenant's entries in the order in which they were begun, an intent and its outcome joined to one.
 *
 * @throws CordonError as `AttributionPages`
 */
export async function listEntries(deps: { pages: AttributionPages; clock: Clock }, request: ListRequest): Promise<ListedPage> {
  const { tenantId, before, filters, limit } = request;
  const of = indexFor(filters);
  const listed: ListedEntry[] = [];
  let { after } = request;
  let examined = 0;
  while (after < before) {
    if (examined >= budget) return { entries: listed, next: after };
    const query: AttributionQuery = { tenantId, day: dayOf(after), ...(of && { of }) };
    const { entries, more } = await deps.pages.page({
      ...query,
      after,
      before,
      limit: Math.min(pageSize, 2 * (limit - listed.length) + 3),
    });
    examined += entries.length;
    for (const use of usesOf(more ? withoutLast(entries) : entries, deps.clock())) {
      after = use.intent.id;
      const entry = viewOf(use);
      if (isWanted(entry, filters)) listed.push(entry);
      if (listed.length === limit) return { entries: listed, next: after };
    }
    if (!more) after = boundAt(Date.parse(`${dayOf(after)}T00:00:00Z`) + dayMs);
  }
  return { entries: listed };
}

/** The last one's OUTCOME may be on the next page: it is read again there. */
function withoutLast(entries: readonly AttributionEntry[]): readonly AttributionEntry[] {
  const last = entries.at(-1)?.id;
  return entries.filter((entry) => entry.id !== last);
}

function viewOf({ intent, outcome, credentialVersion, context, proof }: AttributedUse): ListedEntry {
  const { id, at, operation, provider, credentialId, actor, asserted } = intent;
  const { userId, agentId, sessionId, requestedBy } = actor;
  return {
    ...{ id, at, operation, provider, credentialId, credentialVersion, userId, agentId, sessionId, requestedBy },
    asserted: asserted ?? {},
    context,
    outcome: outcome.result,
    ...endOf(outcome),
    ...(proof !== undefined && { proof }),
  };
}

/** What has not ended has none of it. */
function endOf(outcome: AttributedUse['outcome']): Partial<ListedEntry> {
  if (outcome.result === 'pending' || outcome.result === 'unknown') return {};
  const { code, statusCode, usage, bytes, durationMs } = outcome;
  return { outcomeCode: code, statusCode, usage, bytes, durationMs };
}
