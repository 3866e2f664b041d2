import type { CertificateSigner } from '../../revocation/certificate/certificate-signer.ts';
import type { RotationRequested } from '../../rotation/events.ts';
import type { Announcer } from '../../shared/announcer.ts';
import type { Delivery } from '../../shared/delivery.ts';
import { CordonError } from '../../shared/errors.ts';
import type { Failure } from '../../shared/failure-event.ts';
import type { Log } from '../../shared/log.ts';
import type { PublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import { canaryCredentials, canaryIds } from '../canaries.ts';
import type { Check } from '../check.ts';
import type { IsolationVerificationRequested, outboundEvents } from '../events.ts';
import { openStage, type StageDeps } from './open-stage.ts';
import { countsOf, resultFormat, type VerificationResult, verificationId as verificationIdField, verificationResult } from './result.ts';
import { nothingRun, runTests } from './run-tests.ts';
import { signResult } from './sign-result.ts';
import type { Played } from './stage.ts';
import { restMs, type Verification, type VerificationStore } from './verification.ts';

export interface VerifyDeps extends StageDeps {
  readonly log: Log;
  readonly store: VerificationStore;
  readonly signer: CertificateSigner;
  readonly announcer: Announcer<typeof outboundEvents>;
  /** Asks for rotations, and for nothing else. */
  readonly publish: PublishAsPlatform<{ RotationRequested: RotationInput }>;
  readonly deployment: VerificationResult['deployment'];
}
type RotationInput = Pick<RotationRequested, 'version' | 'tenantId' | 'requestedBy' | 'why'> & { readonly credentialId: string };

/** The canary's key is rotated at most so often: Secrets Manager wants a secret written every ten minutes at most, and the provider's old key has to be gone first. */
const rotationRestMs = 60 * 60_000;
/** Runs that broke off before this is given up. */
const maxAttempts = 3;
/** Seconds until somebody who waits for the place looks again. */
const waitSeconds = 30;

/**
 * Runs the isolation tests for whoever asks, once for each event. Once more after a crash it begins anew, but for the rotation that it has asked for.
 *
 * @throws CordonError CONFLICT (retryable) while another run has the place; VERIFICATION_TOO_SOON; EVENT_INVALID; AWS_UNAVAILABLE after several runs that broke off; and as its parts
 */
export async function runVerification(deps: VerifyDeps, asked: IsolationVerificationRequested, delivery: Delivery): Promise<void> {
  const { store, clock } = deps;
  const { tenantId } = asked;
  const { eventId } = delivery;
  if (!verificationIdField.safeParse(eventId).success) throw new CordonError('EVENT_INVALID', 'the event’s ID is none that a run can have');
  const known = await store.run(tenantId, eventId);
  if (known !== undefined && known.status !== 'running') return announce(deps, known);
  const taken = await store.take(eventId, { now: clock(), until: delivery.deadline });
  if (!taken)
    throw new CordonError('CONFLICT', 'another run of the isolation tests is under way', {
      retryable: true,
      retryAfterSeconds: waitSeconds,
    });
  try {
    const begun = await begin(deps, asked, eventId);
    const finished = await played(deps, begun);
    await announce(deps, finished);
  } finally {
    await store.release(eventId);
  }
}

/** What is given up is not left looking as if it ran. */
export async function abandonVerification(
  { store, log }: VerifyDeps,
  { tenantId }: IsolationVerificationRequested,
  { eventId }: Delivery,
): Promise<void> {
  try {
    const run = await store.run(tenantId, eventId);
    if (run?.status === 'running') await store.save({ ...run, status: 'given-up', announced: true });
  } catch (error) {
    log.error('a run could not be marked as given up', error, { tenantId });
  }
}

async function begin(
  { store, clock }: VerifyDeps,
  { tenantId, requestedBy }: IsolationVerificationRequested,
  verificationId: string,
): Promise<Verification> {
  const [before, again] = [await store.latest(tenantId, 1), await store.run(tenantId, verificationId)];
  if (again !== undefined && again.attempt >= maxAttempts)
    throw new CordonError('AWS_UNAVAILABLE', `the isolation tests broke off ${maxAttempts} times: the log says why`);
  const latest = before[0];
  const next = latest === undefined ? 0 : Date.parse(latest.startedAt) + restMs;
  if (again === undefined && latest?.status !== 'given-up' && clock() < next)
    throw new CordonError(
      'VERIFICATION_TOO_SOON',
      `the isolation tests ran for this tenant a moment ago; the next run may begin at ${new Date(next).toISOString()}`,
    );
  const startedAt = new Date(clock()).toISOString();
  const run: Verification = {
    ...{ tenantId, verificationId, requestedBy, startedAt, announced: false },
    ...(again ?? {}),
    ...{ status: 'running', attempt: (again?.attempt ?? 0) + 1 },
  };
  await store.save(run);
  return run;
}

async function played(deps: VerifyDeps, begun: Verification): Promise<Verification> {
  const { store, clock } = deps;
  let run = begun;
  const keep = async (change: Partial<Verification>): Promise<void> => {
    run = { ...run, ...change };
    await store.save(run);
  };
  const { checks, uses } = await everything(deps, begun, keep);
  const { verificationId, tenantId, requestedBy, startedAt } = begun;
  const finishedAt = new Date(clock()).toISOString();
  const counts = countsOf(checks);
  const content: Omit<VerificationResult, 'signing'> = {
    ...{ format: resultFormat, verificationId, tenantId, requestedBy, startedAt, finishedAt },
    ...{
      canaries: canaryIds,
      deployment: deps.deployment,
      checks: checks.map(({ detail, ...check }) => ({ ...check, detail: detail.slice(0, maxDetail) })),
    },
    ...{ counts, uses: [...uses] },
  };
  const { result, signature, algorithm, keyArn, publicKey } = await signResult(deps.signer, content);
  await keep({ status: 'finished', finishedAt, counts, result, signature, algorithm, keyArn, publicKey });
  return run;
}
const maxDetail = 1000;

async function everything(deps: VerifyDeps, begun: Verification, keep: (change: Partial<Verification>) => Promise<void>): Promise<Played> {
  const { store, clock, log } = deps;
  const { verificationId, tenantId } = begun;
  try {
    const stage = await openStage(deps, tenantId);
    const shown = begun.rotation === undefined ? await store.rotationShown() : undefined;
    const isRecent = shown !== undefined && clock() < shown.at + rotationRestMs;
    const found = await runTests(stage, `isolation-${verificationId}`.slice(0, maxMarker), {
      ...{ log, begun: begun.rotation, rotationShown: isRecent ? shown : undefined },
      begin: (rotation) => keep({ rotation }),
      request: () => requestRotation(deps, verificationId),
    });
    if (!isRecent) await keepRotation(deps, verificationId, found.checks);
    return found;
  } catch (error) {
    if (!(error instanceof CordonError) || error.code !== 'CANARY_UNAVAILABLE') throw error;
    log.warn('the isolation tests could not be run', { code: error.code, reason: error.message });
    return { checks: nothingRun(`The tests could not be run: ${error.message}`), uses: [] };
  }
}
/** A header of the broker's has room for 512 characters. */
const maxMarker = 100;

async function requestRotation({ publish }: VerifyDeps, verificationId: string): Promise<void> {
  await publish('RotationRequested', {
    ...{ version: 1, tenantId: canaryIds.a, credentialId: canaryCredentials.a },
    ...{ requestedBy: 'isolation tests', why: `run ${verificationId} of the isolation tests` },
  });
}

/** Only what was seen to hold, or not to: what could not be tried is tried by the next run. */
async function keepRotation({ store, clock }: VerifyDeps, verificationId: string, all: readonly Check[]): Promise<void> {
  const checks = all.filter(({ test }) => test === 'rotation-independence');
  if (checks.length > 0 && checks.every(({ outcome }) => outcome !== 'not-verified'))
    await store.saveRotation({ at: clock(), verificationId, checks });
}

/** At least once: whoever listens goes by the run's ID. What failed is told first. */
async function announce({ store, announcer, log }: VerifyDeps, run: Verification): Promise<void> {
  const { tenantId, verificationId, requestedBy, status, counts, result, announced } = run;
  if (announced || status !== 'finished' || counts === undefined || result === undefined) return;
  for (const { outcome, id, detail } of verificationResult.parse(JSON.parse(result)).checks) {
    if (outcome !== 'failed') continue;
    const found: Failure = {
      ...{ version: 1, tenantId, event: { id: verificationId, detailType: 'IsolationVerificationRequested' } },
      ...{ reason: { code: 'ISOLATION_TEST_FAILED', message: `${id}: ${detail}` }, left: [] },
    };
    await announcer.announce('IsolationViolationDetected', found);
  }
  await announcer.announce('IsolationVerified', { version: 1, tenantId, verificationId, requestedBy, ...counts });
  await store.save({ ...run, announced: true });
  log.info('the isolation tests have run', { tenantId, verificationId, ...counts });
}
