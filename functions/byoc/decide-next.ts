import { dueShardOf } from '../sweep/due-shard.ts';
import type { Connection, NewConnection, StatusReason } from './connection.ts';
import type { ProbeResult } from './probe/probe.ts';
import { nextAfterSetback, nextAfterVerification, nextDaily, nextWhilePending } from './probe-schedule.ts';

/** What a run does with a connection that is due. */
export type NextStep =
  /** It is not due, or another worker is at it. */
  | { readonly next: 'nothing' }
  /** Its status is yet to be told, and what belongs to the status yet to be done. */
  | { readonly next: 'settle' }
  /** Its time is over. */
  | { readonly next: 'change'; readonly change: Partial<NewConnection> }
  | { readonly next: 'probe' };

/** A new role's policies follow it by some seconds, and a role that was in use may be given more: so long a permission may be missing. */
const permissionGraceMs = 5 * 60_000;

/** The next step for a connection, from what is written down of it. Pure; `now` is in milliseconds since the epoch. */
export function decideNext(item: Connection, now: number): NextStep {
  if (item.dueAt === undefined || now < item.dueAt || now < item.leaseUntil) return { next: 'nothing' };
  if (!item.announced) return { next: 'settle' };
  if (item.status === 'pending') return now < item.requestedUntil ? { next: 'probe' } : { next: 'change', change: expiry(item, now) };
  if (item.status === 'active') return { next: 'probe' };
  // Nothing is due of any other status once it was told.
  return { next: 'change', change: notDue };
}

/** What a probe's result makes of a connection: its next status, what is known of it, and when it is due again. Pure. */
export function decideAfterProbe(item: Connection, now: number, result: ProbeResult): Partial<NewConnection> {
  const probed = { probedAt: now };
  if (result.verdict === 'no-answer') {
    const setbacks = item.setbacks + 1;
    const dueAt = nextAfterSetback(setbacks, now);
    return {
      ...probed,
      ...because(item, result.reason ?? noAnswer, now),
      setbacks,
      ...dueOf(item, item.status === 'pending' ? Math.min(dueAt, item.requestedUntil) : dueAt),
    };
  }
  return { ...probed, setbacks: 0, ...(item.status === 'active' ? whenActive(item, now, result) : whenPending(item, now, result)) };
}

/** When a connection is due after its status was told. */
export function dueAfterNews(item: Connection, now: number): Partial<NewConnection> {
  if (item.status === 'pending') return dueOf(item, now);
  if (item.status === 'active') return dueOf(item, nextAfterVerification(now));
  return notDue;
}

/** Both keys of the index, or neither: an item with one of them would be in no list and in no schedule. */
export function dueOf({ tenantId }: Pick<Connection, 'tenantId'>, dueAt: number): { dueShard: string; dueAt: number } {
  return { dueShard: dueShardOf(tenantId), dueAt };
}

const notDue = { dueShard: undefined, dueAt: undefined };

/** A change of status is yet to be told: it is due at once, so that it is told also when this run ends here. */
function become(item: Connection, status: Connection['status'], now: number): Partial<NewConnection> {
  return { status, announced: false, ...dueOf(item, now) };
}

function because(item: Connection, statusReason: StatusReason, now: number): Partial<NewConnection> {
  return { statusReason, reasonSince: item.statusReason?.code === statusReason.code ? (item.reasonSince ?? now) : now };
}

function whenPending(item: Connection, now: number, result: ProbeResult): Partial<NewConnection> {
  const { verdict, roleArn, roleId } = result;
  if (verdict === 'sound' && roleArn !== undefined && roleId !== undefined) {
    return {
      ...become(item, 'active', now),
      roleArn,
      roleId,
      verifiedAt: now,
      findings: [...result.findings],
      statusReason: undefined,
      reasonSince: undefined,
    };
  }
  const reason = because(item, result.reason ?? notConnected, now);
  const wait = { ...reason, ...dueOf(item, nextWhilePending(item, now)) };
  if (verdict !== 'unsound') return wait;
  if (result.reason?.code === 'PERMISSION_MISSING' && now < permissionsDue(item, reason.reasonSince ?? now)) return wait;
  return { ...become(item, 'rejected', now), ...reason, findings: [...result.findings] };
}

/** A role that was verified before is being given more by its owner, who has the whole time; a new one has as long as IAM may take. */
function permissionsDue({ verifiedAt, requestedUntil }: Connection, since: number): number {
  return verifiedAt === undefined ? since + permissionGraceMs : requestedUntil;
}

function whenActive(item: Connection, now: number, result: ProbeResult): Partial<NewConnection> {
  if (result.verdict === 'sound' && result.roleId === item.roleId) {
    return {
      verifiedAt: now,
      findings: [...result.findings],
      statusReason: undefined,
      reasonSince: undefined,
      ...dueOf(item, nextDaily(item, now)),
    };
  }
  const reason = result.verdict === 'sound' ? recreated : (result.reason ?? gone);
  return {
    ...become(item, 'suspended', now),
    // Sessions that were opened through the role are not to be used any more.
    epoch: item.epoch + 1,
    ...because(item, result.verdict === 'unreachable' ? gone : reason, now),
    findings: [...result.findings],
  };
}

/** What was last found wrong says best why nothing came of it. */
function expiry(item: Connection, now: number): Partial<NewConnection> {
  return { ...become(item, 'expired', now), ...because(item, item.statusReason ?? notConnected, now) };
}

const notConnected: StatusReason = {
  code: 'ROLE_NOT_REACHABLE',
  message: 'No role that Cordon may assume was found in the account.',
  nextStep: 'Open the link and create the stack in the AWS account that you named.',
};
const noAnswer: StatusReason = {
  code: 'NO_ANSWER',
  message: 'AWS gave no answer, so nothing was learned about the role.',
  nextStep: 'Nothing is to be done: Cordon asks again.',
};
const gone: StatusReason = {
  code: 'ROLE_GONE',
  message: 'The role was verified before and does not admit Cordon any more.',
  nextStep: 'If that was not meant, create the stack again and request the connection anew.',
};
const recreated: StatusReason = {
  code: 'ROLE_RECREATED',
  message: 'The role was deleted and another one was made under its name.',
  nextStep: 'If that was you, request the connection anew.',
};
