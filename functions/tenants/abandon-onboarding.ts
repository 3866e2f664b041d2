import type { Delivery } from '../shared/delivery.ts';
import type { CordonError } from '../shared/errors.ts';
import { abandonCredential, codeOf } from './abandon-credential.ts';
import type { TenantOnboarded } from './events.ts';
import { decide } from './onboard-tenant.ts';
import type { TenantItem } from './registry.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/**
 * Gives an onboarding up: undoes what it made and writes down why. Does nothing for an event that was refused before it changed anything, for a tenant that is
 * active, and while another worker is at it.
 *
 * @returns what is left, one sentence each; empty when nothing is. Does not throw: what it could not do is in there.
 */
export async function abandonOnboarding(
  deps: TenantsDeps,
  event: TenantOnboarded,
  delivery: Delivery,
  error: CordonError,
): Promise<string[]> {
  const { tenantId } = event;
  try {
    const stores = await deps.openStores(tenantId);
    const decision = await decide(deps, stores.registry, event);
    // Somebody holds the lease, or held it and could not give it back: what is there is not for this run to touch, but it is not nothing.
    if (decision.next === 'wait') return [`what another attempt for ${tenantId} makes or has made may be left; a redrive takes it up`];
    if (decision.next !== 'resume' || decision.tenant.status !== 'provisioning') return [];
    // The lease is taken first, so that no redelivery makes anew what is being taken back.
    const tenant = await stores.registry.changeTenant(decision.tenant, {
      attempt: decision.tenant.attempt + 1,
      leaseUntil: delivery.deadline,
    });
    const left: string[] = [];
    const planned = new Set<string>(event.credentials.map((credential) => credential.credentialId));
    for (const item of await stores.registry.credentials(tenantId)) {
      if (!planned.has(item.credentialId)) continue;
      // A lease that was not released is of a worker that died and could not say how far it came.
      const secretMayExist = item.secretMayExist || item.leaseUntil > 0;
      const abandonment = { stores, tenant, requestedBy: event.requestedBy, eventId: delivery.eventId, secretMayExist, error };
      left.push(...(await abandonCredential(deps, abandonment, item)));
    }
    left.push(...emptyThings(tenant));
    const { code, message } = error;
    await stores.registry.changeTenant(tenant, { status: 'failed', leaseUntil: 0, announced: false, failure: { code, message, left } });
    return left;
  } catch (failed) {
    deps.log.error('an onboarding could not be undone', failed, { tenantId });
    return [`what was made for ${tenantId} could not be taken back (${codeOf(failed)})`];
  }
}

/**
 * What stays and may stay: it holds no key and no secret, and a later onboarding takes it up. Cordon may make a dedicated tenant's roles and key but not delete
 * them; an operator does.
 */
function emptyThings({ tenantId, tier, accounts }: TenantItem): string[] {
  const left = Object.entries(accounts).flatMap(([provider, account]) =>
    account?.accountId === undefined ? [] : [`the account of ${tenantId} at ${provider} is left; it holds no key`],
  );
  if (tier === 'dedicated')
    left.push(
      `the roles TenantAgent-${tenantId} and TenantAgent-${tenantId}.writer may be left`,
      `the key alias/cordon/${tenantId} may be left`,
    );
  return left;
}
