import { CordonError } from '../../shared/errors.ts';
import { canaryIds } from '../canaries.ts';
import { fileFormat, type VerificationFile, type VerificationResult, verificationResult } from '../verify/result.ts';
import type { ListedVerification, Verification, VerificationReader } from '../verify/verification.ts';
import type { OpenedTenant } from './tenant-view.ts';

export interface ShowDeps {
  /** The daily runs, which are every tenant's to see. */
  readonly daily: VerificationReader;
}

export interface ResultsAnswer {
  readonly tenantId: string;
  /** The tenant's own, the newest first. */
  readonly runs: readonly ListedVerification[];
  /** The tenant's newest that has ended, and the newest daily one: what was signed. */
  readonly latest?: VerificationResult | undefined;
  readonly daily?: VerificationResult | undefined;
}

/** Runs that a list shows. */
const shown = 50;

/** @throws CordonError as the readers */
export async function showResults(
  { daily }: ShowDeps,
  { tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>,
): Promise<ResultsAnswer> {
  const [runs, dailies] = await Promise.all([view.runs.latest(tenantId, shown), daily.latest(canaryIds.a, shown)]);
  const [latest, dailyLatest] = await Promise.all([
    newestOf(runs, (id) => view.runs.run(tenantId, id)),
    newestOf(dailies, (id) => daily.run(canaryIds.a, id)),
  ]);
  return { tenantId, runs, latest, daily: dailyLatest };
}

async function newestOf(
  runs: readonly ListedVerification[],
  read: (id: string) => Promise<Verification | undefined>,
): Promise<VerificationResult | undefined> {
  const finished = runs.find(({ status }) => status === 'finished');
  const run = finished && (await read(finished.verificationId));
  return run?.result === undefined ? undefined : verificationResult.parse(JSON.parse(run.result));
}

/**
 * The signed file of a run: the tenant's own, or a daily one.
 *
 * @throws CordonError VERIFICATION_UNKNOWN, also for another tenant's; VERIFICATION_UNDER_WAY; and as the readers
 */
export async function fileOf(
  { daily }: ShowDeps,
  { tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>,
  verificationId: string,
): Promise<VerificationFile> {
  const isOne = /^[A-Za-z0-9._:-]{1,64}$/.test(verificationId);
  const run = isOne ? ((await view.runs.run(tenantId, verificationId)) ?? (await daily.run(canaryIds.a, verificationId))) : undefined;
  if (run === undefined) throw new CordonError('VERIFICATION_UNKNOWN', 'there is no such run, or it has not begun yet');
  const file = fileIn(run);
  if (file !== undefined) return file;
  if (run.status === 'running')
    throw new CordonError('VERIFICATION_UNDER_WAY', 'the isolation tests are running still', { retryAfterSeconds: 10 });
  throw new CordonError('VERIFICATION_UNKNOWN', 'this run was given up and has found nothing');
}

/** What to hand out of a run; undefined as long as it has found nothing. */
export function fileIn({ result, signature, algorithm, keyArn, publicKey }: Verification): VerificationFile | undefined {
  if (result === undefined || signature === undefined || algorithm === undefined || keyArn === undefined || publicKey === undefined)
    return undefined;
  return { format: fileFormat, result, signature, algorithm, keyArn, publicKey };
}
