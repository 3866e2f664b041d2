import { CordonError } from '../shared/errors.ts';
import type { CredentialSpec } from './credential-spec.ts';
import { sameCredential } from './onboarding-decision.ts';
import type { CredentialItem } from './registry.ts';

/** What to do about one credential. */
export type CredentialDecision =
  | { readonly next: 'refuse'; readonly error: CordonError }
  | { readonly next: 'wait'; readonly error: CordonError }
  /** Nothing is to be made: it is written down with this status. */
  | { readonly next: 'record'; readonly status: 'awaiting' | 'recorded' }
  /** Make a key. Something of an earlier attempt may exist if `attempt` is more than 1, a secret only if `secretMayExist`. */
  | { readonly next: 'issue'; readonly attempt: number; readonly secretMayExist: boolean }
  | { readonly next: 'nothing'; readonly item: CredentialItem };

/**
 * The next step for one credential, from what is known of it and what is asked for. Pure.
 *
 * @param now milliseconds since the epoch
 */
export function decideCredential(known: CredentialItem | undefined, spec: CredentialSpec, now: number): CredentialDecision {
  if (known && !sameCredential(known, spec)) {
    return {
      next: 'refuse',
      error: new CordonError(
        'EVENT_CONTRADICTS',
        `credential ${spec.credentialId} exists with another provider, source, environment or user`,
      ),
    };
  }
  if (known?.status === 'revoked') {
    return {
      next: 'refuse',
      error: new CordonError('EVENT_CONTRADICTS', `credential ${spec.credentialId} was revoked; ask for one with another ID`),
    };
  }
  if (known && (known.status === 'active' || known.status === 'awaiting' || known.status === 'recorded'))
    return { next: 'nothing', item: known };
  if (spec.source === 'customer-supplied') return { next: 'record', status: 'awaiting' };
  if (spec.source === 'federated') return { next: 'record', status: 'recorded' };
  if (!known) return { next: 'issue', attempt: 1, secretMayExist: false };
  if (now < known.leaseUntil) {
    return {
      next: 'wait',
      error: new CordonError('CONFLICT', `credential ${spec.credentialId} is being made by another worker`, { retryable: true }),
    };
  }
  // A worker that could still say how far it came has released its lease; one that died has not, and may have stored a secret.
  return { next: 'issue', attempt: known.attempt + 1, secretMayExist: known.secretMayExist || known.leaseUntil > 0 };
}
