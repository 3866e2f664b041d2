import type { TenantId } from '../shared/identifiers.ts';
import type { AttributionEntry } from './attribution-entry.ts';
import type { AttributionQuery } from './attribution-store.ts';

/** A stretch of one day's entries. */
export interface AttributionPageQuery extends AttributionQuery {
  /** ULIDs: entries whose ID lies between the two, both excluded. `after` is below `before`. */
  readonly after: string;
  readonly before: string;
  /** Entries, not pairs; at least 3. */
  readonly limit: number;
}

/** Reads the attribution log a page at a time. Throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED | ITEM_NOT_UNDERSTOOD. */
export interface AttributionPages {
  /** Entries in the order of their IDs, an INTENT before its OUTCOME. `more`: the stretch goes on, and may do so with the last one's OUTCOME. */
  page(query: AttributionPageQuery): Promise<{ readonly entries: readonly AttributionEntry[]; readonly more: boolean }>;
}

/**
 * Opens the log of the tenant that a token names, in that tenant's own session.
 *
 * @throws CordonError TOKEN_REFUSED | SESSION_UNAVAILABLE | AWS_UNAVAILABLE
 */
export type OpenPages = (token: string) => Promise<{ readonly tenantId: TenantId; readonly pages: AttributionPages }>;
