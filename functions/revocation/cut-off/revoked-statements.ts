import type { TenantId, UserId } from '../../shared/identifiers.ts';

/** Sessions of these tenants are refused when they are older than the instant; with `userIds`, only those of these users. */
export interface Refusal {
  /** Milliseconds since the epoch, of a full second. */
  readonly instant: number;
  readonly tenantIds: readonly TenantId[];
  readonly userIds?: readonly UserId[];
}

interface Statement {
  readonly Sid: string;
  readonly Effect: 'Deny';
  readonly NotAction: string;
  readonly Resource: '*';
  readonly Condition: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/**
 * What a session that is cut off may still do: put on record how a call ended that it had begun. It can neither read nor change what is there, and the isolation rules
 * keep it to its own tenant.
 */
const stillAllowed = 'dynamodb:PartiQLInsert';

/** Nothing but Deny ever stands in it: whoever could write this policy could refuse, and grant nothing. */
export function denying(refusals: readonly Refusal[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: refusals.map(statementOf) };
}

/** IAM takes no document without a statement. No tenant ID has a capital letter, and no session is that old. */
export const nothingDenied: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [deny('NothingCutOff', { 'aws:PrincipalTag/TenantId': 'NONE' }, 0)],
};

function statementOf({ instant, tenantIds, userIds }: Refusal, index: number): Statement {
  const whose = { 'aws:PrincipalTag/TenantId': tenantIds, ...(userIds && { 'aws:PrincipalTag/UserId': userIds }) };
  return deny(`${userIds ? 'Users' : 'Tenants'}${index}`, whose, instant);
}

/** Source: IAM User Guide, "Revoke IAM role temporary security credentials" (`aws:TokenIssueTime`). */
function deny(Sid: string, whose: Readonly<Record<string, string | readonly string[]>>, instant: number): Statement {
  const before = `${new Date(instant).toISOString().slice(0, 19)}Z`;
  return {
    Sid,
    Effect: 'Deny',
    NotAction: stillAllowed,
    Resource: '*',
    Condition: { StringEquals: whose, DateLessThan: { 'aws:TokenIssueTime': before } },
  };
}
