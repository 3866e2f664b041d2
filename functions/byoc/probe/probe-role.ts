import { CordonError } from '../../shared/errors.ts';
import type { SessionCredentials } from '../../shared/tenant-sessions.ts';
import { diagnoseTrust, type TrustMistake } from './diagnose-trust.ts';
import { type DryCheck, dryCheck } from './dry-check.ts';
import type { ProbeDeps, ProbeFinding, ProbeInput, ProbeReason, ProbeResult, ProbeStep, ProbeStepResult, ProbeVerdict } from './probe.ts';
import * as reasons from './probe-reasons.ts';

/**
 * Finds out by trying whether a customer's role lets in exactly who it should: with the right external ID and from the connector only. Then, in the role's own
 * session, what its trust policy says and what its policies allow. Nothing of the customer's is read or changed but the role's own description.
 *
 * Only `AccessDenied` is a refusal. Throttled, slow or broken answers end in `no-answer`, unless something that must be refused was let in: that
 * stands, whatever else went unanswered.
 *
 * @returns never rejects for what AWS answers
 *
 * Source: IAM User Guide, "Access to AWS accounts owned by third parties" (the provider tests with and without the external ID).
 */
export async function probeRole(deps: ProbeDeps, input: ProbeInput): Promise<ProbeResult> {
  const steps: ProbeStepResult[] = [];
  const roleArn = `arn:aws:iam::${input.customerAccountId}:role/${input.roleName}`;
  let who: { readonly roleArn: string; readonly roleId: string } | undefined;
  const ended = (verdict: ProbeVerdict, reason?: ProbeReason, findings: readonly ProbeFinding[] = []): ProbeResult => ({
    verdict,
    ...(reason !== undefined && { reason }),
    ...who,
    findings,
    steps,
    at: deps.now(),
  });
  const unanswered = (): ProbeResult => {
    const open = steps.find(({ answer }) => answer === 'none') ?? steps.at(-1);
    return ended('no-answer', reasons.noAnswer(open?.step ?? 'right', open?.code));
  };

  const principals = await ownSessions(deps, input);
  if ('code' in principals) return ended('no-answer', reasons.probeUnavailable(principals.code));
  const { connector, second } = principals;
  const assume = (step: ProbeStep, from: SessionCredentials, externalId?: string): Promise<SessionCredentials | undefined> =>
    attempt(steps, step, () => deps.assumeCustomer(from, { tenantId: input.tenantId, roleArn, externalId }));

  const session = await assume('right', connector, input.externalId);
  if (session === undefined) {
    if (lastAnswer(steps) === 'none') return unanswered();
    if (input.expectedRoleId === undefined) return ended('unreachable', reasons.notReachable(input));
    // A role that worked is asked twice before it is called gone: IAM's changes are in force here earlier than there. The second time by a new session of the
    // connector: the first may have been cut off on our side just now.
    const again = await ownSessions(deps, input);
    if ('code' in again) return ended('no-answer', reasons.probeUnavailable(again.code));
    await assume('right-again', again.connector, input.externalId);
    return lastAnswer(steps) === 'refused' ? ended('unsound', reasons.roleGone(input)) : unanswered();
  }
  const identity = await attempt(steps, 'identity', () => deps.identityOf(session));
  if (identity === undefined) return unanswered();
  const [roleId = ''] = identity.userId.split(':');
  if (identity.accountId !== input.customerAccountId || identity.arn.split('/')[1] !== input.roleName)
    return ended('unsound', reasons.wrongAccount(input));
  who = { roleArn, roleId };
  if (input.expectedRoleId !== undefined && roleId !== input.expectedRoleId) return ended('unsound', reasons.roleRecreated(input));

  const attempts: readonly (readonly [ProbeStep, SessionCredentials, string?])[] = [
    ['missing', connector],
    ['wrong', connector, deps.randomText()],
    ['nearly-right', connector, nearly(input.externalId)],
    ['other-tenant', connector, deps.newExternalId()],
    ['second-principal', second, input.externalId],
    // What was refused above was refused for its own sake only if the right one still works.
    ['right-again', connector, input.externalId],
  ];
  for (const [step, from, externalId] of attempts) {
    await assume(step, from, externalId);
    // AWS is busy: the rest is for the next probe.
    if (lastAnswer(steps) === 'none') break;
  }
  const isComplete = lastAnswer(steps) === 'allowed';

  const trust = await readTrust(deps, session, input);
  const accepted = reasons.acceptanceReason(steps, trust.mistakes) ?? reasons.readReason(trust.mistakes);
  if (accepted !== undefined) return ended('unsound', accepted);
  if (!isComplete) return unanswered();
  if (trust.unanswered !== undefined) return ended('no-answer', reasons.noAnswer('reading the trust policy', trust.unanswered));

  const findings = [...trust.findings];
  const permissions = await answered(() => dryCheck(deps, session, roleArn, input));
  if ('value' in permissions) {
    const { missing, excessive }: DryCheck = permissions.value;
    if (missing.length > 0) return ended('unsound', reasons.permissionMissing(missing), findings);
    if (excessive.length > 0) findings.push(reasons.administratorWide(excessive));
  } else if (permissions.isRefusal) findings.push(reasons.permissionsNotShown);
  else return ended('no-answer', reasons.noAnswer('checking the permissions', permissions.code));
  return ended('sound', undefined, findings);
}

/** A failure here is Cordon's own: it must never be read as the customer's role refusing. */
async function ownSessions(
  deps: ProbeDeps,
  { tenantId }: ProbeInput,
): Promise<{ readonly connector: SessionCredentials; readonly second: SessionCredentials } | { readonly code: string }> {
  const sessions = await answered(async () => ({
    connector: await deps.assumeConnector(tenantId),
    second: await deps.assumeProbePrincipal(tenantId),
  }));
  return 'value' in sessions ? sessions.value : sessions;
}

type Answered<Value> = { readonly value: Value } | { readonly code: string; readonly isRefusal: boolean };

/** The only place where an AWS error becomes a refusal. Source: STS and IAM API Reference, "Common Errors". */
async function answered<Value>(call: () => Promise<Value>): Promise<Answered<Value>> {
  try {
    return { value: await call() };
  } catch (error) {
    // What Cordon translated already has its own code, and is no refusal of the customer's role.
    const code = error instanceof CordonError ? error.code : error instanceof Error ? error.name : 'Unknown';
    return { code, isRefusal: code === 'AccessDenied' };
  }
}

/** Takes one step and notes its answer. @returns undefined unless it was allowed */
async function attempt<Value>(steps: ProbeStepResult[], step: ProbeStep, call: () => Promise<Value>): Promise<Value | undefined> {
  const answer = await answered(call);
  if ('value' in answer) {
    steps.push({ step, answer: 'allowed' });
    return answer.value;
  }
  steps.push({ step, answer: answer.isRefusal ? 'refused' : 'none', code: answer.code });
  return undefined;
}

function lastAnswer(steps: readonly ProbeStepResult[]): ProbeStepResult['answer'] | undefined {
  return steps.at(-1)?.answer;
}

/** Another last character. */
function nearly(externalId: string): string {
  return `${externalId.slice(0, -1)}${externalId.endsWith('a') ? 'b' : 'a'}`;
}

interface ReadTrust {
  readonly mistakes: readonly TrustMistake[];
  readonly findings: readonly ProbeFinding[];
  /** AWS's code when the policy could not be read this time. */
  readonly unanswered?: string;
}

async function readTrust(deps: ProbeDeps, session: SessionCredentials, input: ProbeInput): Promise<ReadTrust> {
  const text = await answered(() => deps.trustOf(session, input.roleName));
  if ('value' in text) {
    const mistakes = diagnoseTrust(text.value, { ...deps, externalId: input.externalId });
    // Text that is no policy is as good as none shown.
    if (mistakes === undefined) return { mistakes: [], findings: [reasons.trustNotShown] };
    return { mistakes, findings: mistakes.map(reasons.trustToImprove) };
  }
  if (text.isRefusal) return { mistakes: [], findings: [reasons.trustNotShown] };
  return { mistakes: [], findings: [], unanswered: text.code };
}
