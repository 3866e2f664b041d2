import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { VersionUses } from '../attribution/version-uses.ts';
import type { RotationVault } from '../credentials/rotation-vault.ts';
import type { VaultOwner } from '../credentials/vault.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderName } from '../providers/provider-name.ts';
import type { KeyVerdict } from '../providers/validate-key.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialItem, Registry, TenantItem } from '../tenants/registry.ts';
import type { outboundEvents } from './events.ts';

/** A tenant's data, opened in a TenantRotator session of that tenant. */
export interface RotationStores {
  readonly registry: Pick<Registry, 'tenant' | 'credential' | 'changeCredential' | 'postponeCredential'>;
  readonly attribution: Pick<AttributionStore, 'record'>;
  readonly uses: VersionUses;
}

/** What the use cases of this capability work with. Opening throws CordonError as minting a session does. */
export interface RotationDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents>;
  /** Those that Cordon makes keys at. */
  readonly providers: Partial<Record<ProviderName, Provider>>;
  /** The key under which pool tenants' secrets lie. */
  readonly poolKeyArn: string;
  /** Waits so many milliseconds. */
  pause(ms: number): Promise<void>;
  /** Whether a key that the customer made is accepted where it is for. Throws CordonError PROVIDER_UNAVAILABLE | DATABASE_UNAVAILABLE (retryable) and as `ValidateKey`. */
  tryCustomerKey(item: Pick<CredentialItem, 'provider' | 'settings'>, secret: SecretText): Promise<KeyVerdict>;
  openStores(tenantId: TenantId): Promise<RotationStores>;
  openVault(owner: VaultOwner): Promise<RotationVault>;
}

/** A credential that this run holds, and what is known of its surroundings. */
export interface Held {
  readonly stores: RotationStores;
  readonly tenant: TenantItem;
  /** As this run last wrote it. */
  readonly item: CredentialItem;
  /** Milliseconds since the epoch: by then this run has ended, and so has its hold. */
  readonly deadline: number;
}
