import { isTenantId, isUserId, type TenantId, type UserId } from '../../shared/identifiers.ts';

/** Whom a session is for. */
export interface SessionSubject {
  readonly tenantId: TenantId;
  readonly userId?: UserId | undefined;
}

/**
 * Reads the name that every session of Cordon has: `{tenantId}`, `{tenantId}.{userId}`, or `{tenantId}.` where the ID is a single character (`shared/tenant-sessions.ts`).
 * Undefined for every other name.
 */
export function subjectOfName(sessionName: string): SessionSubject | undefined {
  const dot = sessionName.indexOf('.');
  const tenantId = dot < 0 ? sessionName : sessionName.slice(0, dot);
  if (!isTenantId(tenantId)) return undefined;
  if (dot < 0) return { tenantId };
  const rest = sessionName.slice(dot + 1);
  if (isUserId(rest)) return { tenantId, userId: rest };
  return rest === '' && tenantId.length === 1 ? { tenantId } : undefined;
}

/** As text: `acme`, or `user … of acme`. */
export function subjectText({ tenantId, userId }: SessionSubject): string {
  return userId === undefined ? `tenant ${tenantId}` : `user ${userId} of tenant ${tenantId}`;
}
