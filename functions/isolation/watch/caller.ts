import { type CordonRole, cordonRoleOf } from './cordon-role.ts';
import { type SessionSubject, subjectOfName } from './session-name.ts';
import type { TrailRecord } from './trail-record.ts';

/** Who made a call. `label` is for people: an ARN, or what CloudTrail says instead. */
export type Caller =
  /** A session of one of Cordon's roles. `subject` is undefined when its name names no tenant. */
  | { readonly kind: 'session'; readonly label: string; readonly role: CordonRole; readonly subject: SessionSubject | undefined }
  /** Anybody else: a person, an administrator, a function by its own role, another account. */
  | { readonly kind: 'foreign'; readonly label: string };

/** @param accountId the cell's: a session of a role of the same name elsewhere is not Cordon's */
export function callerOf({ userIdentity }: Pick<TrailRecord, 'userIdentity'>, accountId: string): Caller {
  const { type, arn, principalId, sessionContext } = userIdentity;
  const label = arn ?? `${type} ${principalId ?? userIdentity.accountId ?? userIdentity.invokedBy ?? ''}`.trim();
  const role = cordonRoleOf(sessionContext?.sessionIssuer?.arn ?? '', accountId);
  if (type !== 'AssumedRole' || role === undefined) return { kind: 'foreign', label };
  return { kind: 'session', label, role, subject: subjectOfName(arn?.split('/').at(-1) ?? '') };
}
