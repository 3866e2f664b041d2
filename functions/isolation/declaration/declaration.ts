import type { ProviderName } from '../../providers/provider-name.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import type { Tier } from '../../tenants/credential-spec.ts';
import { services } from '../check.ts';
import type { ServiceDeclaration } from './claim.ts';
import { accountsService, type CredentialDeclaration, type CredentialFacts, credentialDeclaration } from './claims-of-accounts.ts';
import { dataServices } from './claims-of-data.ts';
import { workServices } from './claims-of-work.ts';

/** What of a tenant decides how it is kept apart. */
export interface TenantFacts {
  readonly tenantId: TenantId;
  readonly tier: Tier;
  /** Providers at which it has an account of its own. */
  readonly accounts: readonly ProviderName[];
  readonly credentials: readonly CredentialFacts[];
}

/** What Cordon says of how a tenant is kept apart, service by service. It is said before anything is tried: what was tried is in the score. */
export interface IsolationDeclaration {
  readonly tenantId: TenantId;
  readonly tier: Tier;
  /** Each service once, in the order of `services`. */
  readonly services: readonly ServiceDeclaration[];
  readonly credentials: readonly CredentialDeclaration[];
}

/** Pure. */
export function declarationOf({ tenantId, tier, accounts, credentials }: TenantFacts): IsolationDeclaration {
  const made = new Set(accounts);
  const declared = credentials.map((facts) => credentialDeclaration(facts, made));
  const all = [...dataServices(tier), ...workServices(tier), accountsService(declared)];
  return {
    tenantId,
    tier,
    services: services.flatMap((service) => all.filter((one) => one.service === service)),
    credentials: declared,
  };
}
