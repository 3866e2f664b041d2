import type { Announcer } from '../../shared/announcer.ts';
import type { Clock, NextId } from '../../shared/clock.ts';
import { CordonError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Cell } from '../../tenants/dedicated-policies.ts';
import { compareFacts, type Difference } from './compare-facts.ts';
import type { Places } from './cross-tenant-requests.ts';
import type { Deployed } from './deployed.ts';
import type { outboundEvents } from './events.ts';
import type { Unread } from './fact.ts';
import { findCrossings } from './find-crossings.ts';
import { asEvent, type Finding, ofCrossing, ofDifference, ofUnread, toTell } from './finding.ts';
import { judge } from './judge.ts';
import { look, type Sight } from './look.ts';
import type { PolicyChecks } from './policy-checks.ts';
import type { Reference } from './reference.ts';

export interface AuditDeps {
  readonly clock: Clock;
  readonly nextId: NextId;
  readonly log: Log;
  readonly announcer: Announcer<typeof outboundEvents>;
  readonly deployed: Deployed;
  readonly checks: PolicyChecks;
  readonly reference: Reference;
  readonly cell: Cell;
  readonly places: Places;
}

/** A tenant's roles and key are made within minutes: what is only missing from them for so long is being made. */
const settlingMs = 3_600_000;

/**
 * Compares every policy that is deployed with what was synthesized, and tells each difference. Nothing is changed, and nothing is remembered: a run that is repeated tells
 * the same again. What could not be looked at is told too; a run is never silent about it.
 *
 * @param eventId of the request, when somebody asked
 * @throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED when what was found could not be told
 */
export async function auditPolicies(deps: AuditDeps, eventId?: string): Promise<void> {
  const auditId = deps.nextId();
  const log = deps.log.with({ auditId });
  const sight = await look(deps);
  const differences = compareFacts(sight.expected, sight.actual, sight.unread).filter((one) => !isBeingMade(one, sight, deps.clock()));
  const judged = await judgeAll(deps, sight, differences);
  const { crossings, unread } = await findCrossings(deps.checks, { ...sight, places: deps.places });
  const findings = [...judged.findings, ...crossings.map(ofCrossing), ...[...sight.unread, ...judged.unread, ...unread].map(ofUnread)];
  // All of them are in the log, however many are told.
  for (const { code, message, tenantId } of findings) log.warn('a policy is not what it should be', { code, reason: message, tenantId });
  for (const finding of toTell(findings)) await deps.announcer.announce('IsolationViolationDetected', asEvent(finding, auditId, eventId));
  const counted = (code: Finding['code']): number => findings.filter((finding) => finding.code === code).length;
  const counts = { grantsAcross: counted('POLICY_GRANTS_ACROSS'), drift: counted('POLICY_DRIFT'), incomplete: counted('AUDIT_INCOMPLETE') };
  const compared = sight.expected.length;
  log.info('policies were audited', { compared, ...counts });
  await deps.announcer.announce('PoliciesAudited', {
    version: 1,
    auditId,
    ...(eventId !== undefined && { eventId }),
    compared,
    findings: counts,
  });
}

/** When Access Analyzer does not answer, the worse is assumed, and said. */
async function judgeAll(
  { checks }: AuditDeps,
  { refusing }: Sight,
  differences: readonly Difference[],
): Promise<{ readonly findings: readonly Finding[]; readonly unread: readonly Unread[] }> {
  const findings: Finding[] = [];
  const unread: Unread[] = [];
  for (const difference of differences) {
    try {
      findings.push(ofDifference(difference, await judge({ checks, refusing }, difference)));
    } catch (error) {
      if (!(error instanceof CordonError)) throw error;
      const { of, aspect } = difference;
      unread.push({ of, aspect, why: error.message });
      findings.push(ofDifference(difference, { severity: 'grants', what: 'is not what was synthesized; what it allows was not judged' }));
    }
  }
  return { findings, unread };
}

function isBeingMade({ aspect, expected, actual }: Difference, { youngest }: Sight, now: number): boolean {
  const tenantId = expected?.tenantId;
  if (tenantId === undefined || now - (youngest.get(tenantId) ?? 0) > settlingMs) return false;
  if (aspect === 'existence') return actual === undefined;
  const [should, is] = [expected?.value, actual?.value];
  return (
    should?.kind === 'list' &&
    is?.kind === 'list' &&
    aspect === 'attached policies' &&
    is.members.every((one) => should.members.includes(one))
  );
}
