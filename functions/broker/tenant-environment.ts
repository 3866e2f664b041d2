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
  /** @param renew mints another session of the tenant, for when this one was refused */
  readonly openStores: (session: TenantSession, renew: () => Promise<TenantSession>) => TenantStores;
  readonly clock: Clock;
}): OpenTenant {
  const cache = createExpiringCache<TenantStores>({ clock: deps.clock, capacity: 1, marginMs });
  let own: TenantId | undefined;
  /** The last call's, which is the one under way: it is the youngest there is. */
  let latest = '';

  async function minted(tenantId: TenantId, options?: { readonly fresh: boolean }): Promise<TenantSession> {
    const session = await deps.mint(latest, options);
    if (session.tenantId !== tenantId) throw mismatch();
    return session;
  }

  return ({ caller, token }, environmentTenantId) => {
    const { tenantId } = caller;
    // Said by Lambda, by the authorizer, and by what this environment has done before.
    if (environmentTenantId !== tenantId || (own !== undefined && own !== tenantId)) return Promise.reject(mismatch());
    own = tenantId;
    latest = token;
    return cache.get(tenantId, async () => {
      const session = await minted(tenantId);
      return { value: deps.openStores(session, () => minted(tenantId, { fresh: true })), expiresAt: session.expiresAt };
    });
  };
}

function mismatch(): CordonError {
  return new CordonError('TENANT_MISMATCH', 'environment, authorizer and session do not name the same tenant');
}
