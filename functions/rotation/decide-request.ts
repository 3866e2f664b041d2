import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { Rotating, RotationStrategy } from '../tenants/rotation-fields.ts';
import { isRevoked } from './decide-rotation.ts';
import type { RotationRequested } from './events.ts';
import { begun, type Change, type Occasion } from './rotation-changes.ts';

/** What a request makes of a credential. */
export type RequestDecision =
  | { readonly next: 'change'; readonly change: Change }
  /** Tokens are minted anew: nothing else is to be done. */
  | { readonly next: 'mint'; readonly change: Change }
  /** It is so already, or on its way. */
  | { readonly next: 'nothing' }
  | { readonly next: 'refuse'; readonly error: CordonError };

export interface RequestOf {
  readonly request: RotationRequested;
  readonly eventId: string;
  /** For a rotation that begins with it. */
  readonly rotationId: string;
  readonly strategy: RotationStrategy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Requests remembered: far more than one credential sees in the time in which an event may be delivered again. */
const remembered = 20;
const nothing = { next: 'nothing' } as const;

/** Pure. A change is not yet carried out: it says what the run that follows has to do, whichever run that will be. */
export function decideRequest(item: CredentialItem, of: RequestOf): RequestDecision {
  const applied = item.rotationRequests ?? [];
  const { request, eventId, strategy } = of;
  const minted = strategy === 'mint' && request.action === 'rotate';
  // The news of minting may be missing yet; telling it twice does no harm.
  if (applied.includes(eventId)) return minted ? { next: 'mint', change: {} } : nothing;
  const rotationRequests = [...applied, eventId].slice(-remembered);
  if (minted && item.status !== 'revoked' && item.status !== 'failed')
    return { next: 'mint', change: { epoch: item.epoch + 1, rotationRequests } };
  if (item.status === 'provisioning')
    return refusal(new CordonError('CONFLICT', `credential ${item.credentialId} is being provisioned`, { retryable: true }));
  if (item.status !== 'active' || minted || strategy === 'mint')
    return contradiction(item, `is ${item.status}: it has no versions to change`);
  const decision = request.action === 'rotate' ? rotate(item, of) : version(item, request);
  return decision.next === 'change' ? { next: 'change', change: { ...decision.change, rotationRequests } } : decision;
}

function rotate(item: CredentialItem, { request, rotationId, strategy, now }: RequestOf): RequestDecision {
  const { rotating } = item;
  const { requestedBy, why, emergency } = request;
  const occasion: Occasion = { rotationId, reason: emergency ? 'emergency' : 'requested', requestedBy, why };
  const begin: RequestDecision = { next: 'change', change: begun(item, now, strategy, occasion) };
  if (rotating === undefined) return begin;
  const making = rotating.phase === 'creating' || rotating.phase === 'proving';
  if (!emergency) return rotating.phase === 'unproven' ? begin : nothing;
  if (!making) return begin;
  // What is being made is what is needed; it only has to be quick now.
  const urgent: Rotating = {
    ...rotating,
    reason: 'emergency',
    requestedBy,
    why,
    wish: undefined,
    askedAt: undefined,
    remindedAt: undefined,
  };
  return { next: 'change', change: { diverted: true, rotating: urgent } };
}

/** Rolls back, promotes, demotes: each comes down to what is to become of the next or of the previous version. */
function version(item: CredentialItem, { action, versionId, requestedBy, why }: RotationRequested): RequestDecision {
  const { rotating, previous, secretVersionId } = item;
  const phase = rotating?.phase;
  const making = phase === 'creating' || phase === 'proving';
  const next = making ? rotating?.pending?.versionId : undefined;
  const back = phase === 'grace' && rotating?.reason !== 'emergency' ? previous?.versionId : undefined;
  // What is done from here on is done in the name of who wants it so; who asked for the rotation is on record with what was done before.
  const wish = (wanted: NonNullable<Rotating['wish']>): RequestDecision =>
    rotating ? { next: 'change', change: { rotating: { ...rotating, wish: wanted, requestedBy, why } } } : nothing;
  const inForce = (wanted: NonNullable<Rotating['wish']>, id: string): RequestDecision =>
    isRevoked(item, id) ? contradiction(item, 'cannot go to a version that was revoked') : wish(wanted);
  switch (action) {
    case 'promote':
      if (versionId === secretVersionId) return nothing;
      if (next !== undefined && (versionId ?? next) === next) return inForce('promote', next);
      if (back !== undefined && versionId === back) return inForce('rollback', back);
      return contradiction(item, 'has no such version that could be in force');
    case 'demote':
      if (next !== undefined && versionId === next) return wish('cancel');
      if (back !== undefined && versionId === back) return wish('retire');
      if (back !== undefined && (versionId ?? secretVersionId) === secretVersionId) return inForce('rollback', back);
      return contradiction(item, 'has no version that could take the place of that one');
    default:
      if (making) return wish('cancel');
      if (back !== undefined) return inForce('rollback', back);
      return contradiction(item, 'has no earlier version that is kept: its key is dead, or about to be');
  }
}

function refusal(error: CordonError): RequestDecision {
  return { next: 'refuse', error };
}

function contradiction({ credentialId }: CredentialItem, what: string): RequestDecision {
  return refusal(new CordonError('EVENT_CONTRADICTS', `credential ${credentialId} ${what}`));
}
