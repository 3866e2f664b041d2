import { failureOf } from '../shared/consume-message.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { withEvent } from '../shared/event-order.ts';
import { activeTenant } from '../tenants/active-tenant.ts';
import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import type { Connection, NewConnection } from './connection.ts';
import { dueOf } from './decide-next.ts';
import type { RoleConnectionRequested, RoleDisconnectionRequested } from './events.ts';
import { newExternalId, newRoleName } from './external-id.ts';
import { releaseConnection } from './release-connection.ts';
import { askedOf, decideDisconnection, decideRequest, type RequestDecision } from './request-decision.ts';
import { held, settleConnection } from './settle-connection.ts';

/** Connections a tenant may have, whatever their status: each costs probes. */
const maxConnections = 100;

/**
 * Offers a customer's account to be connected. Once the connection is written down the event is done: what is left of it, the sweep finds.
 *
 * @throws CordonError TENANT_UNKNOWN | TENANT_NOT_ACTIVE | CONFLICT (retryable), TENANT_OFFBOARDED, EVENT_INVALID for the platform's own account, CONNECTION_LIMIT; and
 *   as the stores and the template's bucket
 */
export async function requestConnection(deps: ByocDeps, event: RoleConnectionRequested, delivery: Delivery): Promise<void> {
  const { tenantId, customerAccountId } = event;
  // The platform trusts its own roles: through this one, a tenant would come in by the back door.
  if (customerAccountId === deps.platformAccountId)
    throw new CordonError('EVENT_INVALID', "the platform's own account cannot be connected");
  const stores = await deps.openStores(tenantId);
  await activeTenant(stores.registry, tenantId);
  const known = await stores.connections.connection(tenantId, customerAccountId);
  if (known) return applyDecision(deps, stores, known, decideRequest(known, event, delivery, deps.clock()), delivery);
  if ((await stores.connections.connections(tenantId)).length >= maxConnections)
    throw new CordonError('CONNECTION_LIMIT', `a tenant has ${maxConnections} connections at most`);
  // Before the link is shown, what it leads to must be there.
  const policyVersion = await deps.publishTemplate();
  const item = await stores.connections.addConnection({ ...newConnection(deps, event, delivery), policyVersion });
  await settleNow(deps, stores, item);
}

/**
 * Ends a connection: in force at the next use, which reads its status.
 *
 * @throws CordonError CONNECTION_UNKNOWN | CONFLICT (retryable), and as the stores
 */
export async function endConnection(deps: ByocDeps, event: RoleDisconnectionRequested, delivery: Delivery): Promise<void> {
  const stores = await deps.openStores(event.tenantId);
  const known = await stores.connections.connection(event.tenantId, event.customerAccountId);
  return applyDecision(deps, stores, known, decideDisconnection(known, event, delivery), delivery);
}

function newConnection(deps: ByocDeps, event: RoleConnectionRequested, delivery: Delivery): Omit<NewConnection, 'policyVersion'> {
  const { tenantId } = event;
  const { time, eventIds } = withEvent({ time: undefined, eventIds: [] }, delivery);
  return {
    ...askedOf(event, deps.clock()),
    kind: 'CONNECTION',
    tenantId,
    roleName: newRoleName(tenantId, deps.randomBytes),
    externalId: newExternalId(deps.randomBytes),
    epoch: 0,
    attempt: 1,
    leaseUntil: delivery.deadline,
    eventTime: time,
    eventIds,
    ...dueOf({ tenantId }, delivery.deadline),
  };
}

async function applyDecision(
  deps: ByocDeps,
  stores: ByocStores,
  known: Connection | undefined,
  decision: RequestDecision,
  delivery: Delivery,
): Promise<void> {
  if (decision.next === 'refuse') throw decision.error;
  if (known === undefined || decision.next === 'nothing') return;
  if (decision.next === 'note') {
    await stores.connections.changeConnection(known, decision.change);
    return;
  }
  const offered = decision.change.status === 'pending' ? { policyVersion: await deps.publishTemplate() } : {};
  const item = await stores.connections.changeConnection(known, held(known, delivery.deadline, { ...decision.change, ...offered }));
  await settleNow(deps, stores, item);
}

/** What fails here is not the event's failure any more: the connection is due, and the sweep brings it back. */
async function settleNow(deps: ByocDeps, stores: ByocStores, item: Connection): Promise<void> {
  try {
    await settleConnection(deps, stores, item);
  } catch (error) {
    const failure = failureOf(error);
    deps.log.warn('a connection is yet to be settled', { code: failure.code, reason: failure.message });
    await releaseConnection(deps, stores, item, failure);
  }
}
