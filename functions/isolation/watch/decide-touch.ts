import { isTenantId, type TenantId } from '../../shared/identifiers.ts';
import { isCanary } from '../canaries.ts';
import { type Caller, callerOf } from './caller.ts';
import { cordonRoleOf } from './cordon-role.ts';
import type { Finding } from './finding.ts';
import { subjectText } from './session-name.ts';
import { resourceOf, secretsOf, type TouchedSecret } from './touched.ts';
import type { TrailRecord } from './trail-record.ts';

/** They hand out what a secret holds. */
const reading = /^(?:BatchGetSecretValue|GetSecretValue)$/;
/** They change what it holds, or whether it is there. */
const writing = /^(?:CreateSecret|DeleteSecret|PutSecretValue|RestoreSecret|UpdateSecretVersionStage)$/;
/** Nothing of Cordon's ever does any of these: tags come with the secret's creation, keys stay what they are. */
const movingSecrets =
  /^(?:CancelRotateSecret|DeleteResourcePolicy|PutResourcePolicy|RemoveRegionsFromReplication|ReplicateSecretToRegions|RotateSecret|StopReplicationToReplica|TagResource|UntagResource|UpdateSecret)$/;
const movingKeys = /^(?:CreateGrant|PutKeyPolicy|ReplicateKey)$/;

/**
 * What is wrong with one call to Secrets Manager, KMS or STS: who asked, against whose it was. Pure. Refused calls count as well: that a wall has held is no reason not to know who
 * ran into it.
 *
 * Two sessions of one tenant are not told apart here: whose a secret is within its tenant stands in its tags, which no record shows. IAM refuses, and whoever was refused reports.
 *
 * @param accountId the cell's
 */
export function decideTouch(record: TrailRecord, accountId: string): readonly Finding[] {
  const caller = callerOf(record, accountId);
  // The isolation tests try it on purpose. What they are refused is as it has to be; what they get is found here as anybody else's.
  if (wasRefused(record) && caller.kind === 'session' && caller.subject !== undefined && isCanary(caller.subject.tenantId)) return [];
  switch (record.eventSource) {
    case 'secretsmanager.amazonaws.com':
      return secretsOf(record).flatMap((secret) => ofSecret(record, caller, secret));
    case 'kms.amazonaws.com':
      return ofKey(record, caller);
    case 'sts.amazonaws.com':
      return ofRole(record, caller, accountId);
    default:
      return [];
  }
}

export function wasRefused({ errorCode }: Pick<TrailRecord, 'errorCode'>): boolean {
  return errorCode?.startsWith('AccessDenied') === true;
}

function ofSecret(record: TrailRecord, caller: Caller, { tenantId }: TouchedSecret): readonly Finding[] {
  const { eventName } = record;
  const what = `${eventName} on a secret of tenant ${tenantId}`;
  if (movingSecrets.test(eventName)) {
    return [
      finding(
        record,
        'WALL_TOUCHED',
        tenantId,
        `${caller.label} asked for ${what}`,
        'its policy, tags, copies and key have to be looked at',
      ),
    ];
  }
  if (caller.kind === 'foreign') {
    const asked = `${caller.label}, which is no session of a tenant, asked for ${what}`;
    if (reading.test(eventName))
      return [finding(record, 'FOREIGN_READER', tenantId, asked, 'somebody has its value: rotate the credential')];
    if (writing.test(eventName))
      return [finding(record, 'FOREIGN_WRITER', tenantId, asked, 'what it holds is no more Cordon’s: rotate the credential')];
    return [];
  }
  return ofOther(record, caller, tenantId, what);
}

/** Direct use of a key, with the tenant in the encryption context. What Secrets Manager asks for on somebody's behalf is seen there. */
function ofKey(record: TrailRecord, caller: Caller): readonly Finding[] {
  const { eventName, requestParameters, userIdentity } = record;
  if (userIdentity.invokedBy !== undefined) return [];
  if (movingKeys.test(eventName)) {
    const message = `${caller.label} asked for ${eventName} on the key ${requestParameters.keyId ?? resourceOf(record.errorMessage) ?? '(not named)'}`;
    return [finding(record, 'WALL_TOUCHED', undefined, message, 'the policy and the grants of the key have to be looked at')];
  }
  const { TenantId: tenantId = '', UserId: user } = requestParameters.encryptionContext ?? {};
  if (!isTenantId(tenantId)) return [];
  const what = `${eventName} with a key of tenant ${tenantId}`;
  if (caller.kind === 'foreign')
    return [
      finding(
        record,
        'FOREIGN_READER',
        tenantId,
        `${caller.label}, which is no session of a tenant, asked for ${what}`,
        'somebody may have opened what was sealed',
      ),
    ];
  const crossing = ofOther(record, caller, tenantId, what);
  if (crossing.length > 0 || user === undefined || user === caller.subject?.userId) return crossing;
  return [
    finding(
      record,
      'CROSS_TENANT_USE',
      tenantId,
      `${caller.label} asked for ${what}, of another user`,
      'somebody may have opened what was sealed',
    ),
  ];
}

/** A refused step into a role: what a session may become is of its own tenant. */
function ofRole(record: TrailRecord, caller: Caller, accountId: string): readonly Finding[] {
  if (caller.kind === 'foreign') return [];
  const role = cordonRoleOf(record.requestParameters.roleArn ?? resourceOf(record.errorMessage) ?? '', accountId);
  return role?.owner === undefined ? [] : ofOther(record, caller, role.owner, `${record.eventName} on a role of tenant ${role.owner}`);
}

function ofOther(record: TrailRecord, caller: Caller & { kind: 'session' }, tenantId: TenantId, what: string): readonly Finding[] {
  const { role, subject, label } = caller;
  const left = 'what belongs to that tenant is in other hands: revoke the credential, and the sessions of both tenants';
  if (subject === undefined)
    return [
      finding(
        record,
        'SESSION_DISAGREES',
        tenantId,
        `${label}, a session of ${role.name} whose name names no tenant, asked for ${what}`,
        left,
      ),
    ];
  const crosses = subject.tenantId !== tenantId || (role.owner !== undefined && role.owner !== tenantId);
  return crosses
    ? [finding(record, 'CROSS_TENANT_USE', tenantId, `${label}, a session for ${subjectText(subject)}, asked for ${what}`, left)]
    : [];
}

function finding(record: TrailRecord, code: Finding['code'], tenantId: TenantId | undefined, message: string, left: string): Finding {
  const { errorCode } = record;
  const ended = errorCode === undefined ? 'and got it' : wasRefused(record) ? 'and was refused' : `which failed (${errorCode})`;
  return { code, tenantId, message: `${message}, ${ended}`, left: errorCode === undefined ? [left] : [] };
}
