import { cordonRoleOf } from './cordon-role.ts';
import type { Finding } from './finding.ts';
import { subjectOfName, subjectText } from './session-name.ts';
import type { TrailRecord } from './trail-record.ts';

/**
 * Whether a session that was handed out is named for whom its tags say (E8): from then on its name is all that CloudTrail shows of it. Pure.
 *
 * @param accountId the cell's
 */
export function decideSession(record: TrailRecord, accountId: string): readonly Finding[] {
  const { roleArn = '', roleSessionName = '', tags = [] } = record.requestParameters;
  const role = cordonRoleOf(roleArn, accountId);
  // Of a session that was refused there is nothing to compare.
  if (role === undefined || record.errorCode !== undefined) return [];
  // Keys of tags compare without case (IAM User Guide, "Passing session tags in AWS STS").
  const tagOf = (name: string): string | undefined => tags.find(({ key }) => key.toLowerCase() === name.toLowerCase())?.value ?? undefined;
  const [tenantTag, userTag] = [tagOf('TenantId'), tagOf('UserId')];
  const subject = subjectOfName(roleSessionName);
  const problem = (what: string): readonly Finding[] => [
    {
      code: 'SESSION_DISAGREES',
      tenantId: subjectOfName(tenantTag ?? '')?.tenantId ?? role.owner ?? subject?.tenantId,
      message: `a session of ${role.name} was handed out under the name ${roleSessionName}, ${what}: asked for by ${record.userIdentity.arn ?? 'an unnamed caller'}`,
      left: ['the session is good for up to an hour: cut off the sessions of the tenant in its tags'],
    },
  ];
  if (subject === undefined) return problem('which names no tenant');
  if (role.owner !== undefined && role.owner !== subject.tenantId) return problem(`but the role is of tenant ${role.owner}`);
  // A dedicated tenant's role carries the tenant itself.
  if (tenantTag !== subject.tenantId && (tenantTag !== undefined || role.owner === undefined))
    return problem(tenantTag === undefined ? 'but without a tenant in its tags' : `but its tags say tenant ${tenantTag}`);
  if (userTag !== subject.userId)
    return problem(
      userTag === undefined ? `but its tags name no user` : `which names ${subjectText(subject)}, but its tags say user ${userTag}`,
    );
  return [];
}
