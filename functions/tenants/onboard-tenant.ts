import { attributed, type Intent } from '../attribution/attributed.ts';
import type { Provider, ProviderAccount } from '../providers/provider.ts';
import type { ProviderName } from '../providers/provider-name.ts';
import type { Delivery } from '../shared/delivery.ts';
import type { UserId } from '../shared/identifiers.ts';
import type { CredentialOutcome, TenantOnboarded } from './events.ts';
import { decideOnboarding, type OnboardingDecision } from './onboarding-decision.ts';
import { beginAccounts, ensureAccount } from './provider-account.ts';
import { provisionCredential } from './provision-credential.ts';
import type { CredentialItem, NewTenant, Registry, TenantItem } from './registry.ts';
import { releaseTenant } from './release-lease.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

/**
 * Provisions a tenant: roles and key of its own if it is dedicated, then its credentials, then `active`, then TenantProvisioned. Repeating the event converges:
 * what is done is not done again, what was begun is finished.
 *
 * @throws CordonError. Retryable: CONFLICT, AWS_UNAVAILABLE, PROVIDER_UNAVAILABLE. Final, with nothing changed: EVENT_INVALID, EVENT_CONTRADICTS,
 *   TENANT_OFFBOARDED, USER_UNKNOWN. Final, with something to undo (`abandon-onboarding.ts`): PROVIDER_REFUSED, ACCESS_REFUSED, AWS_REFUSED.
 */
export async function onboardTenant(deps: TenantsDeps, event: TenantOnboarded, delivery: Delivery): Promise<void> {
  const stores = await deps.openStores(event.tenantId);
  const decision = await decide(deps, stores.registry, event);
  switch (decision.next) {
    case 'refuse':
    case 'wait':
      throw decision.error;
    case 'nothing':
      return;
    case 'announce':
      return announceTenant(deps, stores.registry, decision.tenant);
    case 'begin': {
      const tenant = await stores.registry.addTenant(newTenant(event, delivery));
      return provision(deps, stores, tenant, [], delivery);
    }
    case 'resume': {
      const accounts = beginAccounts(decision.tenant.accounts, issuedProviders(event));
      const change = { ...askedFor(event, delivery), attempt: decision.tenant.attempt + 1, accounts, failure: undefined };
      const tenant = await stores.registry.changeTenant(decision.tenant, change);
      return provision(deps, stores, tenant, await stores.registry.credentials(event.tenantId), delivery);
    }
  }
}

/** Reads what the decision depends on, and decides. */
export async function decide(
  deps: Pick<TenantsDeps, 'clock' | 'providers'>,
  registry: Registry,
  event: TenantOnboarded,
): Promise<OnboardingDecision> {
  const known = await registry.tenant(event.tenantId);
  const users = new Set<UserId>();
  for (const { userId } of event.credentials) {
    // Users of a tenant that does not exist do not exist either.
    if (known && userId !== undefined && (await registry.user(event.tenantId, userId))?.status === 'active') users.add(userId);
  }
  return decideOnboarding(known, event, { users, issuable: issuableProviders(deps), now: deps.clock() });
}

export function issuableProviders(deps: Pick<TenantsDeps, 'providers'>): ReadonlySet<ProviderName> {
  return new Set(Object.values(deps.providers).flatMap((provider) => (provider?.capabilities.createKey ? [provider.name] : [])));
}

function issuedProviders(event: TenantOnboarded): ProviderName[] {
  return event.credentials.flatMap((credential) => (credential.source === 'platform-issued' ? [credential.provider] : []));
}

/** What the event alone decides. */
function askedFor(event: TenantOnboarded, delivery: Delivery) {
  const rules = event.routing ?? [];
  return {
    displayName: event.displayName,
    requestedBy: event.requestedBy,
    plan: event.credentials,
    rules,
    rulesVersion: rules.length > 0 ? 1 : 0,
    rulesTime: rules.length > 0 ? delivery.time : undefined,
    rulesEventIds: rules.length > 0 ? [delivery.eventId] : [],
    rulesAnnounced: true,
    status: 'provisioning' as const,
    announced: false,
    leaseUntil: delivery.deadline,
  };
}

function newTenant(event: TenantOnboarded, delivery: Delivery): NewTenant {
  const accounts = beginAccounts({}, issuedProviders(event));
  return { ...askedFor(event, delivery), kind: 'TENANT', tenantId: event.tenantId, tier: event.tier, epoch: 0, attempt: 1, accounts };
}

/** Carries out what is left to do for a tenant whose lease this run holds. */
async function provision(
  deps: TenantsDeps,
  stores: TenantStores,
  begun: TenantItem,
  known: readonly CredentialItem[],
  delivery: Delivery,
): Promise<void> {
  const { tenantId, requestedBy } = begun;
  const made = new Map<ProviderName, ProviderAccount>();
  const account = async (provider: Provider): Promise<ProviderAccount> => {
    const { attempt, accountId } = begun.accounts[provider.name] ?? { attempt: 1 };
    const found =
      made.get(provider.name) ??
      (accountId === undefined
        ? await ensureAccount(deps, stores, { tenant: begun, requestedBy, delivery }, provider, attempt)
        : { accountId });
    made.set(provider.name, found);
    return found;
  };
  const soFar = (): Pick<TenantItem, 'accounts'> => {
    const accounts = { ...begun.accounts };
    for (const [name, { accountId }] of made) accounts[name] = { attempt: begun.accounts[name]?.attempt ?? 1, accountId };
    return { accounts };
  };
  let active: TenantItem;
  try {
    const keyArn = begun.tier === 'dedicated' ? (begun.keyArn ?? (await makeDedicated(deps, stores, begun, delivery))) : undefined;
    const byId = new Map<string, CredentialItem>(known.map((item) => [item.credentialId, item]));
    const work = { stores, tenant: begun, kmsKeyArn: keyArn ?? deps.poolKeyArn, delivery, requestedBy, announceItself: false, account };
    for (const spec of begun.plan) await provisionCredential(deps, work, byId.get(spec.credentialId), spec);
    active = await stores.registry.changeTenant(begun, {
      ...soFar(),
      ...(keyArn !== undefined && { keyArn }),
      status: 'active',
      leaseUntil: 0,
    });
  } catch (error) {
    await releaseTenant(deps, stores.registry, begun, soFar());
    throw error;
  }
  await announceTenant(deps, stores.registry, active);
  deps.log.info('tenant provisioned', { tenantId, tier: begun.tier, attempt: begun.attempt });
}

/** The roles first: the key's policy is about them, and they take some seconds to be in force. */
async function makeDedicated(deps: TenantsDeps, stores: TenantStores, tenant: TenantItem, delivery: Delivery): Promise<string> {
  const { tenantId, requestedBy } = tenant;
  const attribution = { ...deps, store: stores.attribution };
  const intent = (operation: string): Intent => ({
    tenantId,
    actor: { function: 'tenants', requestedBy },
    operation,
    context: { eventId: delivery.eventId },
  });
  const tier = await deps.openDedicatedTier(tenantId);
  await attributed(attribution, intent('iam.create-roles'), async () => ({ value: await tier.ensureRoles(tenantId) }));
  return attributed(attribution, intent('kms.create-key'), async () => {
    const value = await tier.ensureKey(tenantId, tenant.attempt > 1);
    return { value, context: { keyArn: value } };
  });
}

/** Tells of the tenant and writes down that it was told. Lost in between, it is told again: listeners go by the tenant's ID. */
async function announceTenant(deps: TenantsDeps, registry: Registry, tenant: TenantItem): Promise<void> {
  const { tenantId, tier, requestedBy, plan } = tenant;
  await deps.announcer.announce('TenantProvisioned', {
    version: 1,
    tenantId,
    tier,
    requestedBy,
    credentials: plan.map((spec) => outcomeOf(spec)),
  });
  await registry.changeTenant(tenant, { announced: true });
}

/** The state a credential is in once it is provisioned: it follows from its source. */
export function outcomeOf(spec: TenantOnboarded['credentials'][number]): CredentialOutcome {
  const { credentialId, provider, source, environment, userId } = spec;
  const status = source === 'platform-issued' ? 'active' : source === 'customer-supplied' ? 'awaiting' : 'recorded';
  return { credentialId, provider, source, environment, status, ...(userId !== undefined && { userId }) };
}

/** The key a tenant's secrets lie under. */
export function secretKeyOf(deps: Pick<TenantsDeps, 'poolKeyArn'>, tenant: TenantItem): string {
  return tenant.tier === 'dedicated' && tenant.keyArn !== undefined ? tenant.keyArn : deps.poolKeyArn;
}
