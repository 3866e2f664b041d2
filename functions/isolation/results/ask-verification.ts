import { callerName } from '../../sessions/admit-caller.ts';
import type { VerifiedIdentity } from '../../sessions/token-verifier.ts';
import { CordonError } from '../../shared/errors.ts';
import type { PublishAsPlatform } from '../../shared/publish-as-platform.eventbridge.ts';
import type { IsolationVerificationRequested } from '../events.ts';
import { type ListedVerification, restMs } from '../verify/verification.ts';
import type { OpenedTenant } from './tenant-view.ts';

export interface AskDeps {
  readonly clock: () => number;
  readonly publish: PublishAsPlatform<{ IsolationVerificationRequested: IsolationVerificationRequested }>;
}

/** The role claim whose bearers have the tests run. */
const askingRole = 'admin';
/** What has not ended after this long has broken off, and is begun anew by itself or given up. */
const longestRunMs = 60 * 60_000;

/**
 * Asks for a run of the isolation tests.
 *
 * @returns the ID by which it is found once it has begun
 * @throws CordonError ROLE_REQUIRED | VERIFICATION_UNDER_WAY | VERIFICATION_TOO_SOON, for the caller to read; and as the view and `PublishAsPlatform`
 */
export async function askVerification(
  { clock, publish }: AskDeps,
  caller: Pick<VerifiedIdentity, 'userId' | 'subject' | 'role'>,
  { tenantId, view }: Pick<OpenedTenant, 'tenantId' | 'view'>,
): Promise<{ readonly verificationId: string; readonly status: 'requested' }> {
  if (caller.role !== askingRole)
    throw new CordonError('ROLE_REQUIRED', 'only a caller whose role is admin may have the isolation tests run');
  const [latest] = await view.runs.latest(tenantId, 1);
  const problem = latest && obstacleTo(latest, clock());
  if (problem !== undefined) throw problem;
  const verificationId = await publish('IsolationVerificationRequested', { version: 1, tenantId, requestedBy: callerName(caller) });
  return { verificationId, status: 'requested' };
}

/** Pure. The function that runs the tests holds to the same, whoever asks. */
function obstacleTo({ status, startedAt }: ListedVerification, now: number): CordonError | undefined {
  const age = now - Date.parse(startedAt);
  if (status === 'running' && age < longestRunMs)
    return new CordonError('VERIFICATION_UNDER_WAY', 'the isolation tests are running for this tenant', { retryAfterSeconds: 30 });
  if (status === 'given-up' || age >= restMs) return undefined;
  return new CordonError('VERIFICATION_TOO_SOON', 'the isolation tests have just run for this tenant; they run every ten minutes at most', {
    retryAfterSeconds: Math.ceil((restMs - age) / 1000),
  });
}
