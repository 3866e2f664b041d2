import type { ProviderName } from '../providers/provider-name.ts';
import { CordonError } from '../shared/errors.ts';
import type { UserId } from '../shared/identifiers.ts';
import type { CredentialSpec, StoredCredential } from './credential-spec.ts';
import type { TenantOnboarded } from './events.ts';
import type { TenantItem } from './registry.ts';
import { problemOf } from './routing-rules.ts';

/** What to do about a TenantOnboarded event. */
export type OnboardingDecision =
  /** The event cannot be: nothing is changed. */
  | { readonly next: 'refuse'; readonly error: CordonError }
  /** Another worker is at it. */
  | { readonly next: 'wait'; readonly error: CordonError }
  /** A new tenant. */
  | { readonly next: 'begin' }
  /** An earlier attempt ended early, or failed and was undone. */
  | { readonly next: 'resume'; readonly tenant: TenantItem }
  /** All is done but for telling it. */
  | { readonly next: 'announce'; readonly tenant: TenantItem }
  | { readonly next: 'nothing' };

const refuse = (code: CordonError['code'], message: string): OnboardingDecision => ({
  next: 'refuse',
  error: new CordonError(code, message),
});

/**
 * The next step of an onboarding, from what is known and what is asked for. Pure.
 *
 * @param known the tenant's registry item, if there is one
 * @param users those of the event's user IDs that exist
 * @param issuable providers that Cordon makes keys at
 * @param now milliseconds since the epoch
 */
export function decideOnboarding(
  known: TenantItem | undefined,
  event: TenantOnboarded,
  facts: { users: ReadonlySet<UserId>; issuable: ReadonlySet<ProviderName>; now: number },
): OnboardingDecision {
  if (known?.status === 'offboarded')
    return refuse('TENANT_OFFBOARDED', `tenant ${event.tenantId} was offboarded; its ID is not used again`);
  for (const credential of event.credentials) {
    const problem = unissuable(credential, facts.issuable);
    if (problem) return { next: 'refuse', error: problem };
    if (credential.userId !== undefined && !facts.users.has(credential.userId)) {
      return refuse(
        'USER_UNKNOWN',
        `credential ${credential.credentialId} is for a user who does not exist; users are onboarded after their tenant`,
      );
    }
  }
  const misrouted = problemOf(event.routing ?? [], event.credentials);
  if (misrouted) return { next: 'refuse', error: misrouted };
  if (known === undefined) return { next: 'begin' };
  // Nothing is made for it until it is reinstated; an onboarding that was under way goes on then.
  if (known.status === 'suspended') {
    if (known.announced) return { next: 'nothing' };
    return { next: 'wait', error: new CordonError('TENANT_NOT_ACTIVE', `tenant ${event.tenantId} is suspended`, { retryable: true }) };
  }
  const contradiction = contradictionOf(known, event);
  if (contradiction) return refuse('EVENT_CONTRADICTS', contradiction);
  if (known.status === 'active') return known.announced ? { next: 'nothing' } : { next: 'announce', tenant: known };
  if (facts.now < known.leaseUntil) {
    return {
      next: 'wait',
      error: new CordonError('CONFLICT', `tenant ${event.tenantId} is being provisioned by another worker`, { retryable: true }),
    };
  }
  return { next: 'resume', tenant: known };
}

/** Refuses what Cordon cannot make. */
export function unissuable(credential: CredentialSpec, issuable: ReadonlySet<ProviderName>): CordonError | undefined {
  if (credential.source !== 'platform-issued' || issuable.has(credential.provider)) return undefined;
  return new CordonError(
    'EVENT_INVALID',
    `credential ${credential.credentialId}: keys for ${credential.provider} cannot be issued by the platform`,
  );
}

/** What tells one credential from another; the rest may be described differently without being another one. */
export function sameCredential(a: StoredCredential, b: CredentialSpec): boolean {
  return a.provider === b.provider && a.source === b.source && a.environment === b.environment && a.userId === b.userId;
}

function contradictionOf(known: TenantItem, event: TenantOnboarded): string | undefined {
  if (known.tier !== event.tier) return `tenant ${event.tenantId} exists with tier ${known.tier}, not ${event.tier}`;
  const planned = new Map<string, CredentialSpec>(known.plan.map((credential) => [credential.credentialId, credential]));
  for (const credential of event.credentials) {
    const before = planned.get(credential.credentialId);
    if (before && !sameCredential(before, credential))
      return `credential ${credential.credentialId} was onboarded with another provider, source, environment or user`;
    // What failed and was undone may be asked for anew with other credentials.
    if (!before && known.status !== 'failed')
      return `credential ${credential.credentialId} is not of this tenant's onboarding; CredentialRequested adds one`;
  }
  if (known.status === 'failed') return undefined;
  const named = new Set<string>(event.credentials.map((credential) => credential.credentialId));
  const missing = known.plan.find((credential) => !named.has(credential.credentialId));
  return missing && `credential ${missing.credentialId} of this tenant's onboarding is missing`;
}
