import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { Vault, VaultOwner } from '../credentials/vault.ts';
import type { HoneyKey } from '../isolation/honey/honey-key.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderName } from '../providers/provider-name.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { Announcer } from './announcer.ts';
import type { DedicatedTier } from './dedicated-tier.ts';
import type { Registry } from './registry.ts';

/** A tenant's data, opened in a session of that tenant. */
export interface TenantStores {
  readonly registry: Registry;
  readonly attribution: AttributionStore;
}

/** What the use cases of this capability work with. Opening throws CordonError as minting a session does. */
export interface TenantsDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly announcer: Announcer;
  /** Those that Cordon makes keys at. */
  readonly providers: Partial<Record<ProviderName, Provider>>;
  /** The key under which pool tenants' secrets lie. */
  readonly poolKeyArn: string;
  /** To the names of decoys. */
  readonly honeyKey: HoneyKey;
  openStores(tenantId: TenantId): Promise<TenantStores>;
  openVault(owner: VaultOwner): Promise<Vault>;
  openDedicatedTier(tenantId: TenantId): Promise<DedicatedTier>;
}
