import type { Provider, ProviderAccount } from '../providers/provider.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId, UserId } from '../shared/identifiers.ts';
import { abandonCredential, codeOf } from './abandon-credential.ts';
import { activeTenant } from './active-tenant.ts';
import { decideCredential } from './credential-decision.ts';
import type { CredentialRequested } from './events.ts';
import { issuableProviders, outcomeOf, secretKeyOf } from './onboard-tenant.ts';
import { unissuable } from './onboarding-decision.ts';
import { beginAccounts, ensureAccount } from './provider-account.ts';
import { provisionCredential } from './provision-credential.ts';
import type { TenantItem } from './registry.ts';
import { releaseTenant } from './release-lease.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

/**
 * Adds a credential to an active tenant, or to one of its users.
 *
 * @throws CordonError as `onboardTenant`, and TENANT_UNKNOWN | TENANT_NOT_ACTIVE | USER_UNKNOWN, retryable because what they miss may be on its way
 */
export async function requestCredential(deps: TenantsDeps, event: CredentialRequested, delivery: Delivery): Promise<void> {
  const { tenantId, credential: spec, requestedBy } = event;
  const stores = await deps.openStores(tenantId);
  const tenant = await activeTenant(stores.registry, tenantId);
  const problem = unissuable(spec, issuableProviders(deps));
  if (problem) throw problem;
  if (spec.source === 'federated' && tenant.tier !== 'dedicated')
    throw new CordonError('EVENT_INVALID', `credential ${spec.credentialId}: federated needs tier dedicated`);
  if (spec.userId !== undefined) {
    const user = await stores.registry.user(tenantId, spec.userId);
    if (!user) throw new CordonError('USER_UNKNOWN', `user ${spec.userId} is not onboarded`, { retryable: true });
    if (user.status !== 'active') throw new CordonError('USER_UNKNOWN', `user ${spec.userId} was offboarded`);
  }
  const known = await stores.registry.credential(tenantId, spec.credentialId);
  const account = (provider: Provider): Promise<ProviderAccount> =>
    tenantAccount(deps, stores, { tenant, requestedBy, delivery }, provider);
  const work = { stores, tenant, kmsKeyArn: secretKeyOf(deps, tenant), delivery, requestedBy, announceItself: true, account };
  const item = await provisionCredential(deps, work, known, spec);
  if (item.announced) return;
  if (spec.userId !== undefined) await touchUser(stores, tenantId, spec.userId);
  await deps.announcer.announce('CredentialProvisioned', {
    version: 1,
    tenantId,
    requestedBy: item.requestedBy,
    // The customer may have handed over its secret meanwhile.
    credential: item.status === 'active' ? { ...outcomeOf(spec), status: 'active' } : outcomeOf(spec),
  });
  await stores.registry.changeCredential(item, { announced: true });
}

/** The user's item gets a new version: by that a warm broker learns, at the user's next call, that there is a credential it does not know. */
async function touchUser({ registry }: TenantStores, tenantId: TenantId, userId: UserId): Promise<void> {
  const user = await registry.user(tenantId, userId);
  if (user) await registry.changeUser(user, {});
}

/** The tenant's account at the provider; made under the tenant's lease by the first credential that needs it. */
async function tenantAccount(
  deps: TenantsDeps,
  stores: TenantStores,
  of: { tenant: TenantItem; requestedBy: string; delivery: Delivery },
  provider: Provider,
): Promise<ProviderAccount> {
  const known = of.tenant.accounts[provider.name]?.accountId;
  if (known !== undefined) return { accountId: known };
  if (deps.clock() < of.tenant.leaseUntil)
    throw new CordonError('CONFLICT', `another worker changes tenant ${of.tenant.tenantId}`, { retryable: true });
  const accounts = beginAccounts(of.tenant.accounts, [provider.name]);
  const attempt = accounts[provider.name]?.attempt ?? 1;
  const tenant = await stores.registry.changeTenant(of.tenant, { leaseUntil: of.delivery.deadline, accounts });
  try {
    const made = await ensureAccount(deps, stores, of, provider, attempt);
    await stores.registry.changeTenant(tenant, {
      leaseUntil: 0,
      accounts: { ...accounts, [provider.name]: { attempt, accountId: made.accountId } },
    });
    return made;
  } catch (error) {
    await releaseTenant(deps, stores.registry, tenant, {});
    throw error;
  }
}

/**
 * Gives up on a credential: undoes what was made for it. Does nothing when the event was refused before it changed anything.
 *
 * @returns what is left, one sentence each; does not throw
 */
export async function abandonRequest(
  deps: TenantsDeps,
  event: CredentialRequested,
  delivery: Delivery,
  error: CordonError,
): Promise<string[]> {
  const { tenantId, credential: spec, requestedBy } = event;
  try {
    const stores = await deps.openStores(tenantId);
    const [tenant, item] = [await stores.registry.tenant(tenantId), await stores.registry.credential(tenantId, spec.credentialId)];
    if (tenant?.status !== 'active' || item?.status !== 'provisioning') return [];
    const decision = decideCredential(item, spec, deps.clock());
    if (decision.next === 'wait')
      return [`what another attempt for ${spec.credentialId} makes or has made may be left; a redrive takes it up`];
    if (decision.next !== 'issue') return [];
    const held = await stores.registry.changeCredential(item, {
      attempt: decision.attempt,
      secretMayExist: decision.secretMayExist,
      leaseUntil: delivery.deadline,
    });
    const abandonment = { stores, tenant, requestedBy, eventId: delivery.eventId, secretMayExist: decision.secretMayExist, error };
    return await abandonCredential(deps, abandonment, held);
  } catch (failed) {
    deps.log.error('a credential could not be undone', failed, { tenantId, credentialId: spec.credentialId });
    return [`what was made for ${spec.credentialId} could not be taken back (${codeOf(failed)})`];
  }
}
