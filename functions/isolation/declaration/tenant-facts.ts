import { type ProviderName, providerName } from '../../providers/provider-name.ts';
import type { CredentialItem, TenantItem } from '../../tenants/registry.ts';
import type { TenantFacts } from './declaration.ts';

/** What is declared from: the tenant as the registry has it. A credential that is revoked is no more anybody's. */
export function tenantFactsOf(
  { tenantId, tier, accounts }: Pick<TenantItem, 'tenantId' | 'tier' | 'accounts'>,
  credentials: readonly Pick<CredentialItem, 'credentialId' | 'provider' | 'source' | 'status'>[],
): TenantFacts {
  const isMade = (name: ProviderName): boolean => accounts[name]?.accountId !== undefined;
  return {
    ...{ tenantId, tier, accounts: providerName.options.filter(isMade) },
    credentials: credentials
      .filter(({ status }) => status !== 'revoked')
      .map(({ credentialId, provider, source }) => ({ credentialId, provider, source }))
      .toSorted((a, b) => (a.credentialId < b.credentialId ? -1 : 1)),
  };
}
