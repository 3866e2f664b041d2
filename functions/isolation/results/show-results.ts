import { CordonError } from '../../shared/errors.ts';
import { canaryIds } from '../canaries.ts';
import { declarationOf, type IsolationDeclaration } from '../declaration/declaration.ts';
import { type IsolationScore, scoreOf } from '../declaration/score.ts';
import { tenantFactsOf } from '../declaration/tenant-facts.ts';
import { type VerificationFile, type VerificationResult, verificationResult } from '../verify/result.ts';
import { fileIn, type ListedVerification, type Verification, type VerificationReader } from '../verify/verification.ts';
import type { OpenedTenant } from './tenant-view.ts';

export interface ShowDeps {
  readonly clock: () => number;
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
  readonly declaration: IsolationDeclaration;
  readonly score: IsolationScore;
}

/** Runs that a list shows. */
const shown = 50;
/** Of those, the newest that are read in full and count for the score: a check that failed in one of them stands until it passes. */
const counted = 3;

/** @throws CordonError TENANT_UNKNOWN, and as the readers */
export async function showResults(
  { daily, clock }: ShowDeps,
  { tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>,
): Promise<ResultsAnswer> {
  const [runs, dailies, tenant, credentials] = await Promise.all([
    view.runs.latest(tenantId, shown),
    daily.latest(canaryIds.a, counted),
    view.registry.tenant(tenantId),
    view.registry.credentials(tenantId),
  ]);
  if (tenant === undefined) throw new CordonError('TENANT_UNKNOWN', 'the tenant is not onboarded');
  const [own, everybodys] = await Promise.all([
    newestOf(runs, (id) => view.runs.run(tenantId, id)),
    newestOf(dailies, (id) => daily.run(canaryIds.a, id)),
  ]);
  const declaration = declarationOf(tenantFactsOf(tenant, credentials));
  const score = scoreOf(declaration, [...own, ...everybodys], clock());
  return { tenantId, runs, latest: own[0], daily: everybodys[0], declaration, score };
}

/** The newest first. */
async function newestOf(
  runs: readonly ListedVerification[],
  read: (id: string) => Promise<Verification | undefined>,
): Promise<readonly VerificationResult[]> {
  const finished = runs.filter(({ status }) => status === 'finished').slice(0, counted);
  const found = await Promise.all(finished.map(({ verificationId }) => read(verificationId)));
  return found.flatMap((run) => (run?.result === undefined ? [] : [verificationResult.parse(JSON.parse(run.result))]));
}

/**
 * The signed file of a run: the tenant's own, or a daily one.
 *
 * @throws CordonError VERIFICATION_UNKNOWN, also for another tenant's; VERIFICATION_UNDER_WAY; and as the readers
 */
export async function fileOf(
  { daily }: Pick<ShowDeps, 'daily'>,
  { tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>,
  id: string,
): Promise<VerificationFile> {
  const isOne = /^[A-Za-z0-9._:-]{1,64}$/.test(id);
  const run = isOne ? ((await view.runs.run(tenantId, id)) ?? (await daily.run(canaryIds.a, id))) : undefined;
  if (run === undefined) throw new CordonError('VERIFICATION_UNKNOWN', 'there is no such run, or it has not begun yet');
  const file = fileIn(run);
  if (file !== undefined) return file;
  if (run.status === 'running')
    throw new CordonError('VERIFICATION_UNDER_WAY', 'the isolation tests are running still', { retryAfterSeconds: 10 });
  throw new CordonError('VERIFICATION_UNKNOWN', 'this run was given up and has found nothing');
}
