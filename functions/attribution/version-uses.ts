import type { CredentialId, TenantId } from '../shared/identifiers.ts';

/** What attribution tells of the uses of one version of a credential. */
export interface VersionUse {
  /** When the latest one was begun, in milliseconds since the epoch; undefined when there was none. */
  readonly lastAt?: number;
  /** One is under way, or may be: it was begun within the last 16 minutes and has no outcome. */
  readonly open: boolean;
  /** False: there are more entries than one look goes through, so that what was found is not all there is. */
  readonly complete: boolean;
}

/** Throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED | ITEM_NOT_UNDERSTOOD. */
export interface VersionUses {
  /**
   * Uses through the broker that were begun at `since` or later, but not before yesterday (UTC). An entry that names no version counts as one of this version.
   * Validating, storing and revoking a key is no use of it, and neither is an intent that was closed because the credential had changed.
   *
   * @param since milliseconds since the epoch
   */
  usesOf(tenantId: TenantId, credentialId: CredentialId, versionId: string, since: number): Promise<VersionUse>;
}

/** Longer than a call through the broker can last (15 minutes): what was begun before this is over. Milliseconds. */
export const drainMs = 16 * 60_000;

/** Whether nobody uses the version any more, as far as uses since `now - drainMs` at least tell. Pure. */
export function isDrained({ lastAt, open, complete }: VersionUse, now: number): boolean {
  return complete && !open && (lastAt === undefined || now - lastAt >= drainMs);
}
