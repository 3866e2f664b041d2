/** Records of CloudTrail as EventBridge delivers them, and who may stand in them. */
import { type TrailRecord, trailRecord } from '../../../functions/isolation/watch/trail-record.ts';

export const account = '111122223333';
export const user = 'a'.repeat(26);
export const otherUser = 'b'.repeat(26);

/** A session of a role of Cordon's (or of `path`), by the role's name and its own. */
export function session(role: string, sessionName: string, path = 'cordon/'): object {
  return {
    type: 'AssumedRole',
    principalId: `AROAEXAMPLE:${sessionName}`,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${sessionName}`,
    accountId: account,
    sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/${path}${role}` } },
  };
}
export const person = { type: 'IAMUser', principalId: 'AIDAEXAMPLE', arn: `arn:aws:iam::${account}:user/admin`, accountId: account };
export const elsewhere = { type: 'AWSAccount', principalId: 'AIDAEXAMPLE', accountId: '444455556666' };

export function record(service: 'kms' | 'secretsmanager' | 'sts', eventName: string, more: object = {}): TrailRecord {
  return trailRecord.parse({
    eventVersion: '1.11',
    eventID: 'e1',
    eventTime: '2026-11-01T10:00:00Z',
    eventSource: `${service}.amazonaws.com`,
    eventName,
    userIdentity: session('TenantReader', 'acme'),
    requestParameters: null,
    ...more,
  });
}

/** A call on one secret. */
export const onSecret = (eventName: string, secretId: string, userIdentity: object, more: object = {}): TrailRecord =>
  record('secretsmanager', eventName, { userIdentity, requestParameters: { secretId }, ...more });

/** A session that STS has handed out: its role, its name, its tags. */
export function handedOut(role: string, roleSessionName: string, tags: Readonly<Record<string, string>>, more: object = {}): TrailRecord {
  return record('sts', 'AssumeRole', {
    userIdentity: session('SessionsFunctionRole', 'sessions', ''),
    requestParameters: {
      roleArn: `arn:aws:iam::${account}:role/cordon/${role}`,
      roleSessionName,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    },
    ...more,
  });
}

export const refused = { errorCode: 'AccessDenied', errorMessage: 'User is not authorized' };
