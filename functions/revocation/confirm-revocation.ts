import { attributed } from '../attribution/attributed.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { advanceRevocation } from './advance-revocation.ts';
import { endsCredential } from './certificate/in-scope.ts';
import { attestedEnding } from './ending-changes.ts';
import type { RevocationConfirmed } from './events.ts';
import type { RevocationDeps } from './revocation-deps.ts';
import { revocationDue } from './revocation-due.ts';

/**
 * Takes a person's word that the provider refuses every key of a revoked credential, puts it on record, and goes on with the revocations that waited for it. Repeating
 * it changes nothing.
 *
 * @throws CordonError CREDENTIAL_UNKNOWN; EVENT_CONTRADICTS for one that is not revoked; CONFLICT (retryable); and as the stores
 */
export async function confirmRevocation(deps: RevocationDeps, event: RevocationConfirmed, delivery: Delivery): Promise<void> {
  const { tenantId, credentialId, requestedBy, reason, incidentId } = event;
  const stores = await deps.openStores(tenantId);
  const item = await stores.registry.credential(tenantId, credentialId);
  if (!item) throw new CordonError('CREDENTIAL_UNKNOWN', `tenant ${tenantId} has no credential ${credentialId}`);
  if (item.status !== 'revoked' || item.ending === undefined)
    throw new CordonError('EVENT_CONTRADICTS', `credential ${credentialId} is ${item.status}, so there is nothing to confirm`);
  const change = attestedEnding(item, { attestedBy: requestedBy, reason, now: deps.clock() });
  if (change) {
    const intent = {
      tenantId,
      credentialId,
      provider: item.provider,
      actor: { function: 'revocation', requestedBy },
      operation: 'revocation.attest-refused',
      context: {
        revocationId: item.ending.revocationId,
        reason,
        eventId: delivery.eventId,
        ...(incidentId !== undefined && { incidentId }),
      },
    };
    await attributed({ ...deps, store: stores.attribution }, intent, async () => ({
      value: await stores.registry.changeCredential(item, change),
    }));
  }
  for (const waiting of await stores.revocations.revocations(tenantId)) {
    // Others of the tenant wait for something else.
    if (waiting.credentialId !== credentialId && !endsCredential(waiting, item)) continue;
    if (waiting.status === 'done' || waiting.dueAt === undefined || deps.clock() < waiting.leaseUntil) continue;
    const due = await stores.revocations.changeRevocation(waiting, revocationDue(waiting, deps.clock()));
    await advanceRevocation(deps, { tenantId, revocationId: due.revocationId, deadline: delivery.deadline });
  }
}
