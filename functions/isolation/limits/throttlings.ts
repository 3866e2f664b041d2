import type { ProviderName } from '../../providers/provider-name.ts';
import type { CredentialId, TenantId } from '../../shared/identifiers.ts';

/** A tenant was refused by a provider with 429. */
export interface Throttling {
  readonly tenantId: TenantId;
  readonly provider: ProviderName;
  readonly credentialId: CredentialId;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Milliseconds since the epoch, both ends included. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/**
 * Who was throttled, when. Kept for some hours, once per tenant, provider and window of five seconds: the first that was heard of. Reads are strongly consistent: of two
 * that are kept at the same time, whoever reads last sees both. All throw CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED | CONFLICT | ITEM_NOT_UNDERSTOOD.
 */
export interface Throttlings {
  /** May be repeated. */
  keep(throttling: Throttling): Promise<void>;
  /** Of one tenant, oldest first. */
  of(tenantId: TenantId, provider: ProviderName, period: Period): Promise<readonly Throttling[]>;
  /** Of all tenants; the period is a short one. */
  ofAll(provider: ProviderName, period: Period): Promise<readonly Throttling[]>;
}

/** Two tenants, always in the same order. */
export type Pair = readonly [TenantId, TenantId];

/** What was found is told once a day and pair. Throws as `Throttlings`. */
export interface Tellings {
  /**
   * Takes it upon this event to tell. Of several at once one gets it; after it has failed for ten minutes, another may.
   *
   * @param day `2026-11-22`
   * @returns false when it was told already, or another event has it
   */
  take(pair: Pair, provider: ProviderName, day: string, eventId: string): Promise<boolean>;
  told(pair: Pair, provider: ProviderName, day: string): Promise<void>;
}
