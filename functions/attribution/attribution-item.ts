/** How an entry is laid out in the table: shared by whatever writes it, free of SDK and schema library, so that the broker's bundle stays small. */
import { decodeTime } from 'ulid';
import type { PlainItem } from '../shared/attribute-values.ts';
import type { AttributionEntry } from './attribution-entry.ts';

/** The UTC day, `yyyy-mm-dd`, under which both entries of an ID are kept: the day the intent was recorded, also when the outcome comes after midnight. */
export function dayOf(id: string): string {
  return new Date(decodeTime(id)).toISOString().slice(0, 10);
}

/** The leading key ends in a delimiter that no tenant ID holds, then the day: `TENANT#acme#2026-11-21`. */
export function partitionOf(tenantId: string, day: string): string {
  return `TENANT#${tenantId}#${day}`;
}

/** The whole item, keys included. `INTENT` sorts before `OUTCOME`; each index value ends in the ULID, so that an index sorts by time. */
export function itemOf(entry: AttributionEntry): PlainItem {
  const { id, at, kind, tenantId, operation, provider, credentialId, credentialVersion, actor, context, asserted } = entry;
  return {
    pk: partitionOf(tenantId, dayOf(id)),
    sk: `${id}#${kind}`,
    credentialKey: credentialId && `${credentialId}#${id}`,
    userKey: actor.userId && `${actor.userId}#${id}`,
    sessionKey: actor.sessionId && `${actor.sessionId}#${id}`,
    ...{ id, at, kind, tenantId, operation, provider, credentialId, credentialVersion, actor, context, asserted },
    ...(entry.kind === 'OUTCOME' && { outcome: entry.outcome, proof: entry.proof }),
  };
}
