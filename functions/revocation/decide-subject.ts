import { CordonError } from '../shared/errors.ts';
import type { CredentialItem, TenantItem, UserItem } from '../tenants/registry.ts';
import type { Asked } from './asked.ts';
import { endedCredential } from './ending-changes.ts';
import type { SubjectChange, Tombstone, TombstoneKind } from './revocation-store.ts';

/** What there is of the subject. */
export type Known = KnownAccess | KnownCredential | KnownClaim;
type KnownAccess =
  | { readonly of: 'TENANT'; readonly item: TenantItem | undefined; readonly tombstone: Tombstone | undefined }
  | { readonly of: 'USER'; readonly item: UserItem | undefined; readonly tombstone: Tombstone | undefined };
interface KnownCredential {
  readonly of: 'CREDENTIAL';
  readonly item: CredentialItem | undefined;
  readonly tombstone: Tombstone | undefined;
}
/** What only tokens name. */
interface KnownClaim {
  readonly of: 'AGENT' | 'SESSION';
  readonly tombstone: Tombstone | undefined;
}

export interface SubjectInput {
  readonly asked: Asked;
  readonly revocationId: string;
  /** ISO 8601: when the event was sent. */
  readonly time: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Versions remembered as revoked: more than Secrets Manager keeps of a secret. */
const remembered = 100;
const nothing: SubjectChange = { of: 'NOTHING' };

/**
 * What a request makes of its subject. Pure. Whatever the order in which requests arrive, the safer one stands: only a reinstatement that was sent after a suspension
 * ends it, and nothing ends an offboarding.
 *
 * @throws CordonError TENANT_OFFBOARDED | EVENT_CONTRADICTS, and CREDENTIAL_UNKNOWN (retryable)
 */
export function decideSubject(known: Known, input: SubjectInput): SubjectChange {
  switch (known.of) {
    case 'CREDENTIAL':
      return ofCredential(known, input);
    case 'AGENT':
    case 'SESSION':
      return known.tombstone ? nothing : buried(known, input);
    case 'TENANT':
      if (input.asked.action === 'reinstate') return reinstated(known, input);
      return known.item ? closedTenant(known.item, input) : buried(known, input);
    case 'USER':
      if (input.asked.action === 'reinstate') return reinstated(known, input);
      return known.item ? closedUser(known.item, input) : buried(known, input);
  }
}

function closedTenant(item: TenantItem, { asked, time }: SubjectInput): SubjectChange {
  if (item.status === 'offboarded') return nothing;
  if (asked.action === 'offboard') return { of: 'TENANT', item, change: { status: 'offboarded', epoch: item.epoch + 1 } };
  const suspendedAt = later(item.suspendedAt, time);
  if (item.status === 'suspended') return { of: 'TENANT', item, change: { suspendedAt } };
  return {
    of: 'TENANT',
    item,
    change: { status: 'suspended', suspendedAt, statusBefore: item.status, epoch: item.epoch + 1 },
  };
}

function closedUser(item: UserItem, { asked, time }: SubjectInput): SubjectChange {
  if (item.status === 'offboarded') return nothing;
  if (asked.action === 'offboard') return { of: 'USER', item, change: { status: 'offboarded', epoch: item.epoch + 1 } };
  const suspendedAt = later(item.suspendedAt, time);
  if (item.status === 'suspended') return { of: 'USER', item, change: { suspendedAt } };
  return { of: 'USER', item, change: { status: 'suspended', suspendedAt, epoch: item.epoch + 1 } };
}

function reinstated(known: KnownAccess, { asked, time }: SubjectInput): SubjectChange {
  const { item, tombstone } = known;
  const name = asked.scope === 'tenant' ? `tenant ${asked.tenantId}` : `user ${asked.userId ?? ''}`;
  const final = item?.status === 'offboarded' || (item === undefined && tombstone?.action === 'offboard');
  if (final) throw new CordonError('TENANT_OFFBOARDED', `${name} was offboarded, which nothing ends`);
  if (item === undefined && tombstone === undefined)
    throw new CordonError('EVENT_CONTRADICTS', `${name} is not known, so it is not suspended`);
  const suspendedAt = item === undefined ? tombstone?.suspendedAt : item.suspendedAt;
  const isSuspended = item === undefined ? tombstone?.lifted !== true : item.status === 'suspended';
  if (!isSuspended) return nothing;
  if (suspendedAt !== undefined && Date.parse(time) <= Date.parse(suspendedAt))
    throw new CordonError('EVENT_CONTRADICTS', `${name} was suspended at ${suspendedAt}, in the same second or later: ask again`);
  if (known.of === 'TENANT' && known.item) {
    const { statusBefore = 'active' } = known.item;
    return { of: 'TENANT', item: known.item, change: { status: statusBefore, suspendedAt: undefined, statusBefore: undefined } };
  }
  if (known.of === 'USER' && known.item) return { of: 'USER', item: known.item, change: { status: 'active', suspendedAt: undefined } };
  return tombstone ? { of: 'TOMBSTONE', known: tombstone, tombstone: { ...bare(tombstone), lifted: true } } : nothing;
}

/** What is not there yet is refused when it comes; a tombstone that is there is only ever made stronger. */
function buried({ of, tombstone }: Pick<Known, 'of' | 'tombstone'>, { asked, time }: SubjectInput): SubjectChange {
  const id = idOf(of, asked);
  const action = tombstone?.action === 'offboard' ? 'offboard' : asked.action;
  const suspendedAt = later(tombstone?.suspendedAt, time);
  const next = { tenantId: asked.tenantId, kind: 'REVOKED' as const, of, ...(id !== undefined && { id }), action, suspendedAt };
  return { of: 'TOMBSTONE', known: tombstone, tombstone: { ...next, lifted: undefined } };
}

function ofCredential({ item, tombstone }: KnownCredential, input: SubjectInput): SubjectChange {
  const { asked, revocationId, now } = input;
  if (item === undefined) {
    if (asked.scope === 'version')
      throw new CordonError('CREDENTIAL_UNKNOWN', `tenant ${asked.tenantId} has no credential ${asked.credentialId ?? ''}`, {
        retryable: true,
      });
    return tombstone ? nothing : buried({ of: 'CREDENTIAL', tombstone }, input);
  }
  if (item.status === 'revoked') return nothing;
  if (asked.scope === 'credential') return { of: 'CREDENTIAL', item, change: endedCredential(item, { ...asked, revocationId }, now) };
  const { versionId = '' } = asked;
  const revoked = item.revokedVersionIds ?? [];
  if (revoked.includes(versionId)) return nothing;
  return { of: 'CREDENTIAL', item, change: { revokedVersionIds: [...revoked, versionId].slice(-remembered), epoch: item.epoch + 1 } };
}

/** Which kind of item or tombstone a scope is about. */
export function kindOf({ scope }: Pick<Asked, 'scope'>): TombstoneKind {
  const kinds = {
    tenant: 'TENANT',
    user: 'USER',
    agent: 'AGENT',
    session: 'SESSION',
    credential: 'CREDENTIAL',
    version: 'CREDENTIAL',
  } as const;
  return kinds[scope];
}

export function idOf(of: TombstoneKind, asked: Asked): string | undefined {
  const ids = { TENANT: undefined, USER: asked.userId, CREDENTIAL: asked.credentialId, AGENT: asked.agentId, SESSION: asked.sessionId };
  return ids[of];
}

function bare({ tenantId, kind, of, id, action, suspendedAt }: Tombstone) {
  return { tenantId, kind, of, id, action, suspendedAt };
}

/** The later of two times, either of which may be missing. */
function later(a: string | undefined, b: string): string {
  return a !== undefined && Date.parse(a) > Date.parse(b) ? a : b;
}
