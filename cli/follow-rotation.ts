import type { CredentialItem } from '../functions/tenants/registry.ts';

export interface RotationProgress {
  /** For people. */
  readonly text: string;
  /** True when what was asked for is so: the rest, the end of the old key, takes its time by itself. */
  readonly over: boolean;
}

/**
 * How far a request is, from the credential as it was before and as it is now. Pure.
 *
 * @param of the request's event, by which the credential knows it
 */
export function progressOf(
  before: CredentialItem,
  now: CredentialItem,
  of: { readonly eventId: string; readonly action: 'rotate' | 'rollback' | 'promote' | 'demote' },
): RotationProgress {
  const { rotating, secretVersionId, source } = now;
  if (isApplied(before, now, of.eventId) === false) return { text: 'sent; no worker has taken it up yet', over: false };
  if (source === 'federated' || source === 'customer-role') return { text: 'the next use mints a token of its own', over: true };
  if (of.action !== 'rotate')
    return rotating?.wish === undefined
      ? { text: `version ${secretVersionId ?? 'none'} is in force`, over: true }
      : { text: `${rotating.wish} is under way`, over: false };
  if (secretVersionId !== before.secretVersionId)
    return { text: `version ${secretVersionId ?? ''} is in force${oldKeyOf(now)}`, over: true };
  if (rotating === undefined) return { text: `nothing is under way; version ${secretVersionId ?? 'none'} stays in force`, over: true };
  if (rotating.strategy === 'customer-next' && rotating.askedAt !== undefined)
    return { text: 'the customer was asked for the next key; the one in force stays until it is handed over', over: true };
  const again = rotating.setbacks > 0 ? `, tried ${rotating.setbacks} time(s) in vain so far` : '';
  return { text: `${rotating.phase}${again}`, over: false };
}

/** A request that finds the credential as it asks for is applied without a trace: nothing can tell it from one that has not arrived. */
function isApplied(before: CredentialItem, now: CredentialItem, eventId: string): boolean {
  return now.rotationRequests?.includes(eventId) === true || now.secretVersionId !== before.secretVersionId;
}

function oldKeyOf({ rotating }: CredentialItem): string {
  if (rotating?.phase === 'grace' && rotating.graceUntil !== undefined)
    return `; the old key ends when its uses have drained, at ${new Date(rotating.graceUntil).toISOString()} at the latest`;
  return rotating === undefined ? '; the old key is dead' : '; the old key is being ended';
}
