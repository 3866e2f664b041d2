import type { Delivery } from '../shared/delivery.ts';
import { orderOf, withEvent } from '../shared/event-order.ts';
import { activeTenant } from './active-tenant.ts';
import type { RoutingRulesChanged } from './events.ts';
import { problemOf } from './routing-rules.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/**
 * Replaces the tenant's routing rules. Events come late and twice, so the event's own time decides: an older one never overwrites a newer one.
 *
 * @throws CordonError TENANT_UNKNOWN | TENANT_NOT_ACTIVE | CREDENTIAL_UNKNOWN | CONFLICT (retryable), TENANT_OFFBOARDED, EVENT_INVALID for a rule that would send
 *   use to a credential of another environment or provider
 */
export async function changeRoutingRules(deps: TenantsDeps, event: RoutingRulesChanged, delivery: Delivery): Promise<void> {
  const { tenantId, rules } = event;
  const { registry } = await deps.openStores(tenantId);
  const tenant = await activeTenant(registry, tenantId);
  const before = { time: tenant.rulesTime, eventIds: tenant.rulesEventIds };
  const order = orderOf(before, delivery);
  if (order === 'superseded' || (order === 'applied' && tenant.rulesAnnounced)) return;
  let applied = tenant;
  if (order === 'new') {
    const usable = (await registry.credentials(tenantId)).filter(
      (credential) => credential.status !== 'failed' && credential.status !== 'revoked',
    );
    const problem = problemOf(rules, usable);
    if (problem) throw problem;
    const { time, eventIds } = withEvent(before, delivery);
    applied = await registry.changeTenant(tenant, {
      rules,
      rulesVersion: tenant.rulesVersion + 1,
      rulesTime: time,
      rulesEventIds: eventIds,
      rulesAnnounced: false,
    });
  }
  await deps.announcer.announce('RoutingRulesApplied', {
    version: 1,
    tenantId,
    requestedBy: event.requestedBy,
    rulesVersion: applied.rulesVersion,
  });
  await registry.changeTenant(applied, { rulesAnnounced: true });
}
