import { CordonError } from '../shared/errors.ts';
import { userIdOf } from '../shared/identifiers.ts';
import { activeTenant } from './active-tenant.ts';
import type { UserOnboarded } from './events.ts';
import type { TenantsDeps } from './tenants-deps.ts';

/**
 * Adds a user to a tenant. The user ID follows from issuer and subject, so that a repeated event is the same user.
 *
 * @throws CordonError TENANT_UNKNOWN | TENANT_NOT_ACTIVE | CONFLICT (retryable), TENANT_OFFBOARDED, EVENT_CONTRADICTS for a user who was offboarded
 */
export async function onboardUser(deps: TenantsDeps, event: UserOnboarded): Promise<void> {
  const { tenantId, issuer, subject, displayName, requestedBy } = event;
  const { registry } = await deps.openStores(tenantId);
  await activeTenant(registry, tenantId);
  const userId = userIdOf(issuer, subject);
  const known = await registry.user(tenantId, userId);
  if (known?.status === 'offboarded') throw new CordonError('EVENT_CONTRADICTS', `user ${userId} was offboarded`);
  if (known?.announced) return;
  const user =
    known ??
    (await registry.addUser({
      kind: 'USER',
      tenantId,
      userId,
      issuer,
      subject,
      displayName,
      requestedBy,
      status: 'active',
      epoch: 0,
      announced: false,
    }));
  await deps.announcer.announce('UserProvisioned', { version: 1, tenantId, userId, requestedBy: user.requestedBy });
  await registry.changeUser(user, { announced: true });
}
