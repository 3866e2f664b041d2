import type { CredentialId, TenantId, UserId } from '../shared/identifiers.ts';
import type { AttributionEntry } from './attribution-entry.ts';

/** Which entries of one tenant and one UTC day (`yyyy-mm-dd`): all, or those of one credential, user or agent session. */
export interface AttributionQuery {
  readonly tenantId: TenantId;
  readonly day: string;
  readonly of?: { readonly credentialId: CredentialId } | { readonly userId: UserId } | { readonly sessionId: string };
}

/** The log of what was done with credentials: it can be added to and read, not changed. */
export interface AttributionStore {
  /**
   * Resolves when the entry is durable. Recording the same entry again changes nothing and succeeds, so that a lost answer may be repeated.
   *
   * @throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED
   */
  record(entry: AttributionEntry): Promise<void>;
  /** Entries in the order of their IDs, an INTENT before its OUTCOME. */
  entries(query: AttributionQuery): Promise<readonly AttributionEntry[]>;
}
