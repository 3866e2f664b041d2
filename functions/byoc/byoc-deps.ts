import type { Proof } from '../attribution/attribution-entry.ts';
import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { Announcer } from '../shared/announcer.ts';
import type { Clock, NextId } from '../shared/clock.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { Registry } from '../tenants/registry.ts';
import type { ConnectionStore } from './connection-store.ts';
import type { outboundEvents } from './events.ts';
import type { RandomBytes } from './external-id.ts';
import type { ProbeInput, ProbeResult } from './probe/probe.ts';

/** A tenant's data, opened in a TenantWriter session of that tenant. */
export interface ByocStores {
  readonly registry: Pick<Registry, 'tenant' | 'credentials' | 'addCredential' | 'changeCredential' | 'changeTenant'>;
  readonly connections: ConnectionStore;
  readonly attribution: Pick<AttributionStore, 'record'>;
}

/** What the use cases of this capability work with. Opening throws CordonError as minting a session does. */
export interface ByocDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents>;
  /** The platform's own account: no tenant connects it. */
  readonly platformAccountId: string;
  openStores(tenantId: TenantId): Promise<ByocStores>;
  /** Tries the customer's role. Does not throw: what could not be found out is its verdict. */
  probe(input: ProbeInput): Promise<ProbeResult>;
  /** Signs what a verification found. Throws CordonError AWS_UNAVAILABLE | AWS_REFUSED | ACCESS_REFUSED. */
  sign(document: unknown): Promise<Proof>;
  /** Makes sure that the template lies where customers' CloudFormation reads it; answers its version. Throws as `sign`. */
  publishTemplate(): Promise<string>;
}
