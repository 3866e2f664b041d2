import type { Check } from '../../functions/isolation/check.ts';
import type { VerificationResult } from '../../functions/isolation/verify/result.ts';
import type { ListedVerification } from '../../functions/isolation/verify/verification.ts';
import type { ResultCheck } from '../../functions/isolation/verify/verify-result.ts';
import { type ExitCode, exitCodes } from '../command-error.ts';
import { fieldLines, tableLines } from '../table.ts';

/** What failed first, then what could not be tried. */
const order: readonly Check['outcome'][] = ['failed', 'not-verified', 'passed'];

/** A run in short, and what of it did not pass in full. */
export function resultLines({
  checks,
  counts,
  tenantId,
  verificationId,
  startedAt,
  finishedAt,
  requestedBy,
}: VerificationResult): readonly string[] {
  const notable = order.flatMap((outcome) => (outcome === 'passed' ? [] : checks.filter((check) => check.outcome === outcome)));
  const rows = notable.map(({ outcome, id, service, detail }) => [outcome, id, service, detail]);
  return [
    ...fieldLines({ run: verificationId, of: tenantId, 'asked for by': requestedBy, begun: startedAt, ended: finishedAt }),
    ...fieldLines({ passed: counts.passed, failed: counts.failed, 'not verified': counts.notVerified }),
    '',
    ...testLines(checks),
    ...(rows.length === 0 ? [] : ['', ...tableLines(['OUTCOME', 'CHECK', 'OF', 'WHAT CAME OF IT'], rows)]),
  ];
}

/** One line for each of the tests. */
function testLines(checks: readonly Check[]): readonly string[] {
  const tests = [...new Set(checks.map(({ test }) => test))];
  const rows = tests.map((test) => {
    const own = checks.filter((check) => check.test === test);
    return [test, ...order.toReversed().map((outcome) => own.filter((check) => check.outcome === outcome).length)];
  });
  return tableLines(['TEST', 'PASSED', 'NOT VERIFIED', 'FAILED'], rows);
}

export function runTable(runs: readonly ListedVerification[]): readonly string[] {
  const rows = runs.map(({ verificationId, startedAt, status, counts, requestedBy }) => [
    ...[startedAt, status, counts?.passed, counts?.failed, counts?.notVerified, requestedBy, verificationId],
  ]);
  return tableLines(['BEGUN', 'STATUS', 'PASSED', 'FAILED', 'NOT VERIFIED', 'ASKED FOR BY', 'RUN'], rows);
}

export function checkLines({ ok, key, result }: ResultCheck): readonly string[] {
  return fieldLines({
    verdict: ok ? 'as it was signed' : 'NOT as it was signed',
    run: ok ? result?.verificationId : undefined,
    of: ok ? result?.tenantId : undefined,
    ended: ok ? result?.finishedAt : undefined,
    passed: ok ? result?.counts.passed : undefined,
    failed: ok ? result?.counts.failed : undefined,
    'not verified': ok ? result?.counts.notVerified : undefined,
    'signed by': key?.keyArn,
    'key’s SHA-256': key?.sha256,
    'key taken from': key && (key.source === 'pinned' ? 'what you named' : 'the file itself'),
  });
}

/** What did not pass is not passed: a failure, or nothing that could be shown. */
export function exitCodeOf({ counts }: Pick<VerificationResult, 'counts'>): ExitCode {
  if (counts.failed > 0) return exitCodes.failed;
  return counts.notVerified > 0 || counts.passed === 0 ? exitCodes.unconfirmed : exitCodes.ok;
}
