import { attributed, type Intent } from '../attribution/attributed.ts';
import type { ByocDeps, ByocStores } from './byoc-deps.ts';
import type { Connection } from './connection.ts';
import type { ProbeInput, ProbeResult } from './probe/probe.ts';

/**
 * Probes the customer's role, between an intent and an outcome on record. What the probe found, good or bad, is signed and kept with the outcome; without a signature
 * it does not count.
 *
 * @throws CordonError as the attribution store and `ByocDeps.sign`
 */
export function verifyConnection(deps: ByocDeps, stores: ByocStores, item: Connection): Promise<ProbeResult> {
  const { tenantId, customerAccountId, roleName, externalId, services, regions, requestedBy } = item;
  const asked: ProbeInput = {
    ...{ tenantId, customerAccountId, roleName, externalId, services, regions },
    // Only a role that was verified is held to being the same one still.
    ...(item.status === 'active' && { expectedRoleId: item.roleId }),
  };
  const intent: Intent = {
    tenantId,
    actor: { function: 'byoc', requestedBy },
    operation: 'connection.verify',
    context: { customerAccountId, roleName, services: services.join(' '), regions: regions.join(' '), statusBefore: item.status },
  };
  return attributed({ ...deps, store: stores.attribution }, intent, async (id) => {
    const result = await deps.probe(asked);
    const { verdict, reason, roleArn, roleId, findings, steps, at } = result;
    const context = { verdict, ...(reason && { reason: reason.code }) };
    // Nothing was learned, or there is nothing yet: a role is looked for hundreds of times a day, and only what was found is evidence.
    if (verdict === 'no-answer' || verdict === 'unreachable') return { value: result, context };
    const proof = await deps.sign({
      version: 1,
      kind: 'cordon.connection-verification',
      attributionId: id,
      ...{ tenantId, customerAccountId, roleName, services, regions, templateVersion: item.policyVersion },
      ...{ verdict, reason: reason?.code, roleArn, roleId, findings, steps },
      at: new Date(at).toISOString(),
    });
    return { value: result, context, proof };
  });
}
