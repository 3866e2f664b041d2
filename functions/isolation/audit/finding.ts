import type { Failure } from '../../shared/failure-event.ts';
import type { TenantId } from '../../shared/identifiers.ts';
import type { Difference } from './compare-facts.ts';
import type { Unread } from './fact.ts';
import type { Crossing } from './find-crossings.ts';
import type { Judgement } from './judge.ts';

/** What an auditor has to look at. The runbook of each code is in docs/audit.md. */
export const findingCodes = ['POLICY_GRANTS_ACROSS', 'POLICY_DRIFT', 'AUDIT_INCOMPLETE'] as const;
export type FindingCode = (typeof findingCodes)[number];

export interface Finding {
  readonly code: FindingCode;
  /** One sentence; it names resources and statements, and holds nothing secret. */
  readonly message: string;
  readonly tenantId?: TenantId;
}

/** Each finding is an event of its own up to here: more than this are one cause, and an operator reads the log. */
export const mostEvents = 100;
const longestMessage = 900;

export function ofDifference({ of, aspect, expected, actual }: Difference, { severity, what }: Judgement): Finding {
  const tenantId = expected?.tenantId ?? actual?.tenantId;
  const where = aspect === 'existence' ? of : `${of}, ${aspect}`;
  // The stack does not make these: deploying it again would mend nothing.
  const remedy = tenantId === undefined ? '' : `; remedy: cordon dedicated upgrade ${tenantId}`;
  return {
    code: severity === 'crosses' ? 'POLICY_GRANTS_ACROSS' : 'POLICY_DRIFT',
    message: shortened(`${severity === 'changed' ? 'changed' : 'grants'}: ${where}: ${what}${remedy}`),
    ...(tenantId !== undefined && { tenantId }),
  };
}

export function ofCrossing({ of, allowed }: Crossing): Finding {
  return {
    code: 'POLICY_GRANTS_ACROSS',
    message: shortened(`grants: ${of}: its policies together allow on another tenant’s data: ${allowed.join('; ')}`),
  };
}

export function ofUnread({ of, aspect, why }: Unread): Finding {
  return {
    code: 'AUDIT_INCOMPLETE',
    message: shortened(`not looked at: ${of}${aspect === undefined ? '' : `, ${aspect}`}: ${why}`),
  };
}

/** The worst first; what is beyond the most is counted in the last. */
export function toTell(findings: readonly Finding[]): readonly Finding[] {
  const ordered = findingCodes.flatMap((code) => findings.filter((finding) => finding.code === code));
  if (ordered.length <= mostEvents) return ordered;
  const [told, rest] = [ordered.slice(0, mostEvents - 1), ordered.slice(mostEvents - 1)];
  const [first] = rest;
  return [...told, { code: first?.code ?? 'POLICY_DRIFT', message: `and ${rest.length} more findings, which the audit’s log names` }];
}

/** @param eventId of the request, so that whoever asked finds the answer; left out for the daily run */
export function asEvent({ code, message, tenantId }: Finding, auditId: string, eventId: string | undefined): Failure {
  return {
    version: 1,
    ...(tenantId !== undefined && { tenantId }),
    event: { id: eventId ?? auditId, detailType: 'PolicyAuditRequested' },
    reason: { code, message },
    left: [],
  };
}

const shortened = (text: string): string => (text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`);
