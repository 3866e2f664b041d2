import { attributed } from '../attribution/attributed.ts';
import type { Provider, ProviderAccount } from '../providers/provider.ts';
import type { ProviderName } from '../providers/provider-name.ts';
import type { Delivery } from '../shared/delivery.ts';
import type { TenantItem } from './registry.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

type Accounts = TenantItem['accounts'];

/** Counts one more attempt for each of these providers whose account is not made yet. Written to the tenant's item before any is begun. */
export function beginAccounts(accounts: Accounts, providers: readonly ProviderName[]): Accounts {
  const begun: Accounts = { ...accounts };
  for (const name of new Set(providers)) {
    const known = begun[name];
    if (known?.accountId === undefined) begun[name] = { attempt: (known?.attempt ?? 0) + 1 };
  }
  return begun;
}

/**
 * Makes the tenant's account at the provider. Whoever calls holds the tenant's lease and has written down that this attempt begins; only when there was
 * an earlier one is the account looked for first.
 */
export function ensureAccount(
  deps: TenantsDeps,
  stores: TenantStores,
  of: { tenant: TenantItem; requestedBy: string; delivery: Delivery },
  provider: Provider,
  attempt: number,
): Promise<ProviderAccount> {
  const { tenantId } = of.tenant;
  const intent = {
    tenantId,
    actor: { function: 'tenants', requestedBy: of.requestedBy },
    provider: provider.name,
    operation: 'provider.create-account',
    context: { eventId: of.delivery.eventId },
  };
  return attributed({ ...deps, store: stores.attribution }, intent, async () => {
    const value = await provider.ensureAccount(tenantId, attempt > 1);
    return { value, context: { accountId: value.accountId } };
  });
}
