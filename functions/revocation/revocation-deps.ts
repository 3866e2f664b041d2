import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { ConnectionStore } from '../byoc/connection-store.ts';
import type { HoneyKey } from '../isolation/honey/honey-key.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { PublishAsPlatform } from '../shared/publish-as-platform.eventbridge.ts';
import type { Registry } from '../tenants/registry.ts';
import type { EndingDeps } from './advance-ending.ts';
import type { CertificateSigner } from './certificate/certificate-signer.ts';
import type { CertificateStore } from './certificate/certificate-store.ts';
import type { CutOffs } from './cut-offs.ts';
import type { outboundEvents } from './events.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { Wishes } from './wishes.ts';

/** A tenant's data, opened in a TenantRevoker session of that tenant. */
export interface RevocationStores {
  readonly registry: Pick<Registry, 'tenant' | 'user' | 'credential' | 'credentials' | 'changeCredential'>;
  readonly revocations: RevocationStore;
  readonly connections: Pick<ConnectionStore, 'connections'>;
  readonly certificates: CertificateStore;
  readonly attribution: Pick<AttributionStore, 'record'>;
}

/** What the use cases of this capability work with. Opening throws CordonError as minting a session does. */
export interface RevocationDeps extends EndingDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents>;
  readonly cutOffs: CutOffs;
  /** To the names of decoys. */
  readonly honeyKey: HoneyKey;
  readonly publish: PublishAsPlatform<Wishes>;
  /** Signs certificates. */
  readonly signer: CertificateSigner;
  /** Waits so many milliseconds. */
  pause(ms: number): Promise<void>;
  openStores(tenantId: TenantId): Promise<RevocationStores>;
}
