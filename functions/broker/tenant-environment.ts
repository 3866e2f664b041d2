import type { AttributionStore } from '../attribution/attribution-store.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import { createExpiringCache } from '../shared/expiring-cache.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { CatalogueStore } from './catalogue.ts';
import type { Gate } from './gate.ts';
import type { ObtainSecret } from './obtain-secret.ts';
import type { ProxyCall } from './proxy-event.ts';
import type { MintTenantSession, TenantSession } from './tenant-session.ts';

/** What can be done in one tenant session. */
export interface TenantStores {
  readonly session: TenantSession;
  readonly gate: Gate;
  /** The same, to be asked while an answer is under way: it gives up sooner. */
  readonly watch: Gate;
  readonly catalogue: CatalogueStore;
  readonly attribution: Pick<AttributionStore, 'record'>;
  readonly obtain: ObtainSecret;
}

/**
 * The stores for a call, in a session of its tenant that still lasts two minutes.
 *
 * @param environmentTenantId of which tenant Lambda says that this environment is
 * @throws CordonError TENANT_MISMATCH | TOKEN_REFUSED | SESSION_UNAVAILABLE
 */
export type OpenTenant = (call: Pick<ProxyCall, 'caller' | 'token'>, environmentTenantId: string | undefined) => Promise<TenantStores>;

/** STS's sessions of Cordon last 15 minutes; one is taken until this long before its end. */
const marginMs = 120_000;

/**
 * One environment serves one tenant, from its first call to its end: three who know it independently must agree, and nothing in memory is ever seen by another.
 */
export function createOpenTenant(deps: {
  readonly mint: MintTenantSession;
  readonly openStores: (session: TenantSession) => TenantStores;
  readonly clock: Clock;
}): OpenTenant {
  const cache = createExpiringCache<TenantStores>({ clock: deps.clock, capacity: 1, marginMs });
  let own: TenantId | undefined;
  return ({ caller, token }, environmentTenantId) => {
    const { tenantId } = caller;
    // Said by Lambda, by the authorizer, and by what this environment has done before.
    if (environmentTenantId !== tenantId || (own !== undefined && own !== tenantId)) return Promise.reject(mismatch());
    own = tenantId;
    return cache.get(tenantId, async () => {
      const session = await deps.mint(token);
      if (session.tenantId !== tenantId) throw mismatch();
      return { value: deps.openStores(session), expiresAt: session.expiresAt };
    });
  };
}

function mismatch(): CordonError {
  return new CordonError('TENANT_MISMATCH', 'environment, authorizer and session do not name the same tenant');
}
