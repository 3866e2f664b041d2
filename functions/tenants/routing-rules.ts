import { CordonError } from '../shared/errors.ts';
import type { CredentialSpec, RoutingRule } from './credential-spec.ts';
import type { TenantItem } from './registry.ts';
import type { Delivery } from './tenants-deps.ts';

/**
 * Where this event stands among those applied. An event's time has whole seconds (EventBridge User Guide, "AWS service event metadata"): within one second the
 * order of arrival decides, and the IDs remembered tell a repetition.
 */
export function orderOf(tenant: Pick<TenantItem, 'rulesTime' | 'rulesEventIds'>, delivery: Delivery): 'new' | 'applied' | 'superseded' {
  if (tenant.rulesTime === undefined) return 'new';
  const [before, now] = [Date.parse(tenant.rulesTime), Date.parse(delivery.time)];
  if (now > before) return 'new';
  if (now < before) return 'superseded';
  if (tenant.rulesEventIds.at(-1) === delivery.eventId) return 'applied';
  return tenant.rulesEventIds.includes(delivery.eventId) ? 'superseded' : 'new';
}

/** Why these rules cannot be; undefined when they can. */
export function problemOf(rules: readonly RoutingRule[], credentials: readonly CredentialSpec[]): CordonError | undefined {
  const byId = new Map<string, CredentialSpec>(credentials.map((credential) => [credential.credentialId, credential]));
  for (const [index, { match, use, backup }] of rules.entries()) {
    for (const id of backup === undefined ? [use] : [use, backup]) {
      const credential = byId.get(id);
      // Its own event may be on its way.
      if (!credential)
        return new CordonError('CREDENTIAL_UNKNOWN', `rule ${index} names credential ${id}, which the tenant does not have`, {
          retryable: true,
        });
      if (credential.environment !== match.environment) {
        return new CordonError(
          'EVENT_INVALID',
          `rule ${index} would send ${match.environment} to credential ${id} of ${credential.environment}`,
        );
      }
      if (credential.provider !== match.provider)
        return new CordonError(
          'EVENT_INVALID',
          `rule ${index} would send ${match.provider} to credential ${id} for ${credential.provider}`,
        );
      if (credential.userId !== undefined)
        return new CordonError('EVENT_INVALID', `rule ${index} would send the whole tenant to credential ${id} of one user`);
    }
  }
  return undefined;
}
