import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { observedEvents } from '../isolation/honey/events.ts';
import type { ValidateKey } from '../providers/validate-key.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { outboundEvents } from '../tenants/events.ts';
import type { Registry } from '../tenants/registry.ts';
import type { CheckDatabase } from './check-database.ts';
import type { DoorStore } from './door-store.ts';
import type { KeyPairs } from './key-pairs.ts';
import type { Vault, VaultOwner } from './vault.ts';

/** A tenant's data, opened in a TenantSupplier session of that tenant. */
export interface DoorStores {
  readonly registry: Pick<Registry, 'tenant' | 'user' | 'credential' | 'changeCredential'>;
  readonly attribution: Pick<AttributionStore, 'record' | 'entries'>;
  readonly door: DoorStore;
  readonly keyPairs: KeyPairs;
}

/** What the door works with. Opening throws CordonError as minting a session does. */
export interface DoorDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly randomBytes: () => Buffer;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents & typeof observedEvents>;
  /** Values of the role claim whose bearers may supply a tenant's secrets. */
  readonly supplierRoles: ReadonlySet<string>;
  /** The key under which pool tenants' secrets lie. */
  readonly poolKeyArn: string;
  readonly validateKey: ValidateKey;
  readonly checkDatabase: CheckDatabase;
  /** Development only: databases on loopback addresses are taken, without TLS too. */
  readonly allowLoopback: boolean;
  openStores(tenantId: TenantId): Promise<DoorStores>;
  /** A vault that can be written and not read. */
  openVault(owner: VaultOwner): Promise<Pick<Vault, 'store'>>;
}
